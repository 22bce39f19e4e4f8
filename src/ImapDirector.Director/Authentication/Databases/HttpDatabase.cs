using System.Globalization;
using System.Net;
using System.Text;
using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>An HTTP service in the protocol of nginx's <c>auth_http</c>. Name and password travel percent-encoded, so that no byte of them can end a header.
/// What the service says of a server counts only where it is one of our nodes.</summary>
internal sealed partial class HttpDatabase : IPasswordDatabase, IDisposable
{
    private const int MaxHeadersKiB = 16;
    private const int MaxBodyBytes = 64 * 1024;

    private readonly HttpDatabaseOptions _options;
    private readonly Func<IEnumerable<BackendNode>> _nodes;
    private readonly ILogger _logger;
    private readonly HttpClient _http;
    private readonly AnswerPulse _pulse;

    /// <summary>Composes it; nothing is opened yet.</summary>
    /// <param name="options">Where it is.</param>
    /// <param name="nodes">The nodes there are now.</param>
    /// <param name="logger">For what goes wrong.</param>
    public HttpDatabase(HttpDatabaseOptions options, Func<IEnumerable<BackendNode>> nodes, ILogger<HttpDatabase> logger)
    {
        (_options, _nodes, _logger) = (options, nodes, logger);
        _pulse = new AnswerPulse(TimeProvider.System, options.Timeout);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.Timeout,
            MaxConnectionsPerServer = options.MaxConnections,
            MaxResponseHeadersLength = MaxHeadersKiB,
            MaxResponseDrainSize = MaxBodyBytes,
            ResponseDrainTimeout = options.Timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            SslOptions = OutgoingTls.For(options.Url.DnsSafeHost, options.CaFile),
        })
        {
            Timeout = options.Timeout,
        };
    }

    /// <inheritdoc />
    public string Name => "http";

    /// <inheritdoc />
    public async ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken)
    {
        if (question.Password is not { } password) return DatabaseAnswer.CannotTell;
        using var request = new HttpRequestMessage(HttpMethod.Get, _options.Url);
        request.Headers.TryAddWithoutValidation("Auth-Method", "plain");
        request.Headers.TryAddWithoutValidation("Auth-User", Escape(Encoding.UTF8.GetBytes(question.User.Value)));
        request.Headers.TryAddWithoutValidation("Auth-Pass", Escape(password.Span));
        request.Headers.TryAddWithoutValidation("Auth-Protocol", "imap");
        request.Headers.TryAddWithoutValidation("Auth-Login-Attempt", "1");
        request.Headers.TryAddWithoutValidation("Client-IP", question.Client.ToString());
        if (_options.HeaderName is { } header) request.Headers.TryAddWithoutValidation(header, _options.HeaderValue);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return Read(question, response);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Log.Failed(_logger, _options.Url, failed is OperationCanceledException ? "no answer in time" : failed.Message);
            return failed is OperationCanceledException ? _pulse.NoAnswer() : DatabaseAnswer.Failure;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private DatabaseAnswer Read(DatabaseQuestion question, HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.OK || Header(response, "Auth-Status") is not { } status)
        {
            Log.Failed(_logger, _options.Url, string.Create(CultureInfo.InvariantCulture, $"status {(int)response.StatusCode}, or no Auth-Status"));
            return response.StatusCode == HttpStatusCode.TooManyRequests ? DatabaseAnswer.Busy : DatabaseAnswer.Failure;
        }
        _pulse.Beat();
        // The reason is for people, except for a code that says "later".
        if (status != "OK") return Header(response, "Auth-Error-Code")?.StartsWith('4') == true ? DatabaseAnswer.Failure : DatabaseAnswer.WrongPassword;
        if (Header(response, "Auth-Server") is not { Length: > 0 } server) return new DatabaseAnswer(DatabaseAnswerKind.RightPassword);
        var node = NodeOf(server, Header(response, "Auth-Port"));
        if (node is not null) return new DatabaseAnswer(DatabaseAnswerKind.RightPassword, Node: node.Name);
        Log.ForeignNode(_logger, _options.Url, question.User.Value);
        return DatabaseAnswer.Failure;
    }

    // By its name, or by the host and port that it has with us.
    private BackendNode? NodeOf(string server, string? port) => _nodes().FirstOrDefault(node => node.Name == server
        || (string.Equals(node.Host, server, StringComparison.OrdinalIgnoreCase) && (port is null || port == node.ImapPort.ToString(CultureInfo.InvariantCulture))));

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    // As nginx does it: what is not a visible letter of ASCII, and "%" itself.
    private static string Escape(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var letter in bytes)
        {
            if (letter is > 0x20 and < 0x7F and not (byte)'%') text.Append((char)letter);
            else text.Append(CultureInfo.InvariantCulture, $"%{letter:X2}");
        }
        return text.ToString();
    }

    private static partial class Log
    {
        [LoggerMessage(3131, LogLevel.Error, "{Service} does not help: {Reason}")]
        public static partial void Failed(ILogger logger, Uri service, string reason);

        [LoggerMessage(3132, LogLevel.Error, "{Service} sends {User} to a server that is none of our nodes")]
        public static partial void ForeignNode(ILogger logger, Uri service, string user);
    }
}
