using ImapDirector.ClusterRun.Machines;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Faults;

/// <summary>Makes the planned faults, and undoes each.</summary>
internal sealed class FaultLoop(TestCluster cluster, IReadOnlyList<PlannedFault> planned, Action<string> tell)
{
    // Two faults at one program would undo each other.
    private readonly HashSet<string> _busy = [];
    private readonly Dictionary<Fault, int> _made = [];

    /// <summary>How many there were of each kind.</summary>
    public IReadOnlyDictionary<Fault, int> Made => _made;

    /// <summary>Returns when all are undone; a stop only leaves out those that have not begun.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var begin = DateTime.UtcNow;
        var running = new List<Task>();
        foreach (var fault in planned)
        {
            var wait = begin + fault.At - DateTime.UtcNow;
            if (wait > TimeSpan.Zero) await Task.Delay(wait, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            if (stop.IsCancellationRequested) break;
            running.Add(MakeAsync(fault));
        }
        await Task.WhenAll(running);
    }

    private Task MakeAsync(PlannedFault fault) => fault.Fault switch
    {
        Fault.KillNode => KillAsync(fault, Node(fault)),
        Fault.PauseNode => PauseAsync(fault, Node(fault)),
        Fault.KillDirector => KillAsync(fault, Director(fault)),
        Fault.PauseDirector => PauseAsync(fault, Director(fault)),
        Fault.RestartDirector => AroundAsync(fault, [Director(fault)], static director => director.TerminateAsync(TimeSpan.FromSeconds(10)), static director => director.StartAsync()),
        Fault.KillRedisMaster => WithMasterAsync(fault, KillAsync),
        Fault.PauseRedisMaster => WithMasterAsync(fault, PauseAsync),
        Fault.CutDirectorFromRedis => CutAsync(fault, [Director(fault)], cluster.Redis.Servers),
        Fault.CutDirectorFromNode => CutAsync(fault, [Director(fault)], [Node(fault)]),
        Fault.CutRedisMaster => WithMasterAsync(fault, (_, master) => CutAsync(fault, [master],
            [.. cluster.Redis.Servers.Where(server => server != master), .. cluster.Directors.Where(director => director != Director(fault))])),
        Fault.CutNode => CutAsync(fault, [Node(fault)], cluster.Directors),
        _ => throw new InvalidOperationException($"No {fault.Fault} is known."),
    };

    private ClusterProgram Director(PlannedFault fault) => cluster.Directors[fault.Target % cluster.Directors.Count];

    private ClusterProgram Node(PlannedFault fault) => cluster.Nodes[fault.Target % cluster.Nodes.Count];

    private async Task WithMasterAsync(PlannedFault fault, Func<PlannedFault, ClusterProgram, Task> make)
    {
        var masters = await cluster.Redis.MastersAsync();
        if (masters.Count > 0) await make(fault, masters[fault.Target % masters.Count]);
    }

    private Task KillAsync(PlannedFault fault, ClusterProgram program) =>
        AroundAsync(fault, [program], static one => one.KillAsync(), static one => one.StartAsync());

    private Task PauseAsync(PlannedFault fault, ClusterProgram program) =>
        AroundAsync(fault, [program], static one => one.PauseAsync(), static one => one.ResumeAsync());

    private Task CutAsync(PlannedFault fault, IReadOnlyList<ClusterProgram> these, IReadOnlyList<ClusterProgram> those)
    {
        var join = static () => Task.CompletedTask;
        return AroundAsync(fault, these, async _ => join = await cluster.Network.CutAsync(these.Select(static one => one.Host), those.Select(static one => one.Host)), _ => join());
    }

    private async Task AroundAsync(PlannedFault fault, IReadOnlyList<ClusterProgram> targets, Func<ClusterProgram, Task> make, Func<ClusterProgram, Task> undo)
    {
        var target = targets[0];
        lock (_busy)
        {
            if (!_busy.Add(target.Name)) return;
            _made[fault.Fault] = _made.GetValueOrDefault(fault.Fault) + 1;
        }
        tell($"{fault.Fault} {target.Name}");
        await make(target);
        await Task.Delay(fault.Time);
        await undo(target);
        tell($"{fault.Fault} {target.Name} is over");
        lock (_busy) _busy.Remove(target.Name);
    }
}
