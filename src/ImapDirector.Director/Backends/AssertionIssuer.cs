using System.Net;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Backends;

/// <summary>Makes this director's assertions, each for one login, delivery or order at one node. The key's file is read again when it changes.</summary>
internal sealed partial class AssertionIssuer
{
    private const int MaxFileBytes = 64 * 1024;

    private readonly string _name;
    private readonly TimeSpan _validity;
    private readonly TimeProvider _time;
    private readonly WatchedFiles<AssertionSigner> _key;
    private readonly ILogger _logger;

    /// <exception cref="InvalidDataException">The key cannot be used.</exception>
    public AssertionIssuer(DirectorOptions options, string keyFile, TimeProvider time, ILogger logger)
    {
        (_name, _validity, _time, _logger) = (options.Name, options.AssertionValidity, time, logger);
        _key = new WatchedFiles<AssertionSigner>(keyFile, "", ReadKey, Tell, time);
        Log.KeyRead(logger, _key.Current.KeyId);
    }

    /// <summary>The issuer that the settings ask for, or <c>null</c>.</summary>
    /// <inheritdoc cref="AssertionIssuer(DirectorOptions, string, TimeProvider, ILogger)" path="/exception" />
    public static AssertionIssuer? Create(DirectorOptions options, ILoggerFactory loggers) => options.AssertionKeyFile is { } file
        ? new AssertionIssuer(options, file, TimeProvider.System, loggers.CreateLogger<AssertionIssuer>()) : null;

    /// <summary>Makes a token.</summary>
    /// <param name="node">For which node.</param>
    /// <param name="user">About whom, or <c>null</c>.</param>
    /// <param name="epoch">The epoch of the user's assignment.</param>
    /// <param name="sessionId">The session's or order's id.</param>
    /// <param name="client">The client's address, or <c>null</c>.</param>
    /// <param name="scope">For what.</param>
    public string Issue(BackendNode node, UserName? user, long epoch, string sessionId, IPAddress? client, AssertionScope scope)
    {
        var now = _time.GetUtcNow();
        return _key.Current.Sign(new Assertion
        {
            Issuer = _name,
            Audience = node.Name,
            Subject = user,
            Epoch = epoch,
            SessionId = sessionId,
            ClientAddress = client,
            Scope = scope,
            IssuedAt = now,
            ExpiresAt = now + _validity,
        });
    }

    /// <exception cref="InvalidDataException">It cannot be used; the message is the end of a sentence that begins with its name.</exception>
    public static AssertionSigner ReadKey(IReadOnlyList<string> files)
    {
        try
        {
            if (files is [var file] && new FileInfo(file).Length <= MaxFileBytes) return AssertionSigner.Parse(File.ReadAllText(file));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"cannot be read ({unreadable.GetType().Name})");
        }
        throw new InvalidDataException($"is no file of at most {MaxFileBytes} bytes");
    }

    private void Tell(string? failure)
    {
        if (failure is null) Log.KeyRead(_logger, _key.Current.KeyId);
        else Log.KeyUnusable(_logger, failure);
    }

    private static partial class Log
    {
        [LoggerMessage(3321, LogLevel.Information, "Assertions are signed with key {Kid}")]
        public static partial void KeyRead(ILogger logger, string kid);

        [LoggerMessage(3322, LogLevel.Error, "The key for assertions has changed and cannot be used, the one before stays in use: the file {Reason}")]
        public static partial void KeyUnusable(ILogger logger, string reason);
    }
}
