using System.Security.Cryptography;
using ImapDirector.Director.Tests.Authentication.Databases;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace ImapDirector.Director.Tests.Authentication;

/// <summary>A small issuer of tokens: its configuration, its keys, and what it says of a token it is asked about.</summary>
internal sealed class TokenIssuer : IAsyncDisposable
{
    public const string Audience = "imap";

    private readonly HttpAuthServer _server;
    private readonly List<RsaSecurityKey> _published = [];

    public TokenIssuer()
    {
        _server = new HttpAuthServer(request => Change(Answer(request)));
        Publish("first");
    }

    public string Issuer => _server.Url.GetLeftPart(UriPartial.Authority);

    public TokenOptions Options => new() { Issuer = new Uri(Issuer), Audiences = [Audience], Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>What it says when it is asked about a token.</summary>
    public Func<string, string> Introspect { get; set; } = _ => HttpAuthServer.Json("""{"active":false}""");

    /// <summary>How it names itself in its configuration.</summary>
    public string? ConfiguredName { get; set; }

    /// <summary>Whether it has no answer to anything.</summary>
    public bool IsAway { get; set; }

    /// <summary>Makes another response of each.</summary>
    public Func<string, string> Change { get; set; } = static response => response;

    public IReadOnlyCollection<string> Requests => _server.Requests;

    /// <summary>Makes a key and publishes it alone.</summary>
    public RsaSecurityKey Publish(string id)
    {
        var key = new RsaSecurityKey(RSA.Create(2048)) { KeyId = id };
        _published.Clear();
        _published.Add(key);
        return key;
    }

    public string Token(string? user = "alice@example.com", string? issuer = null, string audience = Audience, TimeSpan? expires = null, SigningCredentials? credentials = null,
        bool saysVerified = true, IDictionary<string, object>? more = null, string? type = null)
    {
        var claims = new Dictionary<string, object>(more ?? new Dictionary<string, object>());
        if (user is not null) claims.TryAdd("email", user);
        if (saysVerified) claims.TryAdd("email_verified", true);
        var now = DateTime.UtcNow;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Issuer,
            Audience = audience,
            NotBefore = now.AddHours(-2),
            Expires = now + (expires ?? TimeSpan.FromMinutes(5)),
            Claims = claims,
            TokenType = type,
            SigningCredentials = credentials ?? new SigningCredentials(_published[0], SecurityAlgorithms.RsaSha256),
        });
    }

    public RsaSecurityKey Key => _published[0];

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private string Answer(string request)
    {
        if (IsAway) return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
        if (request.StartsWith("GET /.well-known/openid-configuration ", StringComparison.Ordinal))
            return HttpAuthServer.Json($$"""{"issuer":"{{ConfiguredName ?? Issuer}}","jwks_uri":"{{Issuer}}/keys"}""");
        if (request.StartsWith("GET /keys ", StringComparison.Ordinal))
            return HttpAuthServer.Json($$"""{"keys":[{{string.Join(',', _published.Select(Published))}}]}""");
        return request.StartsWith("POST /introspect ", StringComparison.Ordinal) ? Introspect(request) : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    }

    private static string Published(RsaSecurityKey key)
    {
        var parameters = key.Rsa.ExportParameters(false);
        return $$"""{"kty":"RSA","use":"sig","kid":"{{key.KeyId}}","n":"{{Base64UrlEncoder.Encode(parameters.Modulus)}}","e":"{{Base64UrlEncoder.Encode(parameters.Exponent)}}"}""";
    }
}
