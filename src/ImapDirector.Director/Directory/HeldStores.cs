using ImapDirector.Director.Moves;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Directory;

/// <summary>Whose stores the nodes hold, as they tell it. Nodes can be asked at the same time.</summary>
internal sealed class HeldStores(NodeControl control)
{
    /// <summary>As many users as an import of the map may have: what a node that invents names can make us keep.</summary>
    private const int MaxStores = 10_000_000;

    private const int Tries = 3;
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<UserName, HeldStore> _first = [];
    // Of the few who are found more than once.
    private readonly Dictionary<UserName, List<HeldStore>> _more = [];
    private int _count;

    /// <summary>How many stores there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The users, in the order of their names. Nobody is asked any more by then.</summary>
    public UserName[] Users => [.. _first.Keys.OrderBy(static user => user.Value, StringComparer.Ordinal)];

    /// <summary>The stores of one of these users, by the nodes' names.</summary>
    public IReadOnlyList<HeldStore> Of(UserName user) =>
        _more.TryGetValue(user, out var more) ? [.. more.Prepend(_first[user]).OrderBy(static store => store.Node, StringComparer.Ordinal)] : [_first[user]];

    /// <summary>Asks a node for all of them.</summary>
    /// <returns>Why they are not all that it holds, as a clause; <c>null</c> when they are.</returns>
    public async Task<string?> AskAsync(BackendNode node, CancellationToken cancellationToken)
    {
        for (string? after = null; ;)
        {
            if (await PageAsync(node, after, cancellationToken) is not { } page) return "does not answer, or does not take the assertions of this director";
            if (page.Count == 0) return null;
            if (Take(node.Name, page) is { } refused) return refused;
            after = page[^1].User;
        }
    }

    private async Task<List<NodeUser>?> PageAsync(BackendNode node, string? after, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await control.ListAsync(node, after, cancellationToken) is { } page) return page;
            if (attempt == Tries) return null;
            await Task.Delay(PauseAfterFailure, cancellationToken);
        }
    }

    private string? Take(string node, List<NodeUser> page)
    {
        lock (_lock)
        {
            foreach (var told in page)
            {
                if (told is null || !UserName.TryCreate(told.User, null, out var user) || user.Value != told.User || told.Epoch < 0) return "tells of users who cannot be";
                var store = new HeldStore(node, told.State.ToString().ToLowerInvariant(), told.Epoch, told.Messages, told.Bytes, told.Changed);
                if (_first.TryAdd(user, store))
                {
                    if (++_count > MaxStores) return $"tells of more users than the {MaxStores} that can be";
                    continue;
                }
                if (!_more.TryGetValue(user, out var more)) _more[user] = more = [];
                // A page that is told again would have no end.
                if (_first[user].Node == node || more.Exists(other => other.Node == node)) return "tells of a user twice";
                more.Add(store);
                _count++;
            }
        }
        return null;
    }
}

/// <summary>A user's store on a node, as the node tells it.</summary>
/// <param name="Node">The node.</param>
/// <param name="State"><c>active</c>; <c>released</c> (on its way to another node), <c>received</c> (come from another and not opened yet) or <c>unreadable</c>.</param>
/// <param name="Epoch">The highest epoch that it has seen; 0 where it never saw one.</param>
/// <param name="Messages">How many messages it has.</param>
/// <param name="Bytes">Their sizes together.</param>
/// <param name="Changed">When it was written last, by the node's clock; <c>null</c> where that cannot be told.</param>
public sealed record HeldStore(string Node, string State, long Epoch, long Messages, long Bytes, DateTimeOffset? Changed);
