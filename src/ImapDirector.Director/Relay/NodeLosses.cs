using System.Collections.Concurrent;

namespace ImapDirector.Director.Relay;

/// <summary>Notices when a node loses many of its sessions at once, and has the rest of their clients let go one after the other: they all come again at once, and would run
/// over what is left.</summary>
/// <param name="spread">The time over which they are let go; zero for all at once.</param>
/// <param name="clock">When sessions end.</param>
internal sealed class NodeLosses(TimeSpan spread, TimeProvider clock)
{
    // Nodes close a session after LOGOUT: so many, or so small a share of all, are nothing unusual within a second.
    private const int Few = 20;
    private const int Share = 5;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Node> _nodes = new();

    /// <summary>A session has begun at a node.</summary>
    public void Opened(string node)
    {
        var counted = _nodes.GetOrAdd(node, static _ => new Node());
        lock (counted) counted.Open++;
    }

    /// <summary>A session at a node is over, however it has ended.</summary>
    public void Closed(string node)
    {
        if (!_nodes.TryGetValue(node, out var counted)) return;
        lock (counted) counted.Open--;
    }

    /// <summary>A node has ended a session from its side.</summary>
    /// <returns>How long its client is to be kept.</returns>
    public TimeSpan Lost(string node)
    {
        if (spread == TimeSpan.Zero || !_nodes.TryGetValue(node, out var counted)) return TimeSpan.Zero;
        lock (counted)
        {
            if (counted.Lost == 0 || clock.GetElapsedTime(counted.Since) > Window) (counted.Since, counted.AtStart, counted.Lost) = (clock.GetTimestamp(), counted.Open, 0);
            counted.Lost++;
            return counted.Lost > Few && counted.Lost * Share > counted.AtStart ? spread * Random.Shared.NextDouble() : TimeSpan.Zero;
        }
    }

    private sealed class Node
    {
        public int Open;
        public int Lost;
        public int AtStart;
        public long Since;
    }
}
