using System.Globalization;
using ImapDirector.Tests.Shared;
using Xunit;
using Xunit.Abstractions;

namespace ImapDirector.EndToEnd.Faults;

/// <summary>A node whose disk fails now and then: what it acknowledged is there, what it refused is not, and it goes on by itself.</summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    private static readonly TimeSpan FaultyTime = TimeSpan.FromSeconds(2);
    private static readonly string[] Users = ["alice@example.com", "bob@example.com"];

    [TheoryIfInstalled("cc")]
    [InlineData((int)FileFaults.WriteError, 10, 1)]
    [InlineData((int)FileFaults.SyncError, 4, 2)]
    [InlineData((int)FileFaults.NoSpace, 10, 3)]
    [InlineData((int)FileFaults.ShortWrite, 2, 4)]
    [InlineData((int)FileFaults.All, 12, 5)]
    public async Task What_was_acknowledged_is_there_and_what_was_refused_is_not(int kind, int oneIn, int seed)
    {
        using var directory = new TemporaryDirectory();
        var (faults, data) = ((FileFaults)kind, directory.File("data"));
        using var files = await FailingFiles.BuildAsync(directory, data);
        var (databaseCall, call) = faults == FileFaults.SyncError ? (FileCall.DatabaseSyncs, FileCall.Syncs) : (FileCall.DatabaseWrites, FileCall.Writes);
        var clients = Users.SelectMany((user, index) => new[] { new RememberingClient(user, "one", seed + index), new RememberingClient(user, "two", seed * 100 + index) }).ToArray();
        var senders = Users.Select((user, index) => new RememberingSender(user, seed + index)).ToArray();
        await using (var node = await LoneNode.StartAsync(data, files.Environment))
        {
            foreach (var client in clients) await client.BeginAsync(node.Imap);
            // A round in which a slow machine came to nothing that had to be refused is not enough.
            for (var round = 0; round < Rounds || (round < Rounds + 20 && !HasShownEnough()); round++)
            {
                using var stop = new CancellationTokenSource();
                var running = clients.Select(client => client.RunAsync(node.Imap, stop.Token)).Concat(senders.Select(sender => sender.RunAsync(node.Lmtp, stop.Token))).ToArray();
                // They come and go: half of the time the disk is well.
                for (var turn = 0; turn < 4; turn++)
                {
                    if (turn % 2 == 0) files.End();
                    else files.Begin(faults, oneIn, (ulong)(seed * 1000 + round * 10 + turn));
                    await Task.WhenAny(Task.Delay(FaultyTime / 4), Task.WhenAny(running));
                }
                await stop.CancelAsync();
                await Task.WhenAll(running);
                files.End();
                await CheckAsync(node);
            }
            Assert.Equal(0, await node.TerminateAsync());
        }

        // The calls of SQLite, and those of .NET, went through the library, and some of them failed.
        Assert.InRange(files.Called(databaseCall), 1, files.Called(call) - 1);
        Assert.InRange(files.Failed(databaseCall), 1, files.Failed(call));
        Assert.True(HasShownEnough());

        // Repair looks for more than check: with no node beside it, no file may be too many.
        Assert.Equal((0, "", "imapdirector: 2 users repaired, 0 findings.\n"), await RunningProgram.RunAsync("", "store", "repair", "--all", "--data", data));
        await using var again = await LoneNode.StartAsync(data);
        await CheckAsync(again);
        output.WriteLine($"{faults}, one call of {oneIn}, seed {seed}: {Rounds} rounds; {files.Failed(call)} of {files.Called(call)} calls failed; "
            + $"{senders.Sum(static sender => sender.Acknowledged)} deliveries and {clients.Sum(static client => client.Acknowledged)} changes acknowledged, 0 lost; "
            + $"{senders.Sum(static sender => sender.Refused) + clients.Sum(static client => client.Refused)} refused");

        bool HasShownEnough() => files.Failed(databaseCall) > 0
            && senders.Sum(static sender => sender.Acknowledged) > 0 && clients.Sum(static client => client.Acknowledged) > 0
            && (faults == FileFaults.ShortWrite || senders.Sum(static sender => sender.Refused) + clients.Sum(static client => client.Refused) > 0);

        async Task CheckAsync(RunningProgram node)
        {
            foreach (var client in clients) await client.CheckAsync(node.Imap);
            foreach (var sender in senders) await sender.CheckAsync(node.Imap);
        }
    }

    [FactIfInstalled("cc")]
    public async Task A_disk_that_is_full_for_a_time_refuses_everything_and_takes_everything_afterwards()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.File("data");
        using var files = await FailingFiles.BuildAsync(directory, data);
        var (client, sender) = (new RememberingClient(Users[0], "one", 1), new RememberingSender(Users[0], 1));
        await using var node = await LoneNode.StartAsync(data, files.Environment);
        await client.BeginAsync(node.Imap);
        await sender.DeliverAsync(node.Lmtp);
        await using var session = await NodeSession.LogInAsync(node.Imap, Users[0]);

        files.Begin(FileFaults.NoSpace, oneIn: 1, seed: 1);
        for (var delivery = 0; delivery < 10; delivery++) await sender.DeliverAsync(node.Lmtp);
        Assert.Equal((1, 10), (sender.Acknowledged, sender.Refused));
        foreach (var size in new[] { 100, 70_000, 200_000 })
        {
            var message = Mail.Message("full", size);
            Assert.StartsWith("NO [UNAVAILABLE] ", (await session.AskAsync($"APPEND INBOX {{{message.Length}+}}\r\n{message}")).Lines[^1].Split(' ', 2)[1], StringComparison.Ordinal);
        }
        // A user who was never here has to wait; who was here can read.
        await sender.CheckAsync(node.Imap);

        files.End();
        for (var delivery = 0; delivery < 10; delivery++) await sender.DeliverAsync(node.Lmtp);
        Assert.Equal((11, 10), (sender.Acknowledged, sender.Refused));
        await sender.CheckAsync(node.Imap);
        await new RememberingSender("carol@example.com", 1).DeliverAsync(node.Lmtp);
        Assert.Equal(0, await node.TerminateAsync());
        Assert.Equal((0, "", "imapdirector: 2 users repaired, 0 findings.\n"), await RunningProgram.RunAsync("", "store", "repair", "--all", "--data", data));
    }

    [FactIfInstalled("cc")]
    public async Task A_message_that_was_refused_for_one_failed_sync_is_not_there_after_a_crash()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.File("data");
        using var files = await FailingFiles.BuildAsync(directory, data);
        await using (var node = await LoneNode.StartAsync(data, files.Environment))
        {
            await using var session = await NodeSession.LogInAsync(node.Imap, Users[0]);
            files.Begin(FileFaults.SyncError, oneIn: 1, seed: 1, atMost: 1);
            Assert.False((await session.AskAsync("APPEND INBOX {14+}\r\nSubject: x\r\n\r\n")).IsOk);
            Assert.Equal(1, files.Failed(FileCall.DatabaseSyncs));
            await node.KillAsync();
        }
        await using var again = await LoneNode.StartAsync(data);
        await using var later = await NodeSession.LogInAsync(again.Imap, Users[0]);
        Assert.Contains("* 0 EXISTS", (await later.AskAsync("SELECT INBOX")).Lines);
    }

    [FactIfInstalled("cc")]
    public async Task What_a_failed_sync_has_left_in_the_log_does_not_come_back_after_a_crash()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.File("data");
        using var files = await FailingFiles.BuildAsync(directory, data);
        var sender = new RememberingSender(Users[0], 1);
        await using (var node = await LoneNode.StartAsync(data, files.Environment))
        {
            await sender.DeliverAsync(node.Lmtp);
            files.Begin(FileFaults.SyncError, oneIn: 1, seed: 1);
            for (var delivery = 0; delivery < 10; delivery++) await sender.DeliverAsync(node.Lmtp);
            Assert.Equal((1, 10), (sender.Acknowledged, sender.Refused));
            files.End();
            await sender.DeliverAsync(node.Lmtp);
            Assert.Equal((2, 10), (sender.Acknowledged, sender.Refused));
            await node.KillAsync();
        }
        await using (var again = await LoneNode.StartAsync(data))
        {
            await sender.CheckAsync(again.Imap);
            Assert.Equal(0, await again.TerminateAsync());
        }
        Assert.Equal((0, "", "imapdirector: 1 user repaired, 0 findings.\n"), await RunningProgram.RunAsync("", "store", "repair", "--all", "--data", data));
    }

    [FactIfInstalled("cc")]
    public async Task A_node_that_is_killed_while_its_disk_fails_has_lost_nothing()
    {
        using var directory = new TemporaryDirectory();
        var data = directory.File("data");
        using var files = await FailingFiles.BuildAsync(directory, data);
        var senders = Users.Select(static (user, index) => new RememberingSender(user, index)).ToArray();
        for (var round = 0; round < Rounds + 1; round++)
        {
            files.End();
            await using (var node = await LoneNode.StartAsync(data, files.Environment))
            {
                using var stop = new CancellationTokenSource();
                var before = senders.Sum(static sender => sender.Acknowledged);
                files.Begin(FileFaults.All, oneIn: 12, seed: (ulong)round + 1);
                var running = senders.Select(sender => sender.RunAsync(node.Lmtp, stop.Token)).ToArray();
                while (senders.Sum(static sender => sender.Acknowledged) < before + 20)
                {
                    await Task.Delay(10);
                    // None ends by itself, but by a failure.
                    foreach (var ended in running.Where(static sender => sender.IsCompleted)) await ended;
                }
                await stop.CancelAsync();
                await node.KillAsync();
                await Task.WhenAll(running);
            }
            await using var again = await LoneNode.StartAsync(data);
            foreach (var sender in senders) await sender.CheckAsync(again.Imap, mayHaveRefused: true);
            Assert.Equal((0, "", "imapdirector: 2 users checked, 0 findings.\n"), await RunningProgram.RunAsync("", "store", "check", "--all", "--data", data));
        }
        output.WriteLine($"{Rounds + 1} kills while the disk failed; {senders.Sum(static sender => sender.Acknowledged)} deliveries acknowledged, 0 lost");
    }

    /// <summary>How long it goes on; more than the usual is for a night.</summary>
    private static int Rounds => int.Parse(Environment.GetEnvironmentVariable("IMAPDIRECTOR_FAULT_ROUNDS") ?? "1", CultureInfo.InvariantCulture);
}
