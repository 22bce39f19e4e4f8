using System.Net;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using ImapDirector.Network;
using ImapDirector.Network.Lmtp;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Delivery;

/// <summary>Passes a message on to each recipient's node. It never queues: what a node cannot take now is answered 4xx.</summary>
internal sealed partial class DeliveryHandler : ILmtpHandler
{
    private static readonly LmtpReply RecipientOk = new(250, "2.1.5", "Recipient ok");
    private static readonly LmtpReply NoSuchUser = new(550, "5.1.1", "No such user here");
    private static readonly LmtpReply DirectoryAway = new(451, "4.4.3", "The directory is not available, try again later");
    private static readonly LmtpReply Moving = new(451, "4.3.2", "The user is being moved, try again later");
    private static readonly LmtpReply NoNode = new(451, "4.3.5", "The user has no node here, try again later");

    private readonly DirectorOptions _options;
    private readonly DatabaseChain _accounts;
    private readonly UserDirectory _directory;
    private readonly DirectorMetrics _metrics;
    private readonly ILogger _logger;
    private readonly NodeDelivery _nodes;

    /// <summary>Composes it.</summary>
    public DeliveryHandler(DirectorOptions options, DatabaseChain accounts, UserDirectory directory, AssertionIssuer? assertions, NodeHealth health, DirectorMetrics metrics, ILogger<DeliveryHandler> logger)
    {
        (_options, _accounts, _directory, _metrics, _logger) = (options, accounts, directory, metrics, logger);
        _nodes = new NodeDelivery(options, assertions, health, logger);
    }

    /// <summary>Other limits from here on.</summary>
    public void Reload(DirectorOptions options) => _nodes.Reload(options);

    /// <inheritdoc />
    public async ValueTask<LmtpReply> AddRecipientAsync(LmtpTransaction transaction, LmtpRecipient recipient, CancellationToken cancellationToken)
    {
        var reply = await CheckAsync(recipient, cancellationToken);
        if (!reply.IsSuccess)
        {
            _metrics.Deliveries.WithLabels(reply.Code < 500 ? "deferred" : "refused").Inc();
            Log.RecipientRefused(_logger, transaction.ConnectionId, reply.Code, reply.Enhanced);
        }
        return reply;
    }

    /// <inheritdoc />
    public async ValueTask<IReadOnlyList<LmtpReply>> DeliverAsync(LmtpTransaction transaction, MessageSpool message, CancellationToken cancellationToken)
    {
        // Two spellings of one user (a subaddress, say) are one delivery, answered twice.
        var users = transaction.Recipients.ConvertAll(recipient => UserName.TryCreate(recipient.Address, _options.DefaultDomain, out var user) ? user : default);
        var distinct = users.Where(user => user != default).Distinct().ToArray();
        var replies = new Dictionary<UserName, LmtpReply> { [default] = NoSuchUser };
        var last = new Dictionary<UserName, SessionTicket>();
        var waiting = distinct;
        // Asked again after RCPT: the user may have moved while the message was on its way. And once more, if the node says that it cannot be now.
        for (var attempt = 0; attempt < 2 && waiting.Length > 0; attempt++) waiting = await DeliverAsync(waiting, last, replies, transaction, message, cancellationToken);

        return users.ConvertAll(user =>
        {
            var reply = replies[user];
            _metrics.Deliveries.WithLabels(reply.IsSuccess ? "delivered" : reply.Code < 500 ? "deferred" : "refused").Inc();
            return reply;
        });
    }

    /// <summary>Delivers to those whose assignment is another one than it was.</summary>
    /// <returns>Those whose node has not stored the message, and says so, as it does when they live elsewhere by now.</returns>
    private async Task<UserName[]> DeliverAsync(UserName[] users, Dictionary<UserName, SessionTicket> last, Dictionary<UserName, LmtpReply> replies,
        LmtpTransaction transaction, MessageSpool message, CancellationToken cancellationToken)
    {
        var tickets = await Task.WhenAll(users.Select(user => _directory.AssignAsync(user, cancellationToken)));
        var groups = new Dictionary<BackendNode, List<AssignedUser>>();
        foreach (var (user, ticket) in users.Zip(tickets))
        {
            if (last.TryGetValue(user, out var before) && (ticket.Node is null || before == ticket)) continue;
            last[user] = ticket;
            if (ticket.Node is null) replies[user] = Refusal(ticket.Outcome);
            else if (groups.TryGetValue(ticket.Node, out var group)) group.Add(new AssignedUser(user, ticket.Epoch));
            else groups[ticket.Node] = [new AssignedUser(user, ticket.Epoch)];
        }
        var delivered = await Task.WhenAll(groups.Select(group => _nodes.DeliverAsync(group.Key, group.Value, transaction, message, cancellationToken)));
        var refused = new List<UserName>();
        foreach (var (group, answers) in groups.Zip(delivered))
        {
            foreach (var (user, answer) in group.Value.Zip(answers))
            {
                replies[user.Name] = answer;
                if (group.Key.IsBundled && answer is { Code: 451, Enhanced: "4.3.0" }) refused.Add(user.Name);
            }
        }
        return [.. refused];
    }

    private async Task<LmtpReply> CheckAsync(LmtpRecipient recipient, CancellationToken cancellationToken)
    {
        if (!UserName.TryCreate(recipient.Address, _options.DefaultDomain, out var user)) return NoSuchUser;
        // A disabled account refuses logins; its mail still comes in.
        // A database that would need the password to say whether there is such a user leaves it to the node.
        var (account, _) = await _accounts.FindAsync(user, IPAddress.None, cancellationToken);
        if (account.Kind == DatabaseAnswerKind.Failure) return DirectoryAway;
        if (account.Kind == DatabaseAnswerKind.NoSuchUser) return NoSuchUser;
        var ticket = await _directory.AssignAsync(user, cancellationToken);
        return ticket.Outcome == DirectoryOutcome.Assigned ? RecipientOk : Refusal(ticket.Outcome);
    }

    private static LmtpReply Refusal(DirectoryOutcome outcome) => outcome switch
    {
        DirectoryOutcome.NoNode or DirectoryOutcome.NodeDown => NoNode,
        DirectoryOutcome.Moving => Moving,
        _ => DirectoryAway,
    };

    private static partial class Log
    {
        [LoggerMessage(3201, LogLevel.Information, "{ConnectionId} recipient refused: {Code} {Enhanced}")]
        public static partial void RecipientRefused(ILogger logger, string connectionId, int code, string enhanced);
    }
}
