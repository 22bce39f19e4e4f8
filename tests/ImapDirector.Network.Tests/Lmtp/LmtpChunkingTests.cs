using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Lmtp;

/// <summary>Messages in pieces (BDAT, RFC 3030).</summary>
public sealed class LmtpChunkingTests
{
    private const string TooLarge = "552 5.3.4 The message is larger than this server takes";

    [Fact]
    public async Task Pieces_become_one_message_byte_for_byte_and_each_recipient_has_its_reply_at_the_last()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.SendAsync("RCPT TO:<alice>\r\nRCPT TO:<bob>\r\nBDAT 12\r\nSubject: x\r\nBDAT 5\r\n\r\n.\r\nBDAT 0\r\nBDAT 6 LAST\r\n..no\r\nNOOP\r\n");
        Assert.Equal(["250 2.1.5 Ok", "250 2.1.5 Ok", "250 2.0.0 Ok", "250 2.0.0 Ok", "250 2.0.0 Ok", "250 2.0.0 Stored for alice", "250 2.0.0 Stored for bob", "250 2.0.0 Ok"],
            await client.RepliesAsync(8));
        Assert.Equal("Subject: x\r\n\r\n.\r\n..no\r\n", Assert.Single(server.Messages).Message);
    }

    [Fact]
    public async Task What_is_refused_is_read_to_its_end()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.SendAsync("BDAT 6 LAST\r\nQUIT\r\nRCPT TO:<nobody>\r\nBDAT 6\r\nQUIT\r\nNOOP\r\n");
        Assert.Equal(["503 5.5.1 No valid recipients", "550 5.1.1 No such user", "503 5.5.1 No valid recipients", "250 2.0.0 Ok"], await client.RepliesAsync(4));
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task A_message_that_grows_too_large_is_refused_and_the_next_one_is_taken()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.AskAsync("RCPT TO:<alice>");
        var half = new string('x', 600);
        await client.SendAsync($"BDAT 600\r\n{half}BDAT 600\r\n{half}BDAT 0 LAST\r\n");
        Assert.Equal(["250 2.0.0 Ok", TooLarge, TooLarge], await client.RepliesAsync(3));
        await client.SendAsync("MAIL FROM:<>\r\nRCPT TO:<alice>\r\nBDAT 3 LAST\r\na\r\n");
        Assert.Equal(["250 2.1.0 Sender ok", "250 2.1.5 Ok", "250 2.0.0 Stored for alice"], await client.RepliesAsync(3));
    }

    [Fact]
    public async Task A_piece_that_makes_it_too_large_is_refused_before_it_comes_and_what_follows_it_is_a_command_again()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.SendAsync($"RCPT TO:<alice>\r\nRCPT TO:<bob>\r\nBDAT 600\r\n{new string('x', 600)}BDAT 401\r\n");
        Assert.Equal(["250 2.1.5 Ok", "250 2.1.5 Ok", "250 2.0.0 Ok", TooLarge], await client.RepliesAsync(4));
        await client.SendAsync($"{new string('x', 401)}BDAT 9 LAST\r\n");
        Assert.Equal([TooLarge, TooLarge], await client.RepliesAsync(2));
        await client.SendAsync($"x\r\nQUIT\r\nNOOP\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nBDAT 1000 LAST\r\n{new string('x', 998)}\r\n");
        Assert.Equal(["250 2.0.0 Ok", "250 2.1.0 Sender ok", "250 2.1.5 Ok", "250 2.0.0 Stored for alice"], await client.RepliesAsync(4));
        Assert.Equal(1000, Assert.Single(server.Messages).Message.Length);
    }

    [Theory]
    [InlineData("4004")]
    [InlineData("4004 LAST")]
    [InlineData("9223372036854775807")]
    [InlineData("99999999999999999999 LAST")]
    public async Task A_piece_of_an_absurd_size_ends_the_connection_at_once(string size)
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.SendAsync($"RCPT TO:<alice>\r\nRCPT TO:<bob>\r\nBDAT {size}\r\n");
        Assert.Equal(["250 2.1.5 Ok", "250 2.1.5 Ok", TooLarge], await client.RepliesAsync(3));
        Assert.Equal(LmtpClient.Closed, await client.ReplyAsync());
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task One_that_is_not_quite_so_large_does_not()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.SendAsync($"RCPT TO:<alice>\r\nBDAT 4003 LAST\r\n{new string('x', 4003)}NOOP\r\n");
        Assert.Equal(["250 2.1.5 Ok", TooLarge, "250 2.0.0 Ok"], await client.RepliesAsync(3));
    }

    [Theory]
    [InlineData("a\nb\r\n", "")]
    [InlineData("a\rb\r\n", "")]
    [InlineData("a\r", "b\r\n")]
    [InlineData("a", "\nb\r\n")]
    [InlineData("a\r\n", "b\r")]
    public async Task Bare_line_ends_are_refused_however_the_message_is_cut(string first, string second)
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.SendAsync($"RCPT TO:<alice>\r\nBDAT {first.Length}\r\n{first}BDAT {second.Length} LAST\r\n{second}");
        Assert.Equal("550 5.6.11 The message has a CR without LF or an LF without CR", (await client.RepliesAsync(3))[^1]);
    }

    [Fact]
    public async Task A_line_end_may_be_cut_in_two()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.SendAsync("RCPT TO:<alice>\r\nBDAT 2\r\na\rBDAT 1 LAST\r\n\n");
        Assert.Equal("250 2.0.0 Stored for alice", (await client.RepliesAsync(3))[^1]);
    }

    [Fact]
    public async Task Behind_the_first_piece_there_is_no_recipient_and_no_DATA_until_RSET()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.SendAsync("RCPT TO:<alice>\r\nBDAT 3\r\na\r\nRCPT TO:<bob>\r\nDATA\r\nRSET\r\nBDAT 3 LAST\r\nb\r\n");
        Assert.Equal(["250 2.1.5 Ok", "250 2.0.0 Ok", "503 5.5.1 The message itself has been begun", "503 5.5.1 The message itself has been begun", "250 2.0.0 Ok", "503 5.5.1 MAIL first"],
            await client.RepliesAsync(6));
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task A_client_that_leaves_within_a_piece_has_sent_nothing()
    {
        await using var server = LmtpServer.Start();
        await using (var client = await LmtpClient.BeginAsync(server.EndPoint)) await client.SendAsync("RCPT TO:<alice>\r\nBDAT 100 LAST\r\nhalf");
        await using var other = await LmtpClient.BeginAsync(server.EndPoint);
        await other.AskAsync("QUIT");
        Assert.Empty(server.Messages);
    }
}
