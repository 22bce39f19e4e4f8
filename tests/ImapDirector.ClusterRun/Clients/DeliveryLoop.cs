using System.Net.Sockets;
using ImapDirector.ClusterRun.Servers;
using ImapDirector.Tests.Shared;

namespace ImapDirector.ClusterRun.Clients;

/// <summary>A mail server that sends messages to one, two or three users, and none of them a second time.</summary>
internal sealed class DeliveryLoop(TestCluster cluster, Journal journal, IReadOnlyList<string> users, string name, int seed)
{
    private readonly Random _random = new(seed);
    private int _sent;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var recipients = Enumerable.Range(0, _random.Next(4) == 0 ? 3 : 1).Select(_ => users[_random.Next(users.Count)]).Distinct().ToArray();
            var id = $"{name}-{++_sent}@lmtp.example.net";
            var (from, replies) = (DateTime.UtcNow, recipients.Select(static _ => "no answer").ToArray());
            try
            {
                await DeliverAsync(recipients, TestMessage.Create(recipients[0], id, _random), replies);
            }
            catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
            {
                // What was answered before is known.
            }
            for (var i = 0; i < recipients.Length; i++)
                journal.Messages.Add(new MessageRecord(recipients[i], id, true, from, DateTime.UtcNow, replies[i], replies[i].StartsWith("250 ", StringComparison.Ordinal)));
            await Task.Delay(_random.Next(5, 60), CancellationToken.None);
        }
    }

    private async Task DeliverAsync(string[] recipients, string message, string[] replies)
    {
        await using var server = await LmtpClient.ConnectAsync(cluster.EndPointOf(_random.Next(cluster.Directors.Count), TestCluster.Lmtp));
        await server.AskAsync("LHLO client.example.net");
        if (!(await server.AskAsync("MAIL FROM:<sender@example.net>")).StartsWith('2')) return;
        var accepted = new List<int>();
        for (var i = 0; i < recipients.Length; i++)
        {
            var reply = await server.AskAsync($"RCPT TO:<{recipients[i]}>");
            if (reply.StartsWith('2')) accepted.Add(i);
            else replies[i] = "at RCPT: " + reply;
        }
        if (accepted.Count == 0 || !(await server.AskAsync("DATA")).StartsWith('3')) return;
        await server.SendAsync(message + ".\r\n");
        foreach (var i in accepted)
        {
            replies[i] = await server.ReplyAsync();
            if (replies[i] == LmtpClient.Closed) return;
        }
    }
}
