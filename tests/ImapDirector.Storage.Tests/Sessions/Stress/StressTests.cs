using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;
using Xunit.Abstractions;

namespace ImapDirector.Storage.Tests.Sessions.Stress;

/// <summary>Many sessions on the same mailboxes that do random things, one after the other and at the same time, beside a model of what has to be there.
/// <c>IMAPDIRECTOR_STRESS_SEED</c> shows a run again as far as threads allow, and <c>IMAPDIRECTOR_STRESS_STEPS</c> runs longer.</summary>
public sealed partial class StressTests(ITestOutputHelper output)
{
    private const int StepsBetweenRestarts = 2_500;
    private const int ToldOfFailure = 80;

    private readonly Queue<string> _log = [];
    private readonly Dictionary<string, ModelMailbox> _model = new() { ["INBOX"] = new("INBOX"), ["Box"] = new("Box") };
    private int _together;
    private int _restarts;

    [Fact]
    public async Task Every_session_sees_after_each_step_what_the_model_has()
    {
        var seed = Setting("IMAPDIRECTOR_STRESS_SEED", Environment.TickCount);
        var steps = Setting("IMAPDIRECTOR_STRESS_STEPS", 20_000);
        output.WriteLine($"IMAPDIRECTOR_STRESS_SEED={seed} IMAPDIRECTOR_STRESS_STEPS={steps}");
        var directory = Directory.CreateTempSubdirectory("stress-").FullName;
        try
        {
            await RunAsync(directory, new Random(seed), steps);
        }
        catch (Exception failure)
        {
            string[] last;
            lock (_log) last = [.. _log];
            throw new InvalidOperationException($"IMAPDIRECTOR_STRESS_SEED={seed}: {failure.Message}\n{string.Join('\n', last)}", failure);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        output.WriteLine($"{steps} steps, {_together} of them at the same time as others, {_restarts} restarts of the node");
    }

    private async Task RunAsync(string directory, Random random, int steps)
    {
        var clients = Enumerable.Range(0, 7).Select(number => new StressClient((StressKind)(number % 3), $"{(StressKind)(number % 3)}{number}", new Random(random.Next()), _model, Log)).ToList();
        for (var done = 0; done < steps; _restarts++)
        {
            await using var node = await RunningNode.StartAsync(directory: directory);
            await using var observer = await node.LogInAsync();
            await observer.CommandAsync("CREATE Box");
            await observer.OkAsync("ENABLE CONDSTORE");
            foreach (var client in clients) await client.ConnectAsync(node);
            for (var until = Math.Min(steps, done + StepsBetweenRestarts); done < until;)
            {
                if (random.Next(40) == 0)
                {
                    done += await WorkTogetherAsync(clients, observer);
                    continue;
                }
                done++;
                if (await clients[random.Next(clients.Count)].StepAsync(isAlone: true)) await TakeOverAsync(clients, observer);
            }
            await TakeOverAsync(clients, observer, isKnown: true);
            foreach (var client in clients) await client.DisposeAsync();
        }
    }

    private async Task<int> WorkTogetherAsync(List<StressClient> clients, ImapClient observer)
    {
        const int stepsEach = 4;
        var awake = clients.Where(static client => !client.IsIdle).ToList();
        await Task.WhenAll(awake.Select(static async client =>
        {
            for (var i = 0; i < stepsEach && !client.IsIdle; i++) await client.StepAsync(isAlone: false);
        }));
        await TakeOverAsync(clients, observer);
        _together += awake.Count * stepsEach;
        return awake.Count * stepsEach;
    }

    /// <summary>Reads what is there into the model, and compares all views with it.</summary>
    private async Task TakeOverAsync(List<StressClient> clients, ImapClient observer, bool isKnown = false)
    {
        foreach (var mailbox in _model.Values)
        {
            var select = await observer.OkAsync($"EXAMINE {mailbox.Name}");
            var count = Number(select, "EXISTS");
            mailbox.ToldUidValidity((uint)Number(select, "UIDVALIDITY"));
            mailbox.ToldHighestModSeq(Number(select, "HIGHESTMODSEQ"));
            var messages = count == 0 ? [] : (await observer.OkAsync("FETCH 1:* (UID FLAGS MODSEQ)")).Select(static line => MessageLine().Match(line)).Where(static match => match.Success).Select(static match =>
                (uint.Parse(match.Groups["uid"].Value, CultureInfo.InvariantCulture), match.Groups["flags"].Value.Replace("\\Recent", "", StringComparison.Ordinal), ulong.Parse(match.Groups["modseq"].Value, CultureInfo.InvariantCulture))).ToList();
            Assert.Equal((int)count, messages.Count);
            var before = mailbox.Describe();
            mailbox.TakeOver((uint)Number(select, "UIDNEXT"), messages);
            if (isKnown) Assert.Equal(before, mailbox.Describe());
        }
        foreach (var client in clients.Where(static client => !client.IsIdle))
        {
            await client.SettleAsync();
            client.CheckView(mayLag: false);
        }
    }

    private static ulong Number(List<string> lines, string name) =>
        ulong.Parse(lines.Select(line => Regex.Match(line, $@"^\* (?:(\d+) {name}$|OK \[{name} (\d+)\])")).First(static match => match.Success).Groups.Cast<Group>().Skip(1).First(static group => group.Success).Value, CultureInfo.InvariantCulture);

    private void Log(string line)
    {
        lock (_log)
        {
            _log.Enqueue(line);
            if (_log.Count > ToldOfFailure) _log.Dequeue();
        }
    }

    private static int Setting(string name, int otherwise) => Environment.GetEnvironmentVariable(name) is { } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;

    [GeneratedRegex(@"^\* \d+ FETCH \(UID (?<uid>\d+) FLAGS \((?<flags>[^)]*)\) MODSEQ \((?<modseq>\d+)\)\)$")]
    private static partial Regex MessageLine();
}
