using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImapDirector.Director.Directory;
using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Throttling;

/// <summary>A policy service in the protocol of weakforced: <c>allow</c> before a check, <c>report</c> after it. It never sees a password, only some bits of a
/// digest that tell whether two were the same.</summary>
internal sealed partial class LoginPolicy : IDisposable
{
    private const int MaxBytes = 64 * 1024;
    private const int HashBits = 12;
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(15);

    private readonly ThrottleOptions _options;
    private readonly ILogger _logger;
    private readonly HttpClient _http;
    private readonly ClusterSecret _secret;
    private readonly byte[] _ownKey = RandomNumberGenerator.GetBytes(32);

    /// <summary>Composes it; nothing is asked yet.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="secret">What all directors' digests are made with, so that the service knows a password again from whichever it comes.</param>
    /// <param name="logger">Where it is told that the service does not help.</param>
    public LoginPolicy(ThrottleOptions options, ClusterSecret secret, ILogger<LoginPolicy> logger)
    {
        (_options, _secret, _logger) = (options, secret, logger);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = options.PolicyTimeout,
            MaxConnectionsPerServer = 32,
            SslOptions = OutgoingTls.For(host: null, options.PolicyCaFile),
        })
        {
            Timeout = options.PolicyTimeout,
            MaxResponseContentBufferSize = MaxBytes,
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("imapdirector:" + options.PolicyPassword)));
    }

    /// <summary>Asks whether an attempt may be checked; where not, that is reported.</summary>
    /// <returns>How long its check waits; <c>null</c> when it is refused.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<TimeSpan?> AllowAsync(PolicyQuestion question, CancellationToken cancellationToken)
    {
        using var answer = await AskAsync("allow", question, null, cancellationToken);
        if (answer is null || answer.RootElement.ValueKind != JsonValueKind.Object || !answer.RootElement.TryGetProperty("status", out var status)
            || status.ValueKind != JsonValueKind.Number || !status.TryGetInt32(out var seconds))
            return _options.PolicyFailOpen ? TimeSpan.Zero : null;
        if (seconds >= 0) return seconds >= LongestDelay.TotalSeconds ? LongestDelay : TimeSpan.FromSeconds(seconds);
        // It counts what it has refused itself only when it is told.
        using var heard = await AskAsync("report", question, (HasSucceeded: false, IsItsOwn: true), cancellationToken);
        return null;
    }

    /// <summary>Tells how a check ended.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task ReportAsync(PolicyQuestion question, bool hasSucceeded, CancellationToken cancellationToken)
    {
        using var answer = await AskAsync("report", question, (hasSucceeded, IsItsOwn: false), cancellationToken);
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private async Task<JsonDocument?> AskAsync(string command, PolicyQuestion question, (bool HasSucceeded, bool IsItsOwn)? outcome, CancellationToken cancellationToken)
    {
        var body = new Dictionary<string, object>
        {
            ["login"] = question.User,
            ["remote"] = question.Client.ToString(),
            ["pwhash"] = question.PasswordHash,
            ["protocol"] = "imap",
            ["tls"] = question.IsSecure,
        };
        if (outcome is { } told) (body["success"], body["policy_reject"]) = (told.HasSucceeded, told.IsItsOwn);
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        try
        {
            using var response = await _http.PostAsync(new Uri(_options.PolicyUrl!, "?command=" + command), content, cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK) throw new HttpRequestException(string.Create(CultureInfo.InvariantCulture, $"status {(int)response.StatusCode}"));
            return JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or JsonException || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Log.Failed(_logger, command, failed is OperationCanceledException ? "no answer in time" : failed.Message);
            return null;
        }
    }

    /// <summary>Makes a question.</summary>
    /// <param name="who">Whom it is about.</param>
    /// <param name="name">The name as it was sent, UTF-8.</param>
    /// <param name="password">The password.</param>
    /// <param name="client">Where the client is.</param>
    /// <param name="isSecure">Whether it came through TLS.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask<PolicyQuestion> MakeAsync(Claimant who, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> password, IPAddress client, bool isSecure, CancellationToken cancellationToken)
    {
        var key = await _secret.KeyForAsync("policy", cancellationToken) ?? _ownKey;
        var login = who.IsNobody ? Encoding.UTF8.GetString(name.Span) : who.ToString();
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(Encoding.UTF8.GetBytes(login));
        hmac.AppendData([0]);
        hmac.AppendData(password.Span);
        var digest = hmac.GetHashAndReset();
        var bits = ((digest[0] << 8) | digest[1]) >> (16 - HashBits);
        return new PolicyQuestion(login, bits.ToString("x3", CultureInfo.InvariantCulture), client, isSecure);
    }

    private static partial class Log
    {
        [LoggerMessage(3421, LogLevel.Error, "The policy service does not help with {Command}: {Reason}")]
        public static partial void Failed(ILogger logger, string command, string reason);
    }
}

/// <summary>What a policy service is asked about.</summary>
internal sealed record PolicyQuestion(string User, string PasswordHash, IPAddress Client, bool IsSecure);
