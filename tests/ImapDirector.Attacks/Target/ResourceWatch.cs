using System.Globalization;
using ImapDirector.Tests.Shared;

namespace ImapDirector.Attacks.Target;

/// <summary>What the attacked processes hold, second by second.</summary>
internal sealed class ResourceWatch(AttackedServers target)
{
    // What is beyond these is a leak or a flood that somebody was let in with, whatever the machine.
    private const long MostMemory = 512L << 20;
    private const double MostGrowth = 1.15;
    private static readonly TimeSpan CalmAfter = TimeSpan.FromSeconds(100), LongEnoughForTrends = TimeSpan.FromMinutes(5);

    private readonly (string Name, RunningProgram Program, List<(long Memory, int Files)> Samples)[] _watched = [("director", target.Director, []), ("node", target.Node, [])];
    private readonly int[] _before = [FilesOf(target.Director), FilesOf(target.Node)];
    private readonly int[] _after = [0, 0];
    private readonly bool[] _hasEnded = [false, false];

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            foreach (var (_, program, samples) in _watched) samples.Add((MemoryOf(program), FilesOf(program)));
            await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
        }
    }

    /// <summary>Waits until what attackers have left open is closed, and no longer than a time to log in, with something to spare.</summary>
    public async Task CalmDownAsync()
    {
        var until = DateTime.UtcNow + CalmAfter;
        do
        {
            for (var i = 0; i < _watched.Length; i++) (_after[i], _hasEnded[i]) = (FilesOf(_watched[i].Program), _watched[i].Program.HasExited);
            if (AreClosed) return;
            await Task.Delay(TimeSpan.FromMilliseconds(500));
        }
        while (DateTime.UtcNow < until);
    }

    /// <summary>One for each process.</summary>
    public IEnumerable<string> Lines => _watched.Select((one, i) => string.Create(CultureInfo.InvariantCulture,
        $"{one.Name,-20} resident MiB: {MiB(one.Samples[0].Memory)} at first, {MiB(Part(one.Samples, 1))} in the second fifth, {MiB(Part(one.Samples, 4))} in the last, {MiB(one.Samples.Max(static sample => sample.Memory))} at most; open files: {_before[i]} before, {one.Samples.Max(static sample => sample.Files)} at most, {_after[i]} afterwards"));

    public IEnumerable<string> Violations(TimeSpan time)
    {
        for (var i = 0; i < _watched.Length; i++)
        {
            var (name, _, samples) = _watched[i];
            if (_hasEnded[i]) yield return $"the {name} has ended";
            if (samples.Max(static sample => sample.Memory) is var most && most > MostMemory) yield return $"the {name} had {MiB(most)} MiB";
            if (time >= LongEnoughForTrends && Part(samples, 4) > MostGrowth * Part(samples, 1)) yield return $"the {name} has grown from {MiB(Part(samples, 1))} to {MiB(Part(samples, 4))} MiB";
        }
        if (!AreClosed) yield return $"files left open: {string.Join(" and ", _after)}, before {string.Join(" and ", _before)}";
    }

    // Connections to the node and to Redis may have become a few more.
    private bool AreClosed => _after.Zip(_before).All(static pair => pair.First <= pair.Second + 24);

    /// <summary>The median of a fifth of the time.</summary>
    private static long Part(List<(long Memory, int Files)> samples, int fifth)
    {
        var part = samples.Skip(samples.Count * fifth / 5).Take(Math.Max(1, samples.Count / 5)).Select(static sample => sample.Memory).Order().ToArray();
        return part[part.Length / 2];
    }

    private static long MiB(long bytes) => bytes >> 20;

    private static long MemoryOf(RunningProgram program)
    {
        if (program.HasExited) return 0;
        var line = File.ReadLines($"/proc/{program.ProcessId}/status").First(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }

    private static int FilesOf(RunningProgram program) => program.HasExited ? 0 : Directory.EnumerateFileSystemEntries($"/proc/{program.ProcessId}/fd").Count();
}
