using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Moves;

/// <summary>Where the nodes of a pool share their storage, users of one that is away go to another: by a move, which any director carries out, and which has nothing to copy.
/// It is ordered by whoever needs it, a login or a delivery: users of whom nobody hears stay where they are.</summary>
internal sealed partial class PoolFailover(DirectorOptions options, NodeRegistry nodes, NodeHealth health, MoveLedger moves, ILogger<PoolFailover> logger)
{
    private volatile DirectorOptions _options = options;

    /// <summary>Other pools from here on.</summary>
    public void Reload(DirectorOptions options) => _options = options;

    /// <summary>The node that a user of a node that is away goes to.</summary>
    /// <returns><c>null</c> where the node is not away, or shares its storage with no other that takes users.</returns>
    public BackendNode? FindOther(UserName user, BackendNode node) => Shares(node) && !health.IsWell(node)
        ? RendezvousHash.Pick(user, node.Pool, [.. health.WellOf(nodes.Current.Takers).Where(other => Shares(other) && other.Name != node.Name)]) : null;

    /// <summary>Orders the move where one is needed, once, and has whoever asks wait for it as for any other.</summary>
    /// <param name="user">The user.</param>
    /// <param name="ask">Asks where the user is.</param>
    /// <param name="leave">Takes back what asking has left: no session may be left for the move to wait for.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Func<Task<SessionTicket>> Before(UserName user, Func<Task<SessionTicket>> ask, Func<Task> leave, CancellationToken cancellationToken)
    {
        var isOrdered = false;
        return async () =>
        {
            var ticket = await ask();
            if (ticket is not { Outcome: DirectoryOutcome.Assigned, Node: { } node } || FindOther(user, node) is not { } other) return ticket;
            await leave();
            if (!isOrdered)
            {
                isOrdered = true;
                var (outcome, _, _) = await moves.OrderAsync(user, node.Name, other.Name, cancellationToken);
                if (outcome == MoveOutcome.Ordered) Log.Ordered(logger, user, node.Name, other.Name);
            }
            return ticket with { Outcome = DirectoryOutcome.Moving, Node = null };
        };
    }

    private bool Shares(BackendNode node) => !node.IsBundled && _options.SharedStoragePools.Contains(node.Pool);

    private static partial class Log
    {
        [LoggerMessage(3621, LogLevel.Warning, "{User} is to go from {From}, which is away, to {To}: they share their storage")]
        public static partial void Ordered(ILogger logger, UserName user, string from, string to);
    }
}
