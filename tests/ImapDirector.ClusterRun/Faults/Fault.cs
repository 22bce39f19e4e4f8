namespace ImapDirector.ClusterRun.Faults;

/// <summary>What goes wrong for a while, or is done to the cluster.</summary>
internal enum Fault
{
    KillNode,
    PauseNode,
    KillDirector,
    PauseDirector,
    /// <summary>SIGTERM, and started again.</summary>
    RestartDirector,
    KillRedisMaster,
    PauseRedisMaster,
    // Those below need a network of our own.
    /// <summary>One director reaches no Redis.</summary>
    CutDirectorFromRedis,
    /// <summary>One director does not reach one node, which the others do.</summary>
    CutDirectorFromNode,
    /// <summary>A master and its sentinel are alone with one director.</summary>
    CutRedisMaster,
    /// <summary>A node is alone.</summary>
    CutNode,
}

/// <summary>One of them.</summary>
/// <param name="At">When, from the beginning.</param>
/// <param name="Fault">What.</param>
/// <param name="Target">A number that chooses whom.</param>
/// <param name="Time">For how long.</param>
internal sealed record PlannedFault(TimeSpan At, Fault Fault, int Target, TimeSpan Time)
{
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{At.TotalSeconds,6:F1} s  {Fault} #{Target} for {Time.TotalSeconds:F1} s");

    /// <summary>The faults of a run: the same for the same seed. Now and then two of them meet.</summary>
    public static IReadOnlyList<PlannedFault> Plan(int seed, TimeSpan length, bool canCut, bool sparesRedis = false)
    {
        var random = new Random(seed);
        var kinds = Enum.GetValues<Fault>().Where(fault => canCut || fault < Fault.CutDirectorFromRedis)
            .Where(fault => !sparesRedis || fault is not (Fault.KillRedisMaster or Fault.PauseRedisMaster or Fault.CutRedisMaster)).ToArray();
        var planned = new List<PlannedFault>();
        // The first are all kinds, in an order of the seed, so that none is left out where there is time for all.
        var order = new Queue<Fault>(kinds.OrderBy(_ => random.Next()).ToArray());
        for (var at = TimeSpan.FromSeconds(1); at < length - TimeSpan.FromSeconds(3);)
        {
            var fault = order.TryDequeue(out var next) ? next : kinds[random.Next(kinds.Length)];
            var time = TimeSpan.FromSeconds(random.Next(10) == 0 ? 2 + random.NextDouble() * 8 : 0.3 + random.NextDouble() * 3);
            // Sessions are waited for ten seconds before a user moves without them: a director that knows nothing of it has to be away for longer now and then.
            if (fault == Fault.CutDirectorFromRedis) time = Min(time * 4, Min(TimeSpan.FromSeconds(20), length - at + TimeSpan.FromSeconds(2)));
            planned.Add(new PlannedFault(at, fault, random.Next(6), time));
            at += TimeSpan.FromSeconds(0.5 + random.NextDouble() * 3);
        }
        return planned;
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
