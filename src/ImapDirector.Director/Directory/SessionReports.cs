using System.Globalization;
using ImapDirector.Director.Relay;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>Tells in Redis every few seconds what this director's sessions have moved since, for whoever lists them; and, where there is a limit for them, how many there are
/// at each node and from each address, and reads what the other directors tell. A session that is silent costs a comparison.</summary>
internal sealed class SessionReports(RedisConnection redis, LiveSessions sessions, Func<DirectorOptions> options, Func<Incarnation?> incarnation) : IAsyncDisposable
{
    private const int MostAtOnce = 500;
    private const string Replace = "1";
    private const string NodePrefix = "node ";
    private const string AddressPrefix = "address ";
    // An address that has less than this share of its limit here is not told of.
    private const int SmallestShare = 64;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    // Never disposed: it has no timer, and a second DisposeAsync asks it.
    private readonly CancellationTokenSource _stopping = new();
    // Whoever may have something in Redis: what was not answered in time may have been done.
    private readonly List<LiveSession> _told = [];
    private long _toldAs;
    private volatile SessionCounts _elsewhere = SessionCounts.None;
    private Task _loop = Task.CompletedTask;

    /// <summary>The sessions of the other directors, as they told last.</summary>
    public SessionCounts Elsewhere => _elsewhere;

    public void Start() => _loop = RunAsync();

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync();
        await _loop;
    }

    /// <summary>Tells and reads once.</summary>
    public async Task ExchangeAsync(CancellationToken cancellationToken)
    {
        if (incarnation() is not { } mine) return;
        await TellTrafficAsync(mine.Epoch, cancellationToken);
        var limits = options();
        if (limits is { MaxSessionsPerNode: 0, MaxSessionsPerAddress: 0 })
        {
            _elsewhere = SessionCounts.None;
            return;
        }
        await TellCountsAsync(mine.Epoch, limits, cancellationToken);
        if (await ReadCountsAsync(mine, cancellationToken) is { } counts) _elsewhere = counts;
    }

    private async Task RunAsync()
    {
        var stopping = _stopping.Token;
        try
        {
            while (true)
            {
                await ExchangeAsync(stopping);
                await Task.Delay(Period, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    private async Task TellTrafficAsync(long epoch, CancellationToken cancellationToken)
    {
        if (_toldAs != epoch) ForgetWhatWasTold();
        _toldAs = epoch;
        var changes = new List<(LiveSession Session, SessionTraffic? Traffic)>();
        foreach (var session in sessions.All)
        {
            var traffic = session.Traffic;
            if (session.Told != traffic) changes.Add((session, traffic));
        }
        foreach (var session in _told)
            if (session.HasEnded) changes.Add((session, null));
        // Also without a change: it is kept for as long as it is told.
        foreach (var some in changes.Count == 0 ? [[]] : changes.Chunk(MostAtOnce))
        {
            foreach (var (session, traffic) in some) NoteTelling(session, traffic);
            var fields = Array.ConvertAll(some, static change => KeyValuePair.Create(change.Session.Id, change.Traffic is { } traffic ? traffic.Format() : ""));
            if (!await WriteAsync(RedisKeys.Traffic(epoch), "", fields, cancellationToken)) break;
            foreach (var (session, traffic) in some) session.Told = traffic;
        }
        if (changes.Count > 0) _told.RemoveAll(static session => session.Told is null);
    }

    private void NoteTelling(LiveSession session, SessionTraffic? traffic)
    {
        if (traffic is null || session.Told is not null) return;
        session.Told = SessionTraffic.Unsure;
        _told.Add(session);
    }

    private void ForgetWhatWasTold()
    {
        foreach (var session in _told) session.Told = null;
        _told.Clear();
    }

    private async Task TellCountsAsync(long epoch, DirectorOptions limits, CancellationToken cancellationToken)
    {
        var (nodes, addresses) = sessions.Counts();
        await WriteAsync(RedisKeys.Counts(epoch), Replace,
        [
            .. nodes.Select(static node => KeyValuePair.Create(NodePrefix + node.Key, node.Value.ToString(CultureInfo.InvariantCulture))),
            .. addresses.Where(address => address.Value * (long)SmallestShare >= limits.MaxSessionsPerAddress && limits.MaxSessionsPerAddress > 0)
                .Select(static address => KeyValuePair.Create(AddressPrefix + address.Key, address.Value.ToString(CultureInfo.InvariantCulture))),
        ], cancellationToken);
    }

    private async Task<SessionCounts?> ReadCountsAsync(Incarnation mine, CancellationToken cancellationToken)
    {
        var (nodes, addresses) = (new Dictionary<string, int>(), new Dictionary<string, int>());
        foreach (var epoch in mine.Others)
        {
            var reply = await redis.CallAsync("report", database => database.HashGetAllAsync(RedisKeys.Counts(epoch)), cancellationToken);
            if (!reply.Succeeded) return null;
            foreach (var entry in reply.Value)
            {
                var name = entry.Name.ToString();
                if (!entry.Value.TryParse(out int count) || count < 0) continue;
                if (name.StartsWith(NodePrefix, StringComparison.Ordinal)) Add(nodes, name[NodePrefix.Length..], count);
                else if (name.StartsWith(AddressPrefix, StringComparison.Ordinal)) Add(addresses, name[AddressPrefix.Length..], count);
            }
        }
        return new SessionCounts(nodes, addresses);
    }

    private async Task<bool> WriteAsync(RedisKey key, string replace, KeyValuePair<string, string>[] fields, CancellationToken cancellationToken) =>
        (await redis.CallAsync("report", database => database.ScriptEvaluateAsync(RedisScripts.Report, [key],
            [(long)Kept.TotalMilliseconds, replace, .. fields.SelectMany(static field => new RedisValue[] { field.Key, field.Value })]), cancellationToken)).Succeeded;

    private static void Add(Dictionary<string, int> counts, string key, int count) => counts[key] = counts.GetValueOrDefault(key) + count;
}

/// <summary>How many sessions there are.</summary>
/// <param name="Nodes">At each node.</param>
/// <param name="Addresses">From each address, or IPv6 /64.</param>
internal sealed record SessionCounts(IReadOnlyDictionary<string, int> Nodes, IReadOnlyDictionary<string, int> Addresses)
{
    public static readonly SessionCounts None = new(new Dictionary<string, int>(), new Dictionary<string, int>());
}

/// <summary>What a session has moved, in Redis a field of its director's traffic: <c>to-node to-client node</c>.</summary>
/// <param name="ToNode">Bytes passed to the node.</param>
/// <param name="ToClient">Bytes passed to the client.</param>
/// <param name="Node">The node.</param>
internal readonly record struct SessionTraffic(long ToNode, long ToClient, string Node)
{
    /// <summary>What no session has moved: stands for what Redis may or may not have been told.</summary>
    public static readonly SessionTraffic Unsure = new(-1, -1, "");

    public string Format() => string.Create(CultureInfo.InvariantCulture, $"{ToNode} {ToClient} {Node}");

    public static bool TryParse(string text, out SessionTraffic traffic)
    {
        traffic = default;
        var parts = text.Split(' ');
        if (parts.Length != 3 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var toNode)
            || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var toClient)) return false;
        traffic = new SessionTraffic(toNode, toClient, parts[2]);
        return true;
    }
}
