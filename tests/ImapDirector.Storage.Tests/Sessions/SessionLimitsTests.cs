using System.Text;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>What a logged-in client may cost (limits 2c), and how sessions end.</summary>
public sealed class SessionLimitsTests
{
    [Fact]
    public async Task Nineteen_bad_commands_in_a_row_are_borne_and_a_good_one_starts_the_count_anew()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 19; i++) Assert.StartsWith("BAD ", (await client.CommandAsync("nonsense"))[^1], StringComparison.Ordinal);
            await client.OkAsync("NOOP");
        }
    }

    [Fact]
    public async Task The_twentieth_bad_command_in_a_row_closes_the_session()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        for (var i = 0; i < 20; i++) await client.CommandAsync("nonsense");
        Assert.StartsWith("* BYE ", await client.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Null(await client.ReadLineAsync());
    }

    [Theory]
    [InlineData(64 * 1024, "BAD")]
    [InlineData(64 * 1024 + 1, "BAD Too long a line.")]
    public async Task A_line_has_64_KiB_and_what_is_longer_is_skipped(int length, string answer)
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.SendLineAsync("a NOOP " + new string('x', length - "a NOOP \r\n".Length));
        Assert.StartsWith(answer, (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        await client.OkAsync("NOOP");
    }

    [Theory]
    [InlineData(64, "OK")]
    [InlineData(65, "BAD")]
    public async Task A_search_key_nests_64_levels(int depth, string answer)
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        var nested = new StringBuilder().Insert(0, "NOT ", depth).Append("SEEN");
        Assert.StartsWith(answer, (await client.CommandAsync($"SEARCH {nested}"))[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2000, "OK")]
    [InlineData(2001, "NO [TOOBIG]")]
    public async Task A_message_over_the_limit_is_refused_before_the_client_sends_it(int size, string answer)
    {
        await using var node = await RunningNode.StartAsync(static options => options with { MaxMessageBytes = 2000 });
        await using var client = await node.LogInAsync();
        await client.SendLineAsync($"a APPEND INBOX {{{size}}}");
        var line = await client.ReadLineAsync();
        if (line == "+ OK")
        {
            await client.SendLineAsync(new string('x', size));
            line = await client.ReadLineAsync();
        }
        Assert.StartsWith($"a {answer}", line, StringComparison.Ordinal);

        // A client that does not ask is answered all the same, and its message is skipped.
        await client.SendAsync($"b APPEND INBOX {{{size}+}}\r\n{new string('y', size)}\r\nc NOOP\r\n");
        Assert.StartsWith(answer, (await client.ReadAnswerAsync("b"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("OK", (await client.ReadAnswerAsync("c"))[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(256, "OK")]
    [InlineData(257, "NO [LIMIT]")]
    public async Task A_mailbox_has_256_keywords(int count, string answer)
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.AppendAsync("INBOX", "Subject: x\r\n\r\n");
        await client.OkAsync("SELECT INBOX");
        var last = "";
        foreach (var few in Enumerable.Range(1, count).Chunk(50))
            last = (await client.CommandAsync($"STORE 1 +FLAGS.SILENT ({string.Join(' ', few.Select(static i => $"k{i}"))})"))[^1];
        Assert.StartsWith(answer, last, StringComparison.Ordinal);
    }

    [Fact]
    public Task A_session_that_says_nothing_for_the_idle_timeout_is_closed() => ImapScript.RunAsync("""
        C: a NOOP
        S: a OK ~
        S: * BYE Disconnected for inactivity.
        S: (end)
        """, static options => options with { IdleTimeout = TimeSpan.FromSeconds(10) });

    [Fact]
    public Task An_idle_of_the_whole_timeout_is_closed_as_well() => ImapScript.RunAsync("""
        C: a SELECT INBOX
        S: * FLAGS ~
        S: * OK ~
        S: * 0 EXISTS
        S: * 0 RECENT
        S: * OK ~
        S: * OK ~
        S: * OK ~
        S: * OK ~
        S: * OK ~
        S: a OK ~
        C: b IDLE
        S: + idling
        S: * BYE Disconnected for inactivity.
        S: (end)
        """, static options => options with { IdleTimeout = TimeSpan.FromSeconds(10) });

    [Fact]
    public async Task A_client_that_reads_nothing_is_closed_long_before_everything_was_written_for_it()
    {
        const int size = 8 * 1024 * 1024;
        await using var node = await RunningNode.StartAsync(static options => options with { WriteTimeout = TimeSpan.FromSeconds(3) });
        await using var client = await node.LogInAsync();
        await client.AppendAsync("INBOX", "Subject: big\r\n\r\n" + new string('x', size));
        await client.OkAsync("SELECT INBOX");
        await client.SendAsync(string.Concat(Enumerable.Range(0, 50).Select(static i => $"f{i} FETCH 1 BODY.PEEK[]\r\n")));
        await using var observer = await node.LogInAsync();
        // The session's end shows in the metric; there is nothing else to see of it from outside while its client does not read.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!(await node.MetricsTextAsync()).Contains("imapdirector_node_sessions 1\n", StringComparison.Ordinal)) await Task.Delay(20, patience.Token);
        var read = 0L;
        while (await client.ReadLineAsync() is { } line) read += line.Length;
        Assert.InRange(read, 1, 25L * size);
    }

    [Fact]
    public async Task A_drain_says_BYE_between_commands_and_in_IDLE()
    {
        await using var node = await RunningNode.StartAsync();
        await using var waiting = await node.LogInAsync();
        await using var idling = await node.LogInAsync();
        await using var greeted = await node.ConnectAsync();
        await idling.OkAsync("SELECT INBOX");
        await idling.SendLineAsync("i IDLE");
        Assert.Equal("+ idling", await idling.ReadLineAsync());

        var drained = node.Node.DrainAsync(TimeSpan.FromSeconds(20));

        foreach (var client in new[] { waiting, idling, greeted })
        {
            Assert.Equal("* BYE [UNAVAILABLE] The server is shutting down.", await client.ReadLineAsync());
            Assert.Null(await client.ReadLineAsync());
        }
        await drained;
        Assert.Equal("draining", await node.Node.NotReadyReasonAsync(CancellationToken.None));
    }

    [Fact]
    public async Task The_end_of_a_session_is_one_line_with_its_names_and_its_reason()
    {
        var lines = new LogLines();
        await using var node = await RunningNode.StartAsync(loggers: lines);
        await using (var client = await node.ConnectAsync())
        {
            await client.OkAsync("ID (\"x-originating-ip\" \"192.0.2.7\" \"x-session-id\" \"s e s s\\\\1\")");
            await client.OkAsync($"AUTHENTICATE PLAIN {RunningNode.Credentials("bob")}");
            await client.OkAsync("LOGOUT");
            Assert.Null(await client.ReadLineAsync());
        }
        await node.Node.DrainAsync(TimeSpan.FromSeconds(20));
        var end = Assert.Single(lines.All, static line => line.Contains("ended", StringComparison.Ordinal));
        Assert.Contains("session s?e?s?s\\1, user bob, client 192.0.2.7, reason LoggedOut", end, StringComparison.Ordinal);
        Assert.DoesNotContain(lines.All, static line => line.Contains(RunningNode.MasterPassword, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Commands_are_counted_by_name_and_result()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        await client.OkAsync("SELECT INBOX");
        await client.CommandAsync("UID FETCH 1:* FLAGS");
        await client.CommandAsync("SELECT nowhere");
        await client.CommandAsync("nonsense");
        var metrics = await node.MetricsTextAsync();
        foreach (var expected in new[] { "command=\"SELECT\",result=\"ok\"", "command=\"UID FETCH\",result=\"ok\"", "command=\"SELECT\",result=\"no\"", "command=\"unknown\",result=\"bad\"" })
            Assert.Contains($"imapdirector_node_commands_total{{{expected}}} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("imapdirector_node_open_mailboxes 0", metrics, StringComparison.Ordinal);
    }
}
