using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Storage;
using ImapDirector.Storage.Transfer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Operations.Control;

/// <summary><c>/api/v1/…</c> of a node: what directors order, and what other nodes fetch. Each order is one assertion, which says the user and the epoch
/// itself: nothing of a path, a query or a body names whom it is about.</summary>
internal sealed partial class NodeControl(StorageNode node, ILogger<NodeControl> logger)
{
    // Headers, not a body: nothing on this listener ever has one.
    private const string SourceHeader = "Transfer-Source";
    private const string ManifestHeader = "Transfer-Manifest";
    private const string SourceAssertionHeader = "Transfer-Assertion";
    private const string Bearer = "Bearer ";
    private const int MaxSourceLength = 512;

    private static readonly TimeSpan OrderLimit = TimeSpan.FromSeconds(20);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/api/v1/users", ListAsync);
        Order(endpoints, "release", static (transfers, order, token) => transfers.ReleaseAsync(order.User, order.Epoch, token));
        Order(endpoints, "activate", static (transfers, order, token) => transfers.ActivateAsync(order.User, order.Epoch, token));
        Order(endpoints, "set-aside", static (transfers, order, token) => transfers.SetAsideAsync(order.User, order.Epoch, token));
        Order(endpoints, "discard", static (transfers, order, token) => transfers.DiscardAsync(order.User, order.Epoch, token));
        endpoints.MapPost("/api/v1/users/offer", context => ServeAsync(context, "offer", OfferAsync));
        endpoints.MapPost("/api/v1/users/receive", context => ServeAsync(context, "receive", ReceiveAsync));
        endpoints.MapPost("/api/v1/users/status", context => ServeAsync(context, "status", static (transfers, order, context) => WriteAsync(context, transfers.StatusOf(order.User))));
        endpoints.MapPost("/api/v1/transfers", OpenAsync);
        endpoints.MapGet("/api/v1/transfers/manifest", SendManifestAsync);
        endpoints.MapGet("/api/v1/transfers/files/{number:int}", SendFileAsync);
    }

    private void Order(IEndpointRouteBuilder endpoints, string verb, Func<UserTransfers, Order, CancellationToken, Task<TransferAnswer>> carryOut) =>
        endpoints.MapPost("/api/v1/users/" + verb, context => ServeAsync(context, verb, async (transfers, order, _) =>
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            limit.CancelAfter(OrderLimit);
            var answer = TransferAnswer.Busy;
            try
            {
                answer = await carryOut(transfers, order, limit.Token);
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                // Whoever ordered it asks again.
            }
            Log.Ordered(logger, context.Connection.Id, verb, order.User, order.Epoch, order.Director, answer);
            await WriteAsync(context, new Reply(answer));
        }));

    /// <summary>An order with its own assertion: one for this verb, about a user.</summary>
    private Task ServeAsync(HttpContext context, string verb, Func<UserTransfers, Order, HttpContext, Task> serve) => GuardAsync(context, async () =>
    {
        if (Check(context, AssertionScope.Control) is not { Subject: { } user } assertion || !assertion.SessionId.StartsWith(verb + ".", StringComparison.Ordinal))
        {
            Refuse(context);
            return;
        }
        await serve(node.Transfers, new Order(user, assertion.Epoch, assertion.Issuer, assertion.SessionId), context);
    });

    private Task ListAsync(HttpContext context) => GuardAsync(context, () =>
    {
        if (Check(context, AssertionScope.Control) is not { Subject: null })
        {
            Refuse(context);
            return Task.CompletedTask;
        }
        UserName? after = null;
        if (context.Request.Query.TryGetValue("after", out var text))
        {
            if (!UserName.TryCreate(text.ToString(), null, out var user))
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                return Task.CompletedTask;
            }
            after = user;
        }
        return WriteAsync(context, node.Transfers.ListHeld(after, UserTransfers.MaxListed).Select(static held => new Held(held.User.Value, held.Epoch, held.State, held.Messages, held.Bytes, held.Changed)));
    });

    private static Task OfferAsync(UserTransfers transfers, Order order, HttpContext context)
    {
        var (answer, store) = transfers.Offer(order.User, order.Epoch);
        return WriteAsync(context, new Reply(answer) { Fingerprint = store?.Fingerprint, Manifest = store?.Manifest, Messages = store?.Messages, Bytes = store?.Bytes });
    }

    private Task ReceiveAsync(UserTransfers transfers, Order order, HttpContext context)
    {
        var (source, manifest, assertion) = (context.Request.Headers[SourceHeader].ToString(), context.Request.Headers[ManifestHeader].ToString(), context.Request.Headers[SourceAssertionHeader].ToString());
        // Whoever is between the director and this node could put other fields in their place.
        if (new ReceiveOrder(source, manifest, assertion).SessionId != order.SessionId)
        {
            Refuse(context);
            return Task.CompletedTask;
        }
        if (source.Length > MaxSourceLength || !Uri.TryCreate(source, UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps)
            || uri.PathAndQuery != "/" || uri.UserInfo.Length > 0 || !ReceiveOrder.IsDigest(manifest) || assertion.Length is 0 or > AssertionVerifier.MaxTokenBytes)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return Task.CompletedTask;
        }
        var answer = transfers.Receive(order.User, order.Epoch, uri, manifest, assertion);
        Log.Ordered(logger, context.Connection.Id, "receive", order.User, order.Epoch, order.Director, answer);
        return WriteAsync(context, new Reply(answer));
    }

    private Task OpenAsync(HttpContext context) => GuardAsync(context, () =>
    {
        if (Check(context, AssertionScope.Transfer) is not { Subject: { } user } assertion)
        {
            Refuse(context);
            return Task.CompletedTask;
        }
        var (answer, ticket) = node.Transfers.OpenOutgoing(user, assertion.Epoch);
        Log.Ordered(logger, context.Connection.Id, "hand over", user, assertion.Epoch, assertion.Issuer, answer);
        if (ticket is not null) return WriteAsync(context, new Ticket(ticket));
        context.Response.StatusCode = StatusOf(answer);
        return Task.CompletedTask;
    });

    private Task SendManifestAsync(HttpContext context) => GuardAsync(context, () =>
    {
        var (answer, manifest) = node.Transfers.FindManifest(TokenOf(context));
        if (manifest is null)
        {
            context.Response.StatusCode = answer == TransferAnswer.Busy ? StatusCodes.Status202Accepted : StatusOf(answer);
            return Task.CompletedTask;
        }
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = manifest.Length;
        return context.Response.Body.WriteAsync(manifest, context.RequestAborted).AsTask();
    });

    private Task SendFileAsync(HttpContext context) => GuardAsync(context, async () =>
    {
        var offset = 0L;
        var hasRange = context.Request.Headers.TryGetValue("Range", out var range);
        // From somewhere to the end, and nothing else that a range can be.
        if (hasRange && !(range.ToString() is ['b', 'y', 't', 'e', 's', '=', .. var digits, '-'] && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out offset)))
        {
            context.Response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
            return;
        }
        var number = int.Parse((string)context.Request.RouteValues["number"]!, CultureInfo.InvariantCulture);
        if (node.Transfers.OpenFile(TokenOf(context), number, offset) is not { } file)
        {
            Refuse(context);
            return;
        }
        await using var content = file.Content;
        if (hasRange)
        {
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {offset}-{Math.Max(offset, file.Size - 1)}/{file.Size}");
        }
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = file.Size - offset;
        await content.CopyToAsync(context.Response.Body, context.RequestAborted);
    });

    private async Task GuardAsync(HttpContext context, Func<Task> serve)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true && context.Request.ContentLength is not 0)
        {
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return;
        }
        try
        {
            await serve();
        }
        catch (Exception notNow) when (notNow is InvalidOperationException && !context.Response.HasStarted)
        {
            // The node has not started yet, or is stopping.
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
        catch (IOException refused) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            Log.DiskFailed(logger, context.Connection.Id, refused);
            context.Response.StatusCode = StatusCodes.Status507InsufficientStorage;
        }
    }

    private Assertion? Check(HttpContext context, AssertionScope scope) => TokenOf(context) is { Length: > 0 } token
        ? node.CheckAssertion(Encoding.ASCII.GetBytes(token), scope, user: null, context.Connection.Id) : null;

    private static string TokenOf(HttpContext context) =>
        context.Request.Headers.Authorization.ToString() is var text && text.StartsWith(Bearer, StringComparison.Ordinal) ? text[Bearer.Length..] : "";

    private static void Refuse(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Bearer";
    }

    private static int StatusOf(TransferAnswer answer) => answer switch
    {
        TransferAnswer.NotHeld => StatusCodes.Status404NotFound,
        TransferAnswer.Busy => StatusCodes.Status503ServiceUnavailable,
        TransferAnswer.Disk => StatusCodes.Status507InsufficientStorage,
        TransferAnswer.Damaged => StatusCodes.Status422UnprocessableEntity,
        _ => StatusCodes.Status409Conflict,
    };

    private static Task WriteAsync<T>(HttpContext context, T value) => context.Response.WriteAsJsonAsync(value, Json, context.RequestAborted);

    private sealed record Reply(TransferAnswer Answer)
    {
        public string? Fingerprint { get; init; }

        public string? Manifest { get; init; }

        public long? Messages { get; init; }

        public long? Bytes { get; init; }
    }

    private sealed record Held(string User, long Epoch, StoreState State, long Messages, long Bytes, DateTimeOffset? Changed);

    private sealed record Ticket(string Token);

    private static partial class Log
    {
        [LoggerMessage(4201, LogLevel.Information, "{ConnectionId} {Verb} {User} at epoch {Epoch}, ordered by {Director}: {Answer}")]
        public static partial void Ordered(ILogger logger, string connectionId, string verb, UserName user, long epoch, string director, TransferAnswer answer);

        [LoggerMessage(4202, LogLevel.Error, "{ConnectionId} a store cannot be read")]
        public static partial void DiskFailed(ILogger logger, string connectionId, Exception failure);
    }
}

/// <summary>An order that a director has signed.</summary>
internal readonly record struct Order(UserName User, long Epoch, string Director, string SessionId);
