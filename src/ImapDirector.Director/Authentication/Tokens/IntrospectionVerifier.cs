using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication.Tokens;

/// <summary>Asks the issuer about each token (RFC 7662).</summary>
internal sealed partial class IntrospectionVerifier : ITokenVerifier, IDisposable
{
    private readonly TokenOptions _options;
    private readonly ILogger _logger;
    private readonly HttpClient _http;

    /// <summary>Composes it; nothing is asked yet.</summary>
    public IntrospectionVerifier(TokenOptions options, ILogger<IntrospectionVerifier> logger) =>
        (_options, _logger, _http) = (options, logger, IssuerHttp.Create(options));

    /// <inheritdoc />
    public async ValueTask<TokenAnswer> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _options.IntrospectionUrl);
        request.Content = new FormUrlEncodedContent([new("token", token), new("token_type_hint", "access_token")]);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        // Both parts are encoded before they are put together (RFC 6749 section 2.3.1).
        var credentials = $"{Uri.EscapeDataString(_options.ClientId)}:{Uri.EscapeDataString(_options.ClientSecret)}";
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(credentials)));
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK) return Fail($"status {(int)response.StatusCode}");
            using var answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            return answer.RootElement.ValueKind == JsonValueKind.Object ? Read(answer.RootElement) : Fail("no JSON object");
        }
        // Half a surrogate pair in a JSON string is found out about only when it is read.
        catch (Exception failed) when (failed is HttpRequestException or IOException or JsonException or InvalidOperationException || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return Fail(failed is OperationCanceledException ? "no answer in time" : failed.Message);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private TokenAnswer Read(JsonElement answer)
    {
        if (!answer.TryGetProperty("active", out var active) || active.ValueKind != JsonValueKind.True) return new TokenAnswer(TokenAnswerKind.Invalid);
        // What the issuer need not say is checked where it does; for whom the token is has to be said where it is asked for.
        if (_options.Issuer is { } issuer && answer.TryGetProperty("iss", out var said) && (said.ValueKind != JsonValueKind.String || said.GetString() != issuer.OriginalString)) return new TokenAnswer(TokenAnswerKind.Invalid);
        if (_options.Audiences.Count > 0 && !Audiences(answer).Intersect(_options.Audiences).Any()) return new TokenAnswer(TokenAnswerKind.Invalid);
        if (answer.TryGetProperty("exp", out var end) && (end.ValueKind != JsonValueKind.Number || !end.TryGetInt64(out var seconds) || DateTimeOffset.UtcNow.ToUnixTimeSeconds() - _options.ClockTolerance.TotalSeconds > seconds)) return new TokenAnswer(TokenAnswerKind.Invalid);
        return TokenClaims.Read(_options, name => answer.TryGetProperty(name, out var value) ? value : null);
    }

    private static IEnumerable<string> Audiences(JsonElement answer) => !answer.TryGetProperty("aud", out var aud) ? [] : aud.ValueKind switch
    {
        JsonValueKind.String => [aud.GetString()!],
        JsonValueKind.Array => aud.EnumerateArray().Where(static item => item.ValueKind == JsonValueKind.String).Select(static item => item.GetString()!),
        _ => [],
    };

    private TokenAnswer Fail(string reason)
    {
        Log.Failed(_logger, _options.IntrospectionUrl!, reason);
        return new TokenAnswer(TokenAnswerKind.Failure);
    }

    private static partial class Log
    {
        [LoggerMessage(3143, LogLevel.Error, "{Issuer} does not help: {Reason}")]
        public static partial void Failed(ILogger logger, Uri issuer, string reason);
    }
}
