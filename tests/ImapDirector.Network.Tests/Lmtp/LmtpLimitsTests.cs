using ImapDirector.Network.Lmtp;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Lmtp;

/// <summary>Limits L2 to L4, and the size of a message: just below, at, and above.</summary>
public sealed class LmtpLimitsTests
{
    private const string Unknown = "500 5.5.1 Unknown command";

    [Theory]
    [InlineData(4095, "250 2.0.0 Ok")]
    [InlineData(4096, "250 2.0.0 Ok")]
    [InlineData(4097, "500 5.5.2 Line too long")]
    [InlineData(300_000, "500 5.5.2 Line too long")]
    public async Task L2_A_command_line_has_at_most_4096_bytes(int bytes, string reply)
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);
        Assert.Equal(reply, await client.AskAsync("NOOP " + new string('x', bytes - 7)));
        Assert.Equal("250 2.0.0 Ok", await client.AskAsync("NOOP"));
    }

    [Theory]
    [InlineData(31, Unknown)]
    [InlineData(32, Unknown)]
    [InlineData(33, "500 5.5.2 No command, or one with too long a name")]
    public async Task L2_A_verb_has_at_most_32_bytes(int bytes, string reply)
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);
        Assert.Equal(reply, await client.AskAsync(new string('x', bytes)));
    }

    [Fact]
    public async Task L2_The_tenth_bad_command_ends_the_session()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);
        for (var i = 1; i <= 9; i++) Assert.Equal(Unknown, await client.AskAsync("WHAT"));
        Assert.Equal("250 2.0.0 Ok", await client.AskAsync("NOOP"));
        await client.SendAsync("WHAT\r\nNOOP\r\n");
        Assert.Equal([Unknown, "421 4.7.0 Too many bad commands", LmtpClient.Closed], await client.RepliesAsync(3));
    }

    [Fact]
    public async Task L2_A_delivered_message_makes_up_for_bad_commands()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);
        await client.AskAsync("LHLO c");
        for (var round = 0; round < 2; round++)
        {
            for (var i = 1; i <= 9; i++) Assert.Equal(Unknown, await client.AskAsync("WHAT"));
            await client.AskAsync("MAIL FROM:<>");
            await client.AskAsync("RCPT TO:<alice>");
            Assert.Equal(["250 2.0.0 Stored for alice"], await client.DataAsync("x", 1));
        }
    }

    [Fact]
    public async Task L2_What_a_client_sent_behind_a_refused_MAIL_is_not_held_against_it()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);
        await client.AskAsync("LHLO c");
        for (var i = 0; i < 10; i++)
        {
            await client.SendAsync("MAIL FROM:<a@example.net> SIZE=1001\r\nRCPT TO:<alice>\r\nRCPT TO:<bob>\r\nDATA\r\n");
            Assert.Equal(["552 5.3.4", "503 5.5.1", "503 5.5.1", "503 5.5.1"], (await client.RepliesAsync(4)).Select(static reply => reply[..9]));
        }
        Assert.Equal("250 2.0.0 Ok", await client.AskAsync("NOOP"));
    }

    [Fact]
    public async Task L3_A_message_has_at_most_1000_recipients_and_those_that_were_accepted_are_served()
    {
        await using var server = LmtpServer.Start();
        server.Delivered = static transaction => Task.FromResult<IReadOnlyList<LmtpReply>>(
            [.. transaction.Recipients.Select(static (recipient, i) => i % 2 == 0 ? new LmtpReply(250, "2.0.0", recipient.Address) : new LmtpReply(451, "4.2.0", recipient.Address))]);
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        var sending = client.SendAsync(string.Concat(Enumerable.Range(1, 1002).Select(static i => $"RCPT TO:<user{i}>\r\n")));
        var replies = await client.RepliesAsync(1002);
        await sending;
        Assert.All(replies[..1000], static reply => Assert.Equal("250 2.1.5 Ok", reply));
        Assert.All(replies[1000..], static reply => Assert.StartsWith("452 4.5.3 ", reply, StringComparison.Ordinal));
        var expected = Enumerable.Range(1, 1000).Select(static i => i % 2 == 1 ? $"250 2.0.0 user{i}" : $"451 4.2.0 user{i}");
        Assert.Equal(expected, await client.DataAsync("x", 1000));
        Assert.Equal("250 2.0.0 Ok", await client.AskAsync("NOOP"));
    }

    [Fact]
    public async Task L3_The_first_20_refused_addresses_are_answered_at_once_and_the_next_one_waits()
    {
        await using var server = LmtpServer.Start(static options => options with { RefusalDelay = TimeSpan.FromHours(1) });
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        for (var i = 1; i <= 19; i++) Assert.Equal("550 5.1.1 No such user", await client.AskAsync("RCPT TO:<nobody>"));
        Assert.Equal("501 5.1.3 The recipient is no address", await client.AskAsync("RCPT TO:<>"));
        Assert.Equal("250 2.1.5 Ok", await client.AskAsync("RCPT TO:<alice>"));
        await client.SendAsync("RCPT TO:<nobody>\r\n");
        // Only the drain ends that hour: what comes next is its farewell and no answer.
        var waiting = client.ReplyAsync();
        await server.Listener.DrainAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("421 4.3.2 The server is going down, try again later", await waiting);
    }

    [Fact]
    public async Task L3_A_refusal_beyond_the_20th_is_answered_in_the_end()
    {
        await using var server = LmtpServer.Start(static options => options with { RefusalDelay = TimeSpan.FromMilliseconds(10) });
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        for (var i = 1; i <= 25; i++) Assert.Equal("550 5.1.1 No such user", await client.AskAsync("RCPT TO:<nobody>"));
    }

    [Fact]
    public async Task L4_A_client_that_sends_no_command_is_told_and_left()
    {
        await using var server = LmtpServer.Start(static options => options with { IdleTimeout = TimeSpan.FromMilliseconds(50) });
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);
        Assert.Equal(["421 4.4.2 Disconnected for inactivity", LmtpClient.Closed], await client.RepliesAsync(2));
    }

    [Fact]
    public async Task L4_A_client_that_does_not_end_its_message_is_told_and_left()
    {
        await using var server = LmtpServer.Start(static options => options with { DataTimeout = TimeSpan.FromMilliseconds(200) });
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.AskAsync("RCPT TO:<alice>");
        // All at once: what is sent after the farewell would be answered with a reset.
        await client.SendAsync("DATA\r\nhalf a message\r\n");
        Assert.StartsWith("354 ", await client.ReplyAsync(), StringComparison.Ordinal);
        Assert.Equal(["421 4.4.2 Disconnected for inactivity", LmtpClient.Closed], await client.RepliesAsync(2));
        Assert.Empty(server.Messages);
    }

    [Theory]
    [InlineData(999, "250 2.1.0 Sender ok")]
    [InlineData(1000, "250 2.1.0 Sender ok")]
    [InlineData(1001, "552 5.3.4 The message is larger than this server takes")]
    public async Task A_size_that_is_announced_is_held_to_the_limit(int size, string reply)
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);
        await client.AskAsync("LHLO c");
        Assert.Equal(reply, await client.AskAsync($"MAIL FROM:<a@example.net> SIZE={size}"));
    }

    [Theory]
    [InlineData(999, true)]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    [InlineData(1_000_000, false)]
    public async Task A_message_is_held_to_the_limit_by_its_own_bytes_and_the_session_goes_on(int size, bool isTaken)
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.AskAsync("RCPT TO:<alice>");
        await client.AskAsync("RCPT TO:<bob>");
        // Dots that were stuffed and the end itself do not count.
        var replies = await client.DataAsync(".." + new string('x', size - 3), 2);
        if (isTaken) Assert.Equal(size, Assert.Single(server.Messages).Message.Length);
        else Assert.Empty(server.Messages);
        Assert.All(replies, reply => Assert.StartsWith(isTaken ? "250 2.0.0 " : "552 5.3.4 ", reply, StringComparison.Ordinal));
        Assert.Equal("250 2.1.0 Sender ok", await client.AskAsync("MAIL FROM:<>"));
    }

    [Fact]
    public async Task A_message_that_cannot_be_kept_is_read_to_its_end_and_put_off()
    {
        await using var server = LmtpServer.Start(static options => options with { MaxMessageBytes = 10_000_000 }, Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()));
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.AskAsync("RCPT TO:<alice>");
        Assert.Equal(["452 4.3.1 The message cannot be kept now, try again later"], await client.DataAsync(new string('x', 1_000_000), 1));
        Assert.Equal("250 2.1.0 Sender ok", await client.AskAsync("MAIL FROM:<>"));
        await client.AskAsync("RCPT TO:<alice>");
        Assert.Equal(["250 2.0.0 Stored for alice"], await client.DataAsync("small", 1));
    }
}
