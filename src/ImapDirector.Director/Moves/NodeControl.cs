using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImapDirector.Director.Backends;
using ImapDirector.Network.Tls;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;

namespace ImapDirector.Director.Moves;

/// <summary>Gives bundled nodes orders, over their HTTP. Each order has an assertion of its own, which says the user and the epoch.</summary>
internal sealed class NodeControl : IDisposable
{
    private const int MaxAnswerBytes = 1024 * 1024;
    private const int MaxHeaderKilobytes = 16;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(25);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    private readonly AssertionIssuer? _assertions;
    private readonly HttpClient _http;

    public NodeControl(AssertionIssuer? assertions)
    {
        _assertions = assertions;
        // No proxy, no redirect: an assertion goes to the node it is for.
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(3),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            MaxResponseHeadersLength = MaxHeaderKilobytes,
            ActivityHeadersPropagator = null,
            SslOptions = OutgoingTls.For(host: null, caFile: null),
        })
        { Timeout = AnswerLimit, MaxResponseContentBufferSize = MaxAnswerBytes };
    }

    /// <summary>Why a node cannot be given orders, as a clause; <c>null</c> when it can.</summary>
    public string? FindObstacle(BackendNode node)
    {
        if (_assertions is null) return "this director has no AssertionKeyFile, and a node carries out only what is signed";
        return node.Http is null ? $"node {node.Name} has no Http set, where its orders go" : null;
    }

    /// <summary>Gives an order.</summary>
    /// <returns><c>null</c> when the node does not answer, or does not take it.</returns>
    public Task<NodeReply?> OrderAsync(BackendNode node, string verb, Move move, long epoch, CancellationToken cancellationToken) =>
        SendAsync<NodeReply>(node, HttpMethod.Post, "/api/v1/users/" + verb, $"{verb}.{move.Id}", move.User, epoch, null, cancellationToken);

    /// <summary>Has a node fetch a user's store from another: from nowhere else, and nothing but what that one has offered.</summary>
    public Task<NodeReply?> ReceiveAsync(BackendNode node, BackendNode source, string manifest, Move move, long epoch, CancellationToken cancellationToken)
    {
        // It is the other node's word, and goes into a field.
        if (!ReceiveOrder.IsDigest(manifest) || FindObstacle(node) is not null || FindObstacle(source) is not null) return Task.FromResult<NodeReply?>(null);
        var order = new ReceiveOrder(source.Http!.GetLeftPart(UriPartial.Authority), manifest,
            _assertions!.Issue(source, move.User, epoch, "transfer." + move.Id, null, AssertionScope.Transfer));
        return SendAsync<NodeReply>(node, HttpMethod.Post, "/api/v1/users/receive", order.SessionId, move.User, epoch, order, cancellationToken);
    }

    /// <summary>How far a node is with a user's store.</summary>
    public async Task<NodeProgress?> AskProgressAsync(BackendNode node, Move move, long epoch, CancellationToken cancellationToken)
    {
        var progress = await SendAsync<NodeProgress>(node, HttpMethod.Post, "/api/v1/users/status", "status." + move.Id, move.User, epoch, null, cancellationToken);
        return progress?.Reason is { } reason ? progress with { Reason = Move.Shown(reason) } : progress;
    }

    /// <summary>The users that a node holds, a page of them.</summary>
    /// <param name="node">The node.</param>
    /// <param name="after">The last of the page before, or <c>null</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Nobody after the last page; <c>null</c> when the node does not answer.</returns>
    public Task<List<NodeUser>?> ListAsync(BackendNode node, string? after, CancellationToken cancellationToken) =>
        SendAsync<List<NodeUser>>(node, HttpMethod.Get, "/api/v1/users" + (after is null ? "" : "?after=" + Uri.EscapeDataString(after)), "list.0", null, 0, null, cancellationToken);

    public void Dispose() => _http.Dispose();

    private async Task<T?> SendAsync<T>(BackendNode node, HttpMethod method, string path, string sessionId, UserName? user, long epoch, ReceiveOrder? receive,
        CancellationToken cancellationToken) where T : class
    {
        if (FindObstacle(node) is not null) return null;
        using var request = new HttpRequestMessage(method, new Uri(node.Http!, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _assertions!.Issue(node, user, epoch, sessionId, null, AssertionScope.Control));
        if (receive is { } order)
        {
            request.Headers.Add("Transfer-Source", order.Source);
            request.Headers.Add("Transfer-Manifest", order.Manifest);
            request.Headers.Add("Transfer-Assertion", order.Assertion);
        }
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            return response.StatusCode == HttpStatusCode.OK ? await response.Content.ReadFromJsonAsync<T>(Json, cancellationToken) : null;
        }
        // InvalidOperationException is an answer in a character set that there is not.
        catch (Exception lost) when (lost is HttpRequestException or JsonException or IOException or InvalidOperationException || (lost is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }
}

/// <summary>What a node says to an order.</summary>
internal sealed record NodeReply(NodeAnswer Answer, string? Fingerprint, string? Manifest, long? Messages, long? Bytes);

/// <summary>How far a node is with a user's store.</summary>
internal sealed record NodeProgress(NodeStage Stage, long Epoch, string? Fingerprint, long Messages, long BytesDone, long BytesTotal, string? Fault, string? Reason);

/// <summary>A user that a node holds.</summary>
internal sealed record NodeUser(string User, long Epoch, NodeUserState State, long Messages, long Bytes, DateTimeOffset? Changed);

/// <summary>As the node's own answers are called.</summary>
internal enum NodeAnswer { Done, NotHeld, Stale, InUse, Busy, Disk, Damaged }

/// <summary>As the node's own stages are called.</summary>
internal enum NodeStage { None, Copying, Received, Failed, Active }

/// <summary>As the node's own states are called.</summary>
internal enum NodeUserState { Active, Released, Received, Unreadable }
