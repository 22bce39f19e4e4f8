using System.Net;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.EndToEnd.Faults;

/// <summary>Delivers to an INBOX, and remembers which messages were acknowledged and which were refused.</summary>
internal sealed class RememberingSender(string user, int seed)
{
    private static readonly int[] Sizes = [300, 5_000, 60_000, 70_000, 140_000];

    private readonly Random _random = new(seed);
    private readonly Dictionary<string, string> _sent = [];
    private readonly HashSet<string> _acknowledged = [];
    private readonly HashSet<string> _unanswered = [];

    public int Acknowledged => _acknowledged.Count;

    public int Refused => _sent.Count - _acknowledged.Count;

    /// <summary>Delivers until it is told to stop, or the node is gone.</summary>
    public async Task RunAsync(IPEndPoint lmtp, CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested) await DeliverAsync(lmtp);
        }
        catch (Exception gone) when (stop.IsCancellationRequested && gone is IOException or SocketException)
        {
            // It was killed.
        }
    }

    public async Task DeliverAsync(IPEndPoint lmtp)
    {
        var subject = $"delivery {_sent.Count}";
        var message = Mail.Message(subject, Sizes[_random.Next(Sizes.Length)]);
        _sent.Add(subject, RememberingClient.Digest(Encoding.Latin1.GetBytes(message)));
        await using var client = await LmtpClient.ConnectAsync(lmtp);
        foreach (var line in new[] { "LHLO client.example.net", "MAIL FROM:<sender@example.net>", $"RCPT TO:<{user}>" }) await client.AskAsync(line);
        _unanswered.Add(subject);
        await client.AskAsync("DATA");
        var reply = await client.AskAsync(Mail.Stuffed(message) + ".");
        if (reply == LmtpClient.Closed) throw new IOException("The node has closed the connection.");
        _unanswered.Remove(subject);
        if (reply.StartsWith("250 ", StringComparison.Ordinal)) _acknowledged.Add(subject);
        else Assert.StartsWith("4", reply, StringComparison.Ordinal);
    }

    /// <summary>Compares what is there with what was acknowledged.</summary>
    /// <param name="imap">The node.</param>
    /// <param name="mayHaveRefused">Whether refused messages may be there too, whole and once: after a crash nobody can know.</param>
    public async Task CheckAsync(IPEndPoint imap, bool mayHaveRefused = false)
    {
        await using var session = await NodeSession.LogInAsync(imap, user);
        Assert.True((await session.AskAsync("EXAMINE INBOX")).IsOk);
        var answer = await session.AskAsync("UID FETCH 1:* (BODY.PEEK[])");
        Assert.True(answer.IsOk);
        var found = new HashSet<string>();
        foreach (var literal in answer.Literals)
        {
            var message = literal[literal.AsSpan().IndexOf("From: bob@example.org\r\n"u8)..];
            var text = Encoding.Latin1.GetString(message);
            var subject = text[(text.IndexOf("Subject: ", StringComparison.Ordinal) + 9)..].Split("\r\n")[0];
            Assert.True(found.Add(subject), $"{subject} is there twice.");
            Assert.Equal(_sent[subject], RememberingClient.Digest(message));
        }
        Assert.Empty(_acknowledged.Except(found));
        if (!mayHaveRefused) Assert.Empty(found.Except(_acknowledged).Except(_unanswered));
    }
}
