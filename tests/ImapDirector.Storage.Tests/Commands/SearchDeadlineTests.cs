using System.Net.Sockets;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>A search ends when it takes too long, and when nobody waits for it any more (limits N12).</summary>
public sealed class SearchDeadlineTests
{
    // Only a test that fails waits for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static async Task<RunningNode> WithCopiesAsync(int bodyBytes, int doublings, TimeSpan deadline)
    {
        var node = await RunningNode.StartAsync(options => options with { SearchDeadline = deadline });
        await using var client = await node.LogInAsync();
        await client.AppendAsync("INBOX", "Subject: one of many\r\n\r\n" + new string('x', bodyBytes) + "\r\n");
        await client.OkAsync("SELECT INBOX");
        for (var i = 0; i < doublings; i++) await client.OkAsync("COPY 1:* INBOX");
        return node;
    }

    [Theory]
    [InlineData("SEARCH SUBJECT one")]
    [InlineData("UID SORT (SUBJECT) UTF-8 ALL")]
    [InlineData("THREAD REFERENCES UTF-8 ALL")]
    [InlineData("ESEARCH IN (personal) SUBJECT one")]
    public async Task What_takes_too_long_is_answered_NO_LIMIT_and_the_session_goes_on(string command)
    {
        await using var node = await WithCopiesAsync(bodyBytes: 10, doublings: 3, deadline: TimeSpan.Zero);
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        Assert.Equal(["NO [LIMIT] The search took too long."], await client.CommandAsync(command));
        Assert.Equal(["* 8 FETCH (UID 8)"], await client.OkAsync("FETCH 8 (UID)"));
    }

    [Fact]
    public async Task What_was_to_be_saved_is_nothing_then()
    {
        await using var node = await WithCopiesAsync(bodyBytes: 10, doublings: 1, deadline: TimeSpan.Zero);
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        await client.OkAsync("SEARCH RETURN (SAVE) ALL");
        Assert.Equal(["* 1 FETCH (UID 1)", "* 2 FETCH (UID 2)"], await client.OkAsync("FETCH $ (UID)"));
        Assert.StartsWith("NO [LIMIT] ", (await client.CommandAsync("SEARCH RETURN (SAVE) SUBJECT one"))[^1], StringComparison.Ordinal);
        Assert.Empty(await client.OkAsync("FETCH $ (UID)"));
    }

    [Theory]
    [InlineData("SEARCH BODY needle")]
    [InlineData("SORT (SUBJECT) UTF-8 BODY needle")]
    [InlineData("THREAD REFS UTF-8 BODY needle")]
    [InlineData("ESEARCH IN (personal) BODY needle")]
    public async Task It_ends_when_its_client_leaves(string command)
    {
        // 16 GB to look at.
        await using var node = await WithCopiesAsync(bodyBytes: 8 * 1024 * 1024, doublings: 11, deadline: TimeSpan.FromHours(1));
        await using (var client = await node.LogInAsync())
        {
            await client.OkAsync("SELECT INBOX");
            await client.SendLineAsync("a " + command);
        }
        using var patience = new CancellationTokenSource(Patience);
        while (!(await node.MetricsTextAsync()).Contains("imapdirector_node_sessions 0\n", StringComparison.Ordinal)) await Task.Delay(20, patience.Token);
    }

    [Fact]
    public async Task A_client_that_only_sends_nothing_more_is_answered()
    {
        await using var node = await WithCopiesAsync(bodyBytes: 8 * 1024 * 1024, doublings: 5, deadline: TimeSpan.FromHours(1));
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        await client.SendAsync("a SEARCH BODY needle\r\nb LOGOUT\r\n");
        client.Socket.Shutdown(SocketShutdown.Send);
        var lines = await client.ReadAnswerAsync("a");
        Assert.Equal(["* SEARCH", "OK Search completed."], lines.Where(static line => !line.StartsWith("* OK [INPROGRESS ", StringComparison.Ordinal)));
        Assert.StartsWith("OK ", (await client.ReadAnswerAsync("b"))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hundred_sessions_that_sort_are_all_answered_and_another_user_meanwhile()
    {
        await using var node = await WithCopiesAsync(bodyBytes: 10, doublings: 12, deadline: TimeSpan.FromSeconds(10));
        await using var bob = await node.LogInAsync("bob@example.com");
        var clients = new List<ImapClient>();
        try
        {
            for (var i = 0; i < 100; i++) clients.Add(await node.LogInAsync());
            foreach (var client in clients) await client.SendAsync("a SELECT INBOX\r\nb SORT RETURN (COUNT) (REVERSE SUBJECT) UTF-8 ALL\r\n");
            await bob.OkAsync("NOOP");
            foreach (var client in clients)
            {
                await client.ReadAnswerAsync("a");
                var answer = await client.ReadAnswerAsync("b");
                Assert.True(answer is ["* ESEARCH (TAG \"b\") COUNT 4096", "OK Sort completed."] or ["NO [LIMIT] The search took too long."], string.Join('|', answer));
                await client.OkAsync("NOOP");
            }
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
        }
    }
}
