using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using ImapDirector.Network.Tls;

namespace ImapDirector.Storage.Transfer;

/// <summary>Fetches a user's store from the node that has it, over its HTTP. The director's assertion opens the transfer, once; what comes back opens the
/// rest.</summary>
internal sealed class StorePull : IDisposable
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);
    private const int MaxHeaderKilobytes = 16;
    private const int MaxTicketBytes = 4096;
    private const int ReadBytes = 64 * 1024;

    private readonly HttpClient _http;
    private readonly int _maxManifestBytes;

    /// <param name="source">The other node's HTTP.</param>
    /// <param name="assertion">What opens the transfer there.</param>
    /// <param name="maxManifestBytes">The longest manifest that is taken.</param>
    public StorePull(Uri source, string assertion, int maxManifestBytes = TransferManifest.MaxBytes)
    {
        _maxManifestBytes = maxManifestBytes;
        // No proxy, no redirect: where to is the director's word alone.
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(5),
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            MaxResponseHeadersLength = MaxHeaderKilobytes,
            ActivityHeadersPropagator = null,
            SslOptions = OutgoingTls.For(host: null, caFile: null),
        };
        _http = new HttpClient(handler) { BaseAddress = source, Timeout = Timeout.InfiniteTimeSpan };
        Authorize(assertion);
    }

    /// <summary>Opens the transfer and waits until the other node has everything ready.</summary>
    /// <param name="manifestDigest">The SHA-256 of the manifest that is meant, in small hexadecimal digits.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TransferException">It refuses, or what it says is another manifest, or none.</exception>
    /// <exception cref="HttpRequestException">It is away.</exception>
    public async Task<TransferManifest> OpenAsync(string manifestDigest, CancellationToken cancellationToken)
    {
        using (var opened = await SendAsync(HttpMethod.Post, "/api/v1/transfers", 0, cancellationToken))
        {
            if (opened.StatusCode != HttpStatusCode.OK) throw Refused(opened);
            var ticket = await Within(async token => JsonSerializer.Deserialize<Ticket>((await ReadAsync(opened, MaxTicketBytes, token)).Span, JsonSerializerOptions.Web), cancellationToken);
            Authorize(ticket?.Token ?? "");
        }
        while (true)
        {
            using var answer = await SendAsync(HttpMethod.Get, "/api/v1/transfers/manifest", 0, cancellationToken);
            if (answer.StatusCode == HttpStatusCode.Accepted)
            {
                await Task.Delay(BetweenLooks, cancellationToken);
                continue;
            }
            if (answer.StatusCode != HttpStatusCode.OK) throw Refused(answer);
            var bytes = await Within(token => ReadAsync(answer, _maxManifestBytes, token), cancellationToken);
            if (Convert.ToHexStringLower(SHA256.HashData(bytes.Span)) != manifestDigest)
                throw new TransferException(TransferFault.Different, "what the other node says of the store is not what the director has heard of it");
            return TransferManifest.TryRead(bytes.Span) ?? throw new TransferException(TransferFault.Different, "what the other node says of the store is no manifest");
        }
    }

    /// <summary>Opens a file of the manifest from an offset on.</summary>
    /// <exception cref="HttpRequestException">The other node is away, or refuses.</exception>
    public async Task<Stream> OpenFileAsync(int number, long offset, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"/api/v1/transfers/files/{number}"), offset, cancellationToken);
        var isMeant = offset == 0 ? answer.StatusCode == HttpStatusCode.OK : answer.StatusCode == HttpStatusCode.PartialContent && answer.Content.Headers.ContentRange?.From == offset;
        if (isMeant) return await answer.Content.ReadAsStreamAsync(cancellationToken);
        answer.Dispose();
        throw new HttpRequestException($"The other node answers {(int)answer.StatusCode}.");
    }

    public void Dispose() => _http.Dispose();

    private void Authorize(string token) => _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, long offset, CancellationToken cancellationToken) => Within(async token =>
    {
        using var request = new HttpRequestMessage(method, path);
        if (offset > 0) request.Headers.Range = new RangeHeaderValue(offset, null);
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
    }, cancellationToken);

    /// <summary>Reads an answer, of which the length is whatever the other side sends.</summary>
    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpResponseMessage answer, int most, CancellationToken cancellationToken)
    {
        await using var content = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var bytes = new ArrayBufferWriter<byte>();
        while (await content.ReadAsync(bytes.GetMemory(ReadBytes), cancellationToken) is > 0 and var read)
        {
            if (read > most - bytes.WrittenCount) throw new TransferException(TransferFault.Different, "the other node answers with more than there can be");
            bytes.Advance(read);
        }
        return bytes.WrittenMemory;
    }

    private static async Task<T> Within<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerLimit);
        try
        {
            return await work(limit.Token);
        }
        catch (Exception lost) when (lost is OperationCanceledException or JsonException or IOException && !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException("The other node does not answer.", lost);
        }
    }

    private static TransferException Refused(HttpResponseMessage answer) => new(answer.StatusCode == HttpStatusCode.InsufficientStorage ? TransferFault.Disk
        : answer.StatusCode == HttpStatusCode.UnprocessableEntity ? TransferFault.Damaged : TransferFault.SourceAway,
        $"the node that has the user answers {(int)answer.StatusCode}");

    private sealed record Ticket(string Token);
}
