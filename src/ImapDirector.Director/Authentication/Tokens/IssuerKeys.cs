using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace ImapDirector.Director.Authentication.Tokens;

/// <summary>The keys that the issuer publishes, fetched when they are first asked for and again now and then. The library goes on with those it has for as long as it cannot fetch
/// others, so that it is noted here how old they are.</summary>
internal sealed class IssuerKeys : IConfigurationRetriever<OpenIdConnectConfiguration>
{
    // A token with an unknown key may make us look for new ones this often.
    private static readonly TimeSpan FetchAgainAfter = TimeSpan.FromSeconds(30);
    private const long Never = long.MinValue;

    private readonly TokenOptions _options;
    private readonly TimeProvider _clock;
    private readonly string _issuer;
    private readonly ConfigurationManager<OpenIdConnectConfiguration> _manager;
    private long _fetchedAt = Never;

    /// <summary>Composes it; nothing is fetched yet.</summary>
    public IssuerKeys(TokenOptions options, HttpClient http, TimeProvider clock)
    {
        (_options, _clock, _issuer) = (options, clock, options.Issuer!.OriginalString);
        var address = options.KeysUrl?.AbsoluteUri ?? _issuer.TrimEnd('/') + "/.well-known/openid-configuration";
        _manager = new ConfigurationManager<OpenIdConnectConfiguration>(address, this, new HttpDocumentRetriever(http) { RequireHttps = !options.Issuer.IsLoopback })
        {
            RefreshInterval = FetchAgainAfter,
            AutomaticRefreshInterval = TimeSpan.FromHours(1),
            // A key that the issuer has taken back is not to open anything any more.
            UseLastKnownGoodConfiguration = false,
        };
        Parameters = new TokenValidationParameters
        {
            ConfigurationManager = _manager,
            ValidIssuer = _issuer,
            ValidAudiences = options.Audiences,
            // Only what is verified with a public key: a token cannot choose to be signed with one that everybody knows, or not at all.
            ValidAlgorithms = options.Algorithms,
            ValidTypes = options.Types.Count > 0 ? options.Types : null,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            ValidateIssuerSigningKey = true,
            ClockSkew = options.ClockTolerance,
            LogValidationExceptions = false,
        };
    }

    /// <summary>What is asked of a token, with these keys.</summary>
    public TokenValidationParameters Parameters { get; }

    /// <summary>Whether they were last had so long ago that they may have been taken back since.</summary>
    public bool AreTooOld => Volatile.Read(ref _fetchedAt) is not Never and var at && _clock.GetElapsedTime(at) > _options.MaxKeysAge;

    /// <summary>Waits until they are there.</summary>
    /// <exception cref="InvalidOperationException">They cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public Task WaitAsync(CancellationToken cancellationToken) => _manager.GetConfigurationAsync(cancellationToken);

    /// <inheritdoc />
    public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(string address, IDocumentRetriever retriever, CancellationToken cancel)
    {
        // Those that come were the issuer's when they were asked for.
        var askedAt = _clock.GetTimestamp();
        var configuration = await (_options.KeysUrl is null ? ReadConfigurationAsync(address, retriever, cancel) : ReadKeysAsync(address, retriever, cancel));
        Volatile.Write(ref _fetchedAt, askedAt);
        return configuration;
    }

    // The issuer's own configuration (OpenID Connect Discovery 1.0); one of another issuer is none.
    private async Task<OpenIdConnectConfiguration> ReadConfigurationAsync(string address, IDocumentRetriever retriever, CancellationToken cancel)
    {
        var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(address, retriever, cancel);
        return configuration.Issuer == _issuer ? configuration : throw new InvalidOperationException("The configuration is another issuer's.");
    }

    private async Task<OpenIdConnectConfiguration> ReadKeysAsync(string address, IDocumentRetriever retriever, CancellationToken cancel)
    {
        var configuration = new OpenIdConnectConfiguration { Issuer = _issuer };
        foreach (var key in new JsonWebKeySet(await retriever.GetDocumentAsync(address, cancel)).GetSigningKeys()) configuration.SigningKeys.Add(key);
        return configuration;
    }
}
