using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace ImapDirector.Director.Authentication.Tokens;

/// <summary>Checks JSON Web Tokens (RFC 7519, RFC 9068) here, with the keys that the issuer publishes; they are fetched again now and then, and when a token names
/// one that is not known.</summary>
internal sealed partial class JwtVerifier : ITokenVerifier, IDisposable
{
    private const int MaxTokenBytes = 8 * 1024;
    // A token with an unknown key may make us look for new ones this often.
    private static readonly TimeSpan FetchAgainAfter = TimeSpan.FromSeconds(30);

    private readonly TokenOptions _options;
    private readonly ILogger _logger;
    private readonly HttpClient _http;
    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxTokenBytes };
    private readonly TokenValidationParameters _parameters;
    private readonly ConfigurationManager<OpenIdConnectConfiguration> _configuration;

    /// <summary>Composes it; nothing is fetched yet.</summary>
    public JwtVerifier(TokenOptions options, ILogger<JwtVerifier> logger)
    {
        (_options, _logger) = (options, logger);
        var issuer = options.Issuer!.OriginalString.TrimEnd('/');
        var address = options.KeysUrl?.AbsoluteUri ?? issuer + "/.well-known/openid-configuration";
        _http = IssuerHttp.Create(options);
        _configuration = new ConfigurationManager<OpenIdConnectConfiguration>(address,
            options.KeysUrl is null ? new OwnConfiguration(options.Issuer.OriginalString) : new KeysAlone(options.Issuer.OriginalString),
            new HttpDocumentRetriever(_http) { RequireHttps = !options.Issuer.IsLoopback })
        {
            RefreshInterval = FetchAgainAfter,
            AutomaticRefreshInterval = TimeSpan.FromHours(1),
            // A key that the issuer has taken back is not to open anything any more.
            UseLastKnownGoodConfiguration = false,
        };
        _parameters = new TokenValidationParameters
        {
            ConfigurationManager = _configuration,
            ValidIssuer = options.Issuer.OriginalString,
            ValidAudiences = options.Audiences,
            // Only what is verified with a public key: a token cannot choose to be signed with one that everybody knows, or not at all.
            ValidAlgorithms = options.Algorithms,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            ValidateIssuerSigningKey = true,
            ClockSkew = options.ClockTolerance,
            LogValidationExceptions = false,
        };
    }

    /// <inheritdoc />
    public async ValueTask<TokenAnswer> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            // Without the keys nothing can be said of a token, which is not to say that it is wrong.
            await _configuration.GetConfigurationAsync(cancellationToken);
        }
        catch (InvalidOperationException unreachable)
        {
            Log.NoKeys(_logger, _options.Issuer!, unreachable.GetBaseException().Message);
            return new TokenAnswer(TokenAnswerKind.Failure);
        }
        var result = await _handler.ValidateTokenAsync(token, _parameters);
        if (!result.IsValid)
        {
            Log.Refused(_logger, result.Exception.GetType().Name);
            return new TokenAnswer(TokenAnswerKind.Invalid);
        }
        return TokenClaims.Read(_options, name => result.Claims.TryGetValue(name, out var value) ? value : null);
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    /// <summary>The issuer's own configuration (OpenID Connect Discovery 1.0); one of another issuer is none.</summary>
    private sealed class OwnConfiguration(string issuer) : IConfigurationRetriever<OpenIdConnectConfiguration>
    {
        public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(string address, IDocumentRetriever retriever, CancellationToken cancel)
        {
            var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(address, retriever, cancel);
            return configuration.Issuer == issuer ? configuration : throw new InvalidOperationException("The configuration is another issuer's.");
        }
    }

    /// <summary>The keys without a configuration around them.</summary>
    private sealed class KeysAlone(string issuer) : IConfigurationRetriever<OpenIdConnectConfiguration>
    {
        public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(string address, IDocumentRetriever retriever, CancellationToken cancel)
        {
            var configuration = new OpenIdConnectConfiguration { Issuer = issuer };
            foreach (var key in new JsonWebKeySet(await retriever.GetDocumentAsync(address, cancel)).GetSigningKeys()) configuration.SigningKeys.Add(key);
            return configuration;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3141, LogLevel.Error, "The keys of {Issuer} cannot be had: {Reason}")]
        public static partial void NoKeys(ILogger logger, Uri issuer, string reason);

        [LoggerMessage(3142, LogLevel.Debug, "A bearer's proof is not taken: {Reason}")]
        public static partial void Refused(ILogger logger, string reason);
    }
}
