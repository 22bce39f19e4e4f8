using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.EndToEnd.Faults;
using ImapDirector.Tests.Shared;
using MailKit;
using Xunit;
using Xunit.Abstractions;

namespace ImapDirector.EndToEnd;

/// <summary>Acknowledged means on disk: a node is killed in the middle of deliveries and of everything that sessions do, again and again.</summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int Deliveries = 200;
    private const int Senders = 4;
    // On both sides of where bodies become files.
    private static readonly int[] Sizes = [300, 5_000, 60_000, 66_000, 70_000, 200_000];

    [FactIfInstalled("redis-server")]
    public async Task Every_message_that_was_answered_is_there_once_and_none_is_there_twice()
    {
        var rounds = int.Parse(Environment.GetEnvironmentVariable("IMAPDIRECTOR_CRASH_ROUNDS") ?? "3", CultureInfo.InvariantCulture);
        var seed = int.Parse(Environment.GetEnvironmentVariable("IMAPDIRECTOR_CRASH_SEED") ?? "1", CultureInfo.InvariantCulture);
        var random = new Random(seed);
        await using var cluster = await Cluster.StartAsync(Mail.Alice);
        var (sent, answered) = (new Dictionary<string, string>(), new HashSet<string>());
        await DeliverAsync(cluster, "warm", 1, sent, answered, () => { });
        var node = int.Parse((await cluster.ShowAsync(Mail.Alice, "node"))["node".Length..], CultureInfo.InvariantCulture);
        RememberingClient[] clients = [new(Mail.Alice, "one", seed), new(Mail.Alice, "two", seed + 1)];
        foreach (var client in clients) await client.BeginAsync(cluster.Node(node).Imap);
        for (var round = 0; round < rounds; round++)
        {
            using var stop = new CancellationTokenSource();
            var (before, killedAt, reached) = (answered.Count, random.Next(1, Deliveries / 2), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            var imap = cluster.Node(node).Imap;
            var changing = clients.Select(client => client.RunAsync(imap, stop.Token)).ToArray();
            var delivering = DeliverAsync(cluster, $"r{round}", Deliveries, sent, answered, () =>
            {
                if (answered.Count - before == killedAt) reached.SetResult();
            });
            await Task.WhenAny(reached.Task, Task.WhenAny(changing), delivering);
            await stop.CancelAsync();
            await cluster.KillNodeAsync(node);
            await Task.WhenAll(changing);
            await delivering;
            // It fell among them: some were answered, and others were not.
            Assert.InRange(answered.Count - before, killedAt, Deliveries - 1);
            await cluster.StartNodeAsync(node);
            await CheckAsync(cluster, sent, answered);
            foreach (var client in clients) await client.CheckAsync(cluster.Node(node).Imap);
            Assert.Equal((0, "", "imapdirector: 1 user checked, 0 findings.\n"), await RunningProgram.RunAsync("", "store", "check", "--all", "--data", cluster.DataOf(node)));
        }
        Assert.All(clients, static client => Assert.True(client.Acknowledged > 0));
        output.WriteLine($"seed {seed}: {rounds} kills survived; {answered.Count} of {sent.Count} deliveries and {clients.Sum(static client => client.Acknowledged)} changes acknowledged, 0 lost, 0 doubled");
    }

    /// <summary>Several senders at once; one that gets no answer, or a refusal, gives that message up and goes on with the next.</summary>
    private static Task DeliverAsync(Cluster cluster, string round, int count, Dictionary<string, string> sent, HashSet<string> answered, Action whenAnswered)
    {
        var left = new Queue<string>(Enumerable.Range(0, count).Select(number => $"{round}n{number}"));
        return Task.WhenAll(Enumerable.Range(0, Math.Min(Senders, count)).Select(async _ =>
        {
            while (true)
            {
                string subject, message;
                lock (sent)
                {
                    if (!left.TryDequeue(out subject!)) return;
                    message = Mail.Message(subject, Sizes[sent.Count % Sizes.Length]);
                    sent.Add(subject, Digest(Encoding.Latin1.GetBytes(message)));
                }
                try
                {
                    await using var sender = await LmtpClient.BeginAsync(cluster.Director.Lmtp);
                    if (!(await sender.AskAsync($"RCPT TO:<{Mail.Alice}>")).StartsWith('2')) continue;
                    await sender.AskAsync("DATA");
                    if (!(await sender.AskAsync(Mail.Stuffed(message) + ".")).StartsWith("250 ", StringComparison.Ordinal)) continue;
                }
                catch (Exception lost) when (lost is IOException or SocketException)
                {
                    continue;
                }
                lock (sent)
                {
                    answered.Add(subject);
                    whenAnswered();
                }
            }
        }));
    }

    private static async Task CheckAsync(Cluster cluster, Dictionary<string, string> sent, HashSet<string> answered)
    {
        var seen = new HashSet<string>();
        // A node that was away counts as away until it has answered twice.
        using var client = await cluster.LogInWithinAsync(TimeSpan.FromSeconds(60), Mail.Alice);
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        foreach (var summary in await client.Inbox.FetchAsync(0, -1, MessageSummaryItems.UniqueId | MessageSummaryItems.Envelope | MessageSummaryItems.Size))
        {
            var subject = summary.Envelope!.Subject!;
            Assert.True(seen.Add(subject), $"{subject} is there twice.");
            using var bytes = new MemoryStream();
            await using (var stream = await client.Inbox.GetStreamAsync(summary.UniqueId)) await stream.CopyToAsync(bytes);
            Assert.Equal(summary.Size, (uint)bytes.Length);
            var all = bytes.ToArray();
            var begin = all.AsSpan().IndexOf("From: bob@example.org\r\n"u8);
            Assert.Equal(sent[subject], Digest(all.AsSpan(begin)));
        }
        Assert.Empty(answered.Except(seen));
    }

    private static string Digest(ReadOnlySpan<byte> bytes) => Convert.ToHexString(SHA256.HashData(bytes));
}
