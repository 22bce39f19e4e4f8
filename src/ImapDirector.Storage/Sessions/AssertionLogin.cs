using System.Text;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Protocol.Sasl;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Storage.Sessions;

/// <summary>Judges directors' assertions: one for a login, a delivery or an order, once. Why one is refused is for the log and the metrics alone.</summary>
internal sealed partial class AssertionLogin
{
    private readonly WatchedFiles<AssertionKeySet> _keys;
    private readonly AssertionVerifier _verifier;
    private readonly StorageMetrics _metrics;
    private readonly ILogger _logger;

    /// <exception cref="InvalidDataException">The keys cannot be used.</exception>
    public AssertionLogin(StorageNodeOptions options, StorageMetrics metrics, TimeProvider time, ILogger logger)
    {
        (_metrics, _logger) = (metrics, logger);
        _keys = new WatchedFiles<AssertionKeySet>(options.AssertionKeys!, AssertionKeyFiles.Pattern, AssertionKeyFiles.Read, Tell, time);
        _verifier = new AssertionVerifier(options.Name, options.ClockTolerance, time);
    }

    /// <summary>Checks what a director logs in with: OAUTHBEARER (RFC 7628), the user as authorization identity.</summary>
    /// <param name="response">The response as it came, in base64; overwritten.</param>
    /// <param name="connectionId">For the log.</param>
    /// <returns>What the director says, about a user; <c>null</c> when it is refused.</returns>
    public Assertion? Find(Span<byte> response, string connectionId)
    {
        if (!SaslCredentials.TryDecode(response, out var message) || !BearerMessage.TryParse(message, out var identity, out var token)
            || Encoding.ASCII.GetString(identity) is not { } name || !UserName.TryCreate(name, defaultDomain: null, out var user) || user.Value != name)
            return Refuse(AssertionRefusal.Malformed, connectionId);
        return Find(token, AssertionScope.Imap, user, connectionId);
    }

    /// <summary>Checks a token.</summary>
    /// <param name="token">As it came.</param>
    /// <param name="scope">What it is to be used for.</param>
    /// <param name="user">Whom it is to be about, or <c>null</c> where that is the caller's to look at.</param>
    /// <param name="connectionId">For the log.</param>
    /// <returns>What the director says; <c>null</c> when it is refused.</returns>
    public Assertion? Find(ReadOnlySpan<byte> token, AssertionScope scope, UserName? user, string connectionId)
    {
        var refusal = _verifier.Verify(token, _keys.Current, scope, user, out var assertion);
        return refusal == AssertionRefusal.None ? assertion : Refuse(refusal, connectionId);
    }

    private Assertion? Refuse(AssertionRefusal refusal, string connectionId)
    {
        _metrics.AssertionRefusals.WithLabels(MetricLabel.Of(refusal)).Inc();
        Log.Refused(_logger, connectionId, refusal);
        return null;
    }

    private void Tell(string? failure)
    {
        if (failure is null) Log.KeysRead(_logger);
        else Log.KeysUnusable(_logger, failure);
    }

    private static partial class Log
    {
        [LoggerMessage(1013, LogLevel.Warning, "{ConnectionId}: a director's assertion is refused: {Refusal}")]
        public static partial void Refused(ILogger logger, string connectionId, AssertionRefusal refusal);

        [LoggerMessage(1014, LogLevel.Information, "The directors' keys have changed and were read again")]
        public static partial void KeysRead(ILogger logger);

        [LoggerMessage(1015, LogLevel.Error, "The directors' keys have changed and cannot be used, those before stay in use: {Reason}")]
        public static partial void KeysUnusable(ILogger logger, string reason);
    }
}
