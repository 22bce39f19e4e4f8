using System.Collections.Concurrent;
using System.Net.Sockets;
using ImapDirector.Director.Backends;
using ImapDirector.Network;
using ImapDirector.Network.Lmtp;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Delivery;

/// <summary>Takes one message to one node, with a bound on how many go there at one time, so that a slow node holds up nobody else's mail.</summary>
internal sealed partial class NodeDelivery(DirectorOptions options, AssertionIssuer? assertions, NodeHealth health, ILogger logger)
{
    /// <summary>Messages on their way to one node at one time.</summary>
    public const int MaxPerNode = 16;

    private static readonly TimeSpan WaitForTurn = TimeSpan.FromSeconds(30);
    private static readonly LmtpReply Busy = new(451, "4.3.2", "The user's node has too many deliveries waiting, try again later");
    private static readonly LmtpReply Unreachable = new(451, "4.4.1", "The user's node does not answer, try again later");
    private static readonly LmtpReply Lost = new(451, "4.4.2", "The connection to the user's node was lost, try again later");

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new();
    private volatile DirectorOptions _options = options;

    /// <summary>Other limits from here on.</summary>
    public void Reload(DirectorOptions options) => _options = options;

    /// <summary>Delivers to some users of a node.</summary>
    /// <returns>A reply for each of <paramref name="users"/>, in that order; whatever happens at the node is a 4xx or its own reply.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<LmtpReply[]> DeliverAsync(BackendNode node, IReadOnlyList<AssignedUser> users, LmtpTransaction transaction,
        MessageSpool message, CancellationToken cancellationToken)
    {
        var replies = new LmtpReply[users.Count];
        Array.Fill(replies, Unreachable);
        // What is known to be away is not waited for: the sender has others to wait for as well.
        if (!health.IsWell(node)) return replies;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.DeliveryTimeout);
        var turns = _turns.GetOrAdd(node.Name, _ => new SemaphoreSlim(MaxPerNode));
        if (!await turns.WaitAsync(WaitForTurn, cancellationToken))
        {
            Array.Fill(replies, Busy);
            return replies;
        }
        try
        {
            using var socket = await ConnectAsync(node, limit.Token);
            await using var conversation = new NodeConversation(new NetworkStream(socket));
            await GreetAsync(conversation, limit.Token);
            Array.Fill(replies, Lost);
            await conversation.RunAsync([.. users.Select(static user => user.Name)], AssertionsFor(node, users, transaction.ConnectionId), transaction, message, replies, limit.Token);
        }
        catch (Exception exception) when (exception is IOException or SocketException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Log.Failed(logger, transaction.ConnectionId, node.Name, exception.Message);
        }
        finally
        {
            turns.Release();
        }
        Log.Delivered(logger, transaction.ConnectionId, node.Name, replies.Count(reply => reply.IsSuccess), users.Count, message.Length);
        return replies;
    }

    private Func<int, string>? AssertionsFor(BackendNode node, IReadOnlyList<AssignedUser> users, string connectionId) => assertions is null || !node.IsBundled
        ? null
        : i => assertions.Issue(node, users[i].Name, users[i].Epoch, connectionId, null, AssertionScope.Lmtp);

    private async Task<Socket> ConnectAsync(BackendNode node, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.BackendConnectTimeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(node.Host, node.LmtpPort, limit.Token);
            return socket;
        }
        catch (Exception failed)
        {
            socket.Dispose();
            // A machine that is gone is gone for IMAP as well. A port where nobody listens says something of LMTP alone.
            var isGone = failed is OperationCanceledException ? !cancellationToken.IsCancellationRequested
                : BackendConnector.FailureOf(failed) is BackendFailure.ConnectTimeout or BackendFailure.Unreachable;
            if (isGone) health.Note(node, BackendFailure.ConnectTimeout);
            throw;
        }
    }

    /// <summary>A node that does not even greet is given no more time than one that cannot be connected to: the sender waits for others as well.</summary>
    private async Task GreetAsync(NodeConversation conversation, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.BackendConnectTimeout);
        await conversation.GreetAsync(limit.Token);
    }

    private static partial class Log
    {
        [LoggerMessage(3211, LogLevel.Warning, "{ConnectionId} delivery to node {Node} failed: {Reason}")]
        public static partial void Failed(ILogger logger, string connectionId, string node, string reason);

        [LoggerMessage(3212, LogLevel.Information, "{ConnectionId} delivered to node {Node}: {Accepted} of {Recipients} recipients, {Bytes} bytes")]
        public static partial void Delivered(ILogger logger, string connectionId, string node, int accepted, int recipients, long bytes);
    }
}

/// <summary>A user on the way to their node.</summary>
/// <param name="Name">Who.</param>
/// <param name="Epoch">The epoch of the assignment.</param>
internal readonly record struct AssignedUser(UserName Name, long Epoch);
