using System.Diagnostics;
using System.Text;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class ClientSessionTests
{
    [FactIfInstalled("redis-server")]
    public async Task A_password_in_the_clear_is_counted_and_told_with_the_address_once_for_a_connection()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { PlainTextNetworks = [] });
        await using (var client = await director.ConnectAsync())
        {
            Assert.StartsWith("a NO [PRIVACYREQUIRED] ", await client.AskAsync("a LOGIN alice secret"));
            Assert.StartsWith("b NO [PRIVACYREQUIRED] ", await client.AskAsync("b AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA=="));
        }
        await director.EndCodesAsync();
        Assert.Single(director.Lines, line => line.StartsWith("3402 ", StringComparison.Ordinal) && line.Contains(" login refused: privacy_required, user= mechanism=login client=127.0.0.1:", StringComparison.Ordinal));
        Assert.Contains("imapdirector_logins_total{mechanism=\"login\",result=\"privacy_required\"} 1\n", await director.MetricsTextAsync(), StringComparison.Ordinal);
        Assert.Empty(node.Sessions);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_client_logs_in_and_talks_to_its_node()
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.LogInAsync();
            var command = await session.ReadLineAsync();
            await session.WriteLineAsync($"* BYE\r\n{NodeSession.Tag(command)} OK");
        });
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();

        await client.PlayAsync("C: a LOGIN Alice+lists secret", "S: a OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] Logged in.", "C: b LOGOUT", "S: * BYE", "S: b OK", "END");

        // D2: the node sees the name that was looked up.
        Assert.Equal("alice@example.com\0director\0node secret", node.Session.Credentials);
        await client.DisposeAsync();
        Assert.Equal(["NC"], await director.EndCodesAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task Over_TLS_it_is_the_same()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapsEndPoint!);
        await client.SecureAsync();
        await client.PlayAsync("S: * OK …", $"C: a AUTHENTICATE PLAIN {Base64("\0alice\0secret")}", "S: a OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] Logged in.");

        await client.SendAsync("b SELECT INBOX\r\n");

        await node.Session.UntilHeardAsync("b SELECT INBOX\r\n");
        Assert.Contains("\"x-client-transport\" \"TLS\"", node.Session.Heard);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_session_is_on_record_while_it_runs_and_no_longer()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.LogInAsync();

        Assert.Contains(" director1 127.0.0.1 ", Assert.Single(await director.SessionsAsync()));

        await client.DisposeAsync();
        Assert.Equal(["CC"], await director.EndCodesAsync());
        await director.UntilNoSessionIsOnRecordAsync();
    }

    public static TheoryData<string, Func<NodeSession, Task>, Func<ImapConversation, Task>> WaysOut => new()
    {
        { "CX", Listen, client => { client.Socket.Close(0); return Task.CompletedTask; } },
        { "NC", _ => Task.CompletedTask, Close },
        { "NX", session => { session.Reset(); return Task.CompletedTask; }, Close },
        { "IT", Listen, client => client.ReadToEndAsync() },
    };

    [TheoryIfInstalled("redis-server"), MemberData(nameof(WaysOut))]
    public async Task However_a_session_ends_its_record_goes(string code, Func<NodeSession, Task> atNode, Func<ImapConversation, Task> atClient)
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.LogInAsync();
            await session.ReadLineAsync();
            await atNode(session);
        });
        await using var director = await RunningDirector.StartAsync(node.Backend, options => code == "IT" ? options with { RelayIdleTimeout = TimeSpan.FromSeconds(3) } : options);
        await using var client = await director.LogInAsync();
        await client.SendAsync("b NOOP\r\n");

        await atClient(client);

        Assert.Equal([code], await director.EndCodesAsync());
        await director.UntilNoSessionIsOnRecordAsync();
        await node.Session.Closed;
    }

    [FactIfInstalled("redis-server")]
    public async Task A_node_that_refuses_leaves_no_record_and_the_client_may_try_again()
    {
        var refusals = 0;
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await session.AnswerLoginAsync(Interlocked.Increment(ref refusals) == 1 ? "NO [AUTHENTICATIONFAILED] not mine" : NodeSession.LoggedIn);
            await session.ListenAsync();
        });
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();

        // It says nothing about the password.
        await client.PlayAsync("C: a LOGIN alice secret", "S: a NO [UNAVAILABLE] Your mail cannot be reached now, please try again later.");
        Assert.Empty(await director.SessionsAsync());
        await client.PlayAsync("C: b LOGIN alice secret", "S: b OK …");
        Assert.Single(await director.SessionsAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task P18_an_unknown_a_disabled_and_an_impossible_user_are_refused_in_the_same_words_as_a_wrong_password()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await director.Redis.Database.HashSetAsync("imapdirector:{bob@example.com}:account", "disabled", 1);
        string[] attempts =
        [
            "a LOGIN alice wrong\r\n", "a LOGIN nobody secret\r\n", "a LOGIN bob secret\r\n", "a LOGIN {7+}\r\nal\r\nice secret\r\n", "a LOGIN \"../../etc\" secret\r\n",
            "a LOGIN {5+}\r\nalic\u00e9 secret\r\n", $"a AUTHENTICATE PLAIN {Base64("bob\0alice\0secret")}\r\n", $"a LOGIN {new string('x', 256)} secret\r\n",
        ];

        foreach (var attempt in attempts)
        {
            await using var client = await director.ConnectAsync();
            await client.SendAsync(attempt + "b LOGOUT\r\n");
            Assert.Equal("a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n* BYE Logging out.\r\nb OK LOGOUT completed.\r\n", await client.ReadToEndAsync());
        }
        Assert.Empty(node.Sessions);
    }

    [FactIfInstalled("redis-server")]
    public async Task P14_P15_each_refusal_waits_and_further_guesses_wait_longer()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { FailureDelay = TimeSpan.FromMilliseconds(100) });
        await using var client = await director.ConnectAsync();

        foreach (var (password, least) in new[] { ("wrong", 100), ("wrong", 100), ("other", 200) })
        {
            var began = Stopwatch.GetTimestamp();
            Assert.StartsWith("a NO ", await client.AskAsync($"a LOGIN alice {password}"));
            // Timers count in whole ticks of a coarser clock.
            Assert.True(Stopwatch.GetElapsedTime(began).TotalMilliseconds >= least * 0.8);
        }
    }

    [FactIfInstalled("redis-server")]
    public async Task P17_of_sixty_pipelined_logins_three_are_checked()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();

        await client.SendAsync(string.Concat(Enumerable.Range(1, 60).Select(i => $"a{i} LOGIN alice x{i}\r\n")));

        Assert.EndsWith("a3 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n* BYE Too many failed logins.\r\n", await client.ReadToEndAsync());
        Assert.Equal(["LF"], await director.EndCodesAsync());
        Assert.Equal(3, director.Lines.Count(line => line.StartsWith("3402 ", StringComparison.Ordinal)));
    }

    [TheoryIfInstalled("redis-server")]
    [InlineData("pass\r\nD9 LOGOUT\r\n")]
    [InlineData("\"quotes\" and \\ {5}\r\n")]
    [InlineData("{999999+}\r\n")]
    [InlineData("\u00e9\u00ff\u0080")]
    public async Task D1_no_byte_of_a_password_reaches_the_node(string password)
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await director.AddUserAsync("carol", password);
        await using var client = await director.ConnectAsync();

        await client.SendAsync($"a LOGIN carol {{{password.Length}+}}\r\n{password}\r\n");

        Assert.StartsWith("a OK ", await client.ReadLineAsync());
        var lines = node.Session.Heard.Split("\r\n");
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("D1 ID (", lines[0]);
        Assert.Equal("D2 AUTHENTICATE PLAIN " + Base64("carol@example.com\0director\0node secret"), lines[1]);
        Assert.Equal("", lines[2]);
    }

    [FactIfInstalled("redis-server")]
    public async Task D3_what_is_pipelined_behind_a_login_waits_for_the_nodes_OK_and_then_goes_once_and_in_order()
    {
        var mayAnswer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await session.WriteLineAsync($"{NodeSession.Tag(await session.ReadLineAsync())} OK");
            var authenticate = await session.ReadLineAsync();
            await mayAnswer.Task;
            // Nothing may have come meanwhile.
            Assert.Equal(0, session.Socket.Available);
            await session.WriteLineAsync($"{NodeSession.Tag(authenticate)} {NodeSession.LoggedIn}");
            await session.ListenAsync();
        });
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();
        var pipelined = "b SELECT INBOX\r\n" + string.Concat(Enumerable.Range(0, 2000).Select(i => $"c{i} NOOP\r\n"));

        await client.SendAsync("a LOGIN alice secret\r\n" + pipelined);
        await TestDirector.UntilAsync(() => Task.FromResult(node.Sessions.Any(session => session.Heard.Contains("AUTHENTICATE", StringComparison.Ordinal))));
        mayAnswer.SetResult();

        await node.Session.UntilHeardAsync("c1999 NOOP\r\n");
        Assert.EndsWith("\r\n" + pipelined, node.Session.Heard);
        Assert.Equal(node.Session.Heard.Length, node.Session.Heard.IndexOf(pipelined, StringComparison.Ordinal) + pipelined.Length);
        await client.PlayAsync("S: a OK …");
    }

    [FactIfInstalled("redis-server")]
    public async Task D3_what_is_pipelined_behind_a_refused_login_never_reaches_a_node()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();

        await client.SendAsync("a LOGIN alice wrong\r\nb SELECT INBOX\r\nc LOGIN alice secret\r\n");
        await client.PlayAsync("S: a NO …", "S: b BAD Log in first.", "S: c OK …");
        await client.SendAsync("d NOOP\r\n");

        await node.Session.UntilHeardAsync("d NOOP\r\n");
        Assert.DoesNotContain("SELECT", node.Session.Heard);
    }

    [FactIfInstalled("redis-server")]
    public async Task P13_a_session_too_many_from_one_address_is_told_the_limit()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { MaxSessionsPerUserAddress = 2 });
        await using var first = await director.LogInAsync();
        await using var second = await director.LogInAsync();
        await using var third = await director.ConnectAsync();

        await third.PlayAsync("C: a LOGIN alice secret", "S: a NO [LIMIT] Too many sessions.");
        await using var bob = await director.LogInAsync("bob");
        await first.DisposeAsync();
        await director.EndCodesAsync();

        await third.PlayAsync("C: b LOGIN alice secret", "S: b OK …");
    }

    [FactIfInstalled("redis-server")]
    public async Task A_session_too_many_from_one_address_or_at_one_node_is_told_the_limit_and_leaves_nothing_behind()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { MaxSessionsPerAddress = 2 });
        await using var first = await director.LogInAsync();
        await using var second = await director.LogInAsync("bob");
        await using var third = await director.ConnectAsync();

        await third.PlayAsync("C: a LOGIN alice secret", "S: a NO [LIMIT] Too many sessions.");
        Assert.Single(await director.SessionsAsync());
        Assert.Equal(2, node.Sessions.Count);
        director.Server.Reload(director.Options with { MaxSessionsPerNode = 2 });
        await using var fourth = await director.ConnectAsync();
        await fourth.PlayAsync("C: a LOGIN alice secret", "S: a NO [LIMIT] Too many sessions.");
        Assert.Contains(director.Lines, static line => line.StartsWith("3402 ", StringComparison.Ordinal) && line.Contains("address_limit_reached", StringComparison.Ordinal));
        Assert.Contains(director.Lines, static line => line.StartsWith("3402 ", StringComparison.Ordinal) && line.Contains("node_limit_reached", StringComparison.Ordinal));

        await second.DisposeAsync();
        await director.EndCodesAsync();
        await fourth.PlayAsync("C: b LOGIN alice secret", "S: b OK …");
    }

    [FactIfInstalled("redis-server")]
    public async Task A_record_of_a_session_says_how_it_came_and_what_has_no_shape_is_shown_as_its_number()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.SecureAsync();

        await client.AskAsync("i ID (\"name\" \"Mail \u00e2\u0080\u00aeexe\" \"version\" \"7\")");
        await client.PlayAsync("C: a LOGIN alice secret", "S: a OK …");

        var session = Assert.Single((await director.Server.Sessions.ListSessionsAsync(new SessionFilter(null, null, null), CancellationToken.None))!);
        Assert.Equal(("alice@example.com", "node1", "127.0.0.1", "1.3", "login"), (session.User.Value, session.Node, session.ClientAddress, session.Tls, session.Mechanism));
        Assert.Equal(@"Mail \u{202e}exe 7", session.ClientName);
    }

    [FactIfInstalled("redis-server")]
    public async Task With_Redis_away_who_logged_in_a_moment_ago_still_can_and_others_are_told_unavailable()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { RedisTimeout = TimeSpan.FromSeconds(3) });
        await using var before = await director.LogInAsync();

        await director.Redis.Process.KillAsync();

        await using var client = await director.ConnectAsync();
        await client.PlayAsync("C: a LOGIN bob secret", "S: a NO [UNAVAILABLE] …", "C: b LOGIN alice wrong", "S: b NO [UNAVAILABLE] …", "C: c LOGIN alice secret", "S: c OK …");
        // A session that runs goes on untouched.
        await before.SendAsync("x NOOP\r\n");
        await node.Sessions.First().UntilHeardAsync("x NOOP\r\n");
    }

    [FactIfInstalled("redis-server")]
    public async Task P9_who_does_not_log_in_in_time_is_told_so_whatever_they_are_doing()
    {
        await using var node = new FakeImapNode(session => session.ListenAsync());
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { LoginTimeout = TimeSpan.FromSeconds(6), BackendConnectTimeout = TimeSpan.FromMinutes(1) });
        await using var silent = await director.ConnectAsync();
        await using var halfway = await director.ConnectAsync();
        await using var waiting = await director.ConnectAsync();
        await halfway.SendAsync("a LOGIN alice {6}\r\n");
        await halfway.PlayAsync("S: + OK");
        await waiting.SendAsync("a LOGIN alice secret\r\n");

        foreach (var client in (ImapConversation[])[silent, halfway, waiting])
            await client.PlayAsync("S: * BYE Too slow a login.", "END");

        Assert.Equal(["LT", "LT", "LT"], await director.EndCodesAsync(3));
        Assert.Empty(await director.SessionsAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task P9_a_handshake_that_is_not_done_in_time_ends_without_a_word_in_the_clear()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { LoginTimeout = TimeSpan.FromSeconds(5) });
        await using var implicitly = await ImapConversation.ConnectAsync(director.Server.ImapsEndPoint!);
        await using var upgrading = await director.ConnectAsync();
        await upgrading.PlayAsync("C: a STARTTLS", "S: a OK …");

        Assert.Equal("", await implicitly.ReadToEndAsync());
        Assert.Equal("", await upgrading.ReadToEndAsync());
        Assert.Equal(["LT", "LT"], await director.EndCodesAsync(2));
    }

    [FactIfInstalled("redis-server")]
    public async Task R6_a_broken_exchange_hurts_nobody_but_its_own_connection()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        string[] broken = ["!!!", "\t\t\t\t", "AGFs\tAA==", "====", new string('A', 8000), "\0\0\0", "*"];

        async Task BreakAsync(string response)
        {
            await using var client = await director.ConnectAsync();
            await client.PlayAsync("C: a AUTHENTICATE PLAIN", "S: + ", "C: " + response, "S: a BAD …");
        }
        async Task WorkAsync()
        {
            await using var client = await director.LogInAsync();
        }
        await Task.WhenAll(broken.SelectMany(response => (Task[])[BreakAsync(response), WorkAsync()]));

        Assert.DoesNotContain("XX", await director.EndCodesAsync(2 * broken.Length));
    }

    [FactIfInstalled("redis-server")]
    public async Task P23_neither_a_password_nor_a_name_that_is_none_gets_into_a_log_line()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();

        await client.PlayAsync("C: a LOGIN alice Wr0ng-pass", "S: a NO …", "C: b LOGIN Hunter2?? x", "S: b NO …", "C: c LOGIN alice secret", "S: c OK …");
        await client.DisposeAsync();
        await director.EndCodesAsync();

        Assert.All(director.Lines, line =>
        {
            foreach (var secret in (string[])["Wr0ng", "Hunter2", " secret", "node secret", Base64("node secret")])
                Assert.DoesNotContain(secret, line, StringComparison.OrdinalIgnoreCase);
        });
    }

    private static Task Listen(NodeSession session) => session.ListenAsync();

    private static async Task Close(ImapConversation client)
    {
        try
        {
            await client.ReadToEndAsync();
        }
        catch (IOException)
        {
            // With a reset, it is closed all the same.
        }
        await client.DisposeAsync();
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
