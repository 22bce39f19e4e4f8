using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;

namespace ImapDirector.Director.Authentication.Tokens;

/// <summary>Checks JSON Web Tokens (RFC 7519, RFC 9068) here, with the keys that the issuer publishes; they are fetched again now and then, and when a token names
/// one that is not known.</summary>
internal sealed partial class JwtVerifier : ITokenVerifier, IDisposable
{
    private const int MaxTokenBytes = 8 * 1024;

    private readonly TokenOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;
    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxTokenBytes };
    private IssuerKeys _keys;

    /// <summary>Composes it; nothing is fetched yet.</summary>
    public JwtVerifier(TokenOptions options, ILogger<JwtVerifier> logger, TimeProvider clock)
    {
        (_options, _logger, _clock, _http) = (options, logger, clock, IssuerHttp.Create(options));
        _keys = new IssuerKeys(options, _http, clock);
    }

    /// <inheritdoc />
    public async ValueTask<TokenAnswer> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        // One login fetches them, and the others wait for it: each of them in vain, where the issuer hangs, and no longer than if it had asked itself.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.Timeout);
        var keys = KeysOfNow();
        try
        {
            // Without the keys nothing can be said of a token, which is not to say that it is wrong.
            await keys.WaitAsync(limit.Token);
        }
        catch (Exception failed) when (failed is InvalidOperationException || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Log.NoKeys(_logger, _options.Issuer!, failed is OperationCanceledException ? "no answer in time" : failed.GetBaseException().Message);
            return new TokenAnswer(TokenAnswerKind.Failure);
        }
        var result = await _handler.ValidateTokenAsync(token, keys.Parameters);
        if (!result.IsValid)
        {
            Log.Refused(_logger, result.Exception.GetType().Name);
            return new TokenAnswer(TokenAnswerKind.Invalid);
        }
        return TokenClaims.Read(_options, name => result.Claims.TryGetValue(name, out var value) ? value : null);
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    // Whoever can keep us from the issuer could go on with a stolen key that it has taken back. Keys that are too old are none: they are fetched anew before anything is said.
    private IssuerKeys KeysOfNow()
    {
        var keys = Volatile.Read(ref _keys);
        if (!keys.AreTooOld) return keys;
        var fresh = new IssuerKeys(_options, _http, _clock);
        return Interlocked.CompareExchange(ref _keys, fresh, keys) == keys ? fresh : Volatile.Read(ref _keys);
    }

    private static partial class Log
    {
        [LoggerMessage(3141, LogLevel.Error, "The keys of {Issuer} cannot be had: {Reason}")]
        public static partial void NoKeys(ILogger logger, Uri issuer, string reason);

        [LoggerMessage(3142, LogLevel.Debug, "A bearer's proof is not taken: {Reason}")]
        public static partial void Refused(ILogger logger, string reason);
    }
}
