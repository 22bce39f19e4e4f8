using ImapDirector.Network.Lmtp;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Lmtp;

public sealed class LmtpDrainTests
{
    private const string GoingDown = "421 4.3.2 The server is going down, try again later";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_client_between_commands_is_told_and_left()
    {
        await using var server = LmtpServer.Start();
        await using var idle = await LmtpClient.ConnectAsync(server.EndPoint);
        await using var begun = await LmtpClient.BeginAsync(server.EndPoint);
        await begun.AskAsync("RCPT TO:<alice>");

        await server.Listener.DrainAsync(Patience);

        Assert.Equal([GoingDown, LmtpClient.Closed], await idle.RepliesAsync(2));
        Assert.Equal([GoingDown, LmtpClient.Closed], await begun.RepliesAsync(2));
    }

    [Fact]
    public async Task A_message_on_its_way_is_taken_and_answered_first()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.AskAsync("RCPT TO:<alice>");
        await client.AskAsync("DATA");
        await client.SendAsync("first half, ");

        var draining = server.Listener.DrainAsync(Patience);
        await server.DrainBegan.WaitAsync(Patience);
        await client.SendAsync("second half\r\n.\r\nMAIL FROM:<>\r\n");

        Assert.Equal(["250 2.0.0 Stored for alice", GoingDown, LmtpClient.Closed], await client.RepliesAsync(3));
        await draining;
        Assert.Equal("first half, second half\r\n", Assert.Single(server.Messages).Message);
    }

    [Fact]
    public async Task A_delivery_under_way_is_finished_and_answered_first()
    {
        var mayEnd = new TaskCompletionSource();
        var hasBegun = new TaskCompletionSource();
        await using var server = LmtpServer.Start();
        server.Delivered = async _ =>
        {
            hasBegun.SetResult();
            await mayEnd.Task;
            return [new LmtpReply(250, "2.0.0", "Stored")];
        };
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.AskAsync("RCPT TO:<alice>");
        await client.AskAsync("DATA");
        await client.SendAsync("x\r\n.\r\n");
        await hasBegun.Task.WaitAsync(Patience);

        var draining = server.Listener.DrainAsync(Patience);
        await server.DrainBegan.WaitAsync(Patience);
        mayEnd.SetResult();

        Assert.Equal(["250 2.0.0 Stored", GoingDown, LmtpClient.Closed], await client.RepliesAsync(3));
        await draining;
    }
}
