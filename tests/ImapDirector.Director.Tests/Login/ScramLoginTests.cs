using System.Text;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Protocol.Sasl;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class ScramLoginTests
{
    private const string AliceAccount = "imapdirector:{alice@example.com}:account";
    private const string EndPoint = "p=tls-server-end-point,,";

    [FactIfInstalled("redis-server")]
    public async Task Who_has_the_password_proves_it_without_sending_it_and_the_director_proves_itself()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await director.ConnectAsync();

        var (answer, serverProof) = await ProveAsync(client, "SCRAM-SHA-256", "n,,", "alice", "secret", []);

        Assert.StartsWith("a OK ", answer);
        Assert.StartsWith("v=", serverProof, StringComparison.Ordinal);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_wrong_password_a_name_that_is_not_there_and_one_without_a_verifier_are_refused_alike()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        foreach (var (user, password) in new[] { ("alice", "wrong"), ("nobody", "secret"), ("bob", "secret"), ("al ice", "secret"), ("carol", "secret") })
        {
            await director.Redis.Database.HashSetAsync("imapdirector:{carol@example.com}:account", [new("password", await VerifierAsync("secret")), new("disabled", 1)]);
            await using var client = await director.ConnectAsync();
            var (answer, serverProof) = await ProveAsync(client, "SCRAM-SHA-256", "n,,", user, password, []);
            Assert.Equal("a NO [AUTHENTICATIONFAILED] Authentication failed.", answer);
            Assert.Null(serverProof);
        }
        Assert.Empty(node.Sessions);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_name_that_is_not_there_looks_the_same_every_time_and_at_every_director()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var other = await StartAsync(node, with: o => o with { Name = "director2" }, director);
        var told = new List<(string, int)>();
        foreach (var (at, name) in new[] { (director, "nobody"), (director, "nobody"), (other, "nobody"), (other, "Nobody@Example.com"), (director, "somebody"), (director, "bob") })
        {
            await using var client = await at.ConnectAsync();
            told.Add(await SaltOfAsync(client, name));
        }
        Assert.Single(told.Take(4).Distinct());
        Assert.Equal(3, told.Select(one => one.Item1).Distinct().Count());
        Assert.All(told, one => Assert.Equal((24, new AuthenticationOptions().ScramIterations), (one.Item1.Length, one.Item2)));
    }

    [FactIfInstalled("redis-server")]
    public async Task Channel_binding_is_offered_where_there_is_a_channel_and_holds()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using (var plain = await director.ConnectAsync())
        {
            Assert.DoesNotContain("-PLUS", string.Join(' ', await CapabilitiesAsync(plain)), StringComparison.Ordinal);
            Assert.StartsWith("a NO ", await plain.AskAsync("a AUTHENTICATE SCRAM-SHA-256-PLUS"));
        }
        await using var client = await director.SecureAsync();
        Assert.Contains("AUTH=SCRAM-SHA-256-PLUS", string.Join(' ', await CapabilitiesAsync(client)), StringComparison.Ordinal);
        Assert.StartsWith("a OK ", (await ProveAsync(client, "SCRAM-SHA-256-PLUS", EndPoint, "alice", "secret", director.CertificateDigest)).Answer);
    }

    [FactIfInstalled("redis-server")]
    public async Task Whoever_sits_in_between_gets_nowhere_with_another_channel_or_by_hiding_that_there_is_binding()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);

        await using var other = await director.SecureAsync();
        Assert.StartsWith("a NO ", (await ProveAsync(other, "SCRAM-SHA-256-PLUS", EndPoint, "alice", "secret", new byte[32])).Answer);
        await using var hidden = await director.SecureAsync();
        Assert.StartsWith("a NO ", (await ProveAsync(hidden, "SCRAM-SHA-256", "y,,", "alice", "secret", [])).Answer);
        // A client that has no binding at all may come in.
        await using var without = await director.SecureAsync();
        Assert.StartsWith("a OK ", (await ProveAsync(without, "SCRAM-SHA-256", "n,,", "alice", "secret", [])).Answer);

        Assert.Equal(2, director.Lines.Count(line => line.StartsWith("3402 ", StringComparison.Ordinal) && line.Contains("other_channel", StringComparison.Ordinal)));
    }

    [FactIfInstalled("redis-server")]
    public async Task Binding_that_is_offered_with_another_hash_cannot_be_hidden_either()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, o => o with { Authentication = o.Authentication with { Mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"] } });
        await using var hidden = await director.SecureAsync();
        Assert.StartsWith("a NO ", (await ProveAsync(hidden, "SCRAM-SHA-256", "y,,", "alice", "secret", [])).Answer);
        await using var plain = await director.ConnectAsync();
        Assert.StartsWith("a OK ", (await ProveAsync(plain, "SCRAM-SHA-256", "y,,", "alice", "secret", [])).Answer);
        Assert.Single(director.Lines, line => line.StartsWith("3402 ", StringComparison.Ordinal) && line.Contains("other_channel", StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task Nobody_may_ask_to_be_somebody_else()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await director.ConnectAsync();
        Assert.StartsWith("a NO ", (await ProveAsync(client, "SCRAM-SHA-256", "n,a=bob,", "alice", "secret", [])).Answer);
        Assert.StartsWith("a OK ", (await ProveAsync(client, "SCRAM-SHA-256", "n,a=alice,", "alice", "secret", [])).Answer);
    }

    [FactIfInstalled("redis-server")]
    public async Task What_is_no_exchange_is_bad_and_can_be_cancelled()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await director.ConnectAsync();
        await client.PlayAsync(
            "C: a AUTHENTICATE SCRAM-SHA-256", "S: + ", "C: *", "S: a BAD Authentication cancelled.",
            $"C: b AUTHENTICATE SCRAM-SHA-256 {Base64("n,,n=alice,r=abc")}", "S: + …", "C: *", "S: b BAD Authentication cancelled.",
            $"C: c AUTHENTICATE SCRAM-SHA-256 {Base64("p=tls-unique,,n=alice,r=abc")}", "S: c BAD Broken response.",
            $"C: d AUTHENTICATE SCRAM-SHA-256 {Base64("n,,n=alice,r=abc")}", "S: + …", $"C: {Base64("c=biws,r=abc,p=AAAA")}", "S: d BAD Broken response.",
            "C: e AUTHENTICATE SCRAM-SHA-256", "S: + ", "C: !", "S: e BAD Broken response.", "S: * BYE Too many bad commands.", "END");
    }

    [FactIfInstalled("redis-server")]
    public async Task Beyond_its_limit_an_address_does_not_learn_whether_a_password_is_right()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, Failures(2));
        await using var client = await director.ConnectAsync();
        for (var i = 0; i < 2; i++) Assert.StartsWith("a NO [AUTHENTICATIONFAILED]", (await ProveAsync(client, "SCRAM-SHA-256", "n,,", "alice", $"wrong{i}", [])).Answer);
        // One in fifteen seconds is checked.
        await using var next = await director.ConnectAsync();
        Assert.StartsWith("a NO [AUTHENTICATIONFAILED]", (await ProveAsync(next, "SCRAM-SHA-256", "n,,", "alice", "wrong2", [])).Answer);

        foreach (var name in (string[])["alice", "nobody"])
            Assert.StartsWith("a NO [LIMIT]", await next.AskAsync($"a AUTHENTICATE SCRAM-SHA-256 {Base64($"n,,n={name},r=abc")}"));
        Assert.Equal(2, director.Lines.Count(line => line.StartsWith("3402 ", StringComparison.Ordinal) && line.Contains("throttled", StringComparison.Ordinal)));
    }

    [FactIfInstalled("redis-server")]
    public async Task Of_exchanges_that_are_under_way_at_once_no_more_are_judged_than_failures_are_allowed()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, Failures(2));
        var clients = new List<(ImapConversation Client, ScramTestClient Scram)>();
        for (var i = 0; i < 4; i++)
        {
            var client = await director.ConnectAsync();
            var scram = new ScramTestClient(ScramHashName.Sha256, "n,,", "alice", "abc");
            scram.Hear(Convert.FromBase64String((await client.SayAsync($"a AUTHENTICATE SCRAM-SHA-256 {Convert.ToBase64String(scram.First)}"))[2..]));
            clients.Add((client, scram));
        }
        var answers = new List<string>();
        foreach (var (client, scram) in clients)
        {
            answers.Add(await client.SayAsync(Convert.ToBase64String(scram.Final(answers.Count < 3 ? $"wrong{answers.Count}" : "secret", []))));
            await client.DisposeAsync();
        }
        Assert.Equal(["AUTHENTICATIONFAILED", "AUTHENTICATIONFAILED", "AUTHENTICATIONFAILED", "LIMIT"], answers.Select(answer => answer.Split('[', ']')[1]));
    }

    [FactIfInstalled("redis-server")]
    public async Task Who_breaks_off_behind_the_server_s_first_message_has_failed()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, Failures(3));
        foreach (var (name, ending) in ((string, string?)[])[("alice", "*"), ("nobody", "!"), ("bob", null)])
        {
            await using var client = await director.ConnectAsync();
            Assert.StartsWith("+ ", await client.SayAsync($"a AUTHENTICATE SCRAM-SHA-256 {Base64($"n,,n={name},r=abc")}"));
            if (ending is not null) Assert.StartsWith("a BAD ", await client.SayAsync(ending));
        }
        await director.EndCodesAsync(3);
        var lines = director.Lines.Where(line => line.StartsWith("3402 ", StringComparison.Ordinal)).ToArray();
        Assert.All(lines, line => Assert.Matches(@" login refused: unfinished, user=(alice|nobody|bob)@example\.com mechanism=sasl_scram_sha_256 client=127\.0\.0\.1:\d+\s*\z", line));
        Assert.Equal(3, lines.Length);

        await using var next = await director.ConnectAsync();
        Assert.StartsWith("a NO [AUTHENTICATIONFAILED]", await next.AskAsync("a LOGIN alice wrong"));
        Assert.StartsWith("b NO [LIMIT]", await next.AskAsync("b LOGIN alice secret"));
    }

    [TheoryIfInstalled("redis-server")]
    [InlineData("password", "a NO [AUTHENTICATIONFAILED] Authentication failed.", "wrong_password")]
    [InlineData("disabled", "a NO [AUTHENTICATIONFAILED] Authentication failed.", "disabled")]
    [InlineData("gone", "a NO [AUTHENTICATIONFAILED] Authentication failed.", "no_such_user")]
    [InlineData("away", "a NO [UNAVAILABLE] Your mail cannot be reached now, please try again later.", "temporary_failure")]
    public async Task Whoever_holds_an_exchange_behind_the_proof_is_not_let_in_once_the_user_would_not_be(string what, string expected, string result)
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await director.ConnectAsync();
        await HoldAsync(client);

        if (what == "password") await director.Redis.Database.HashSetAsync(AliceAccount, "password", await VerifierAsync("another"));
        else if (what == "disabled") await director.Redis.Database.HashSetAsync(AliceAccount, "disabled", 1);
        else if (what == "gone") await director.Redis.Database.KeyDeleteAsync(AliceAccount);
        else await director.Redis.Process.KillAsync();

        Assert.Equal(expected, await client.SayAsync(""));
        Assert.Single(director.Lines, line => line.StartsWith("3402 ", StringComparison.Ordinal) && line.Contains($"login refused: {result}, user=alice@example.com", StringComparison.Ordinal));
        Assert.Empty(node.Sessions);
    }

    [FactIfInstalled("redis-server")]
    public async Task Whoever_holds_an_exchange_behind_the_proof_is_met_by_a_kick_meanwhile()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await director.ConnectAsync();
        await HoldAsync(client);

        Assert.True(await director.Server.Sessions.KickAsync(new SessionFilter(TestDirector.User("alice@example.com"), null, null), CancellationToken.None));
        await TestDirector.UntilAsync(() => Task.FromResult(director.Lines.Any(static line => line.StartsWith("3041 ", StringComparison.Ordinal))));

        await client.SendAsync("\r\n");
        Assert.EndsWith("* BYE The session is closed, please connect again.\r\n", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal(["KI"], await director.EndCodesAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task A_connection_may_break_off_three_times()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await using var client = await director.ConnectAsync();
        for (var i = 0; i < 3; i++)
            await client.PlayAsync($"C: a AUTHENTICATE SCRAM-SHA-256 {Base64("n,,n=alice,r=abc")}", "S: + …", "C: *", "S: a BAD Authentication cancelled.");
        await client.PlayAsync("S: * BYE Too many failed logins.", "END");
    }

    [FactIfInstalled("redis-server")]
    public async Task With_PLAIN_switched_off_no_password_is_taken()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, o => o with { Authentication = o.Authentication with { Mechanisms = ["SCRAM-SHA-256"] } });
        await using var client = await director.ConnectAsync();
        Assert.Contains("LOGINDISABLED", await CapabilitiesAsync(client));
        Assert.StartsWith("a BAD ", await client.AskAsync("a LOGIN alice secret"));
        Assert.StartsWith("a NO ", await client.AskAsync("a AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA=="));
        Assert.StartsWith("a OK ", (await ProveAsync(client, "SCRAM-SHA-256", "n,,", "alice", "secret", [])).Answer);
    }

    private static async Task<RunningDirector> StartAsync(FakeImapNode node, Func<DirectorOptions, DirectorOptions>? with = null, RunningDirector? beside = null)
    {
        var director = await RunningDirector.StartAsync(node.Backend, options =>
        {
            var offered = options with { Authentication = options.Authentication with { Mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"] } };
            return with?.Invoke(offered) ?? offered;
        }, beside?.Redis);
        if (beside is null) await director.Redis.Database.HashSetAsync(AliceAccount, "password", await VerifierAsync("secret"));
        return director;
    }

    private static Func<DirectorOptions, DirectorOptions> Failures(int limit) => options => options with { Throttle = options.Throttle with { AddressFailures = limit } };

    private static async Task<string> VerifierAsync(string password) =>
        (await ImapDirector.Director.Authentication.UserAccounts.HashAsync(ImapDirector.Director.Authentication.PasswordScheme.ScramSha256, Encoding.ASCII.GetBytes(password), CancellationToken.None))!;

    /// <summary>As alice, up to the director's proof, which is not answered.</summary>
    private static async Task HoldAsync(ImapConversation client)
    {
        var scram = new ScramTestClient(ScramHashName.Sha256, "n,,", "alice", "rOprNGfwEbeRWgbNEkqO");
        scram.Hear(Convert.FromBase64String((await client.SayAsync($"a AUTHENTICATE SCRAM-SHA-256 {Convert.ToBase64String(scram.First)}"))[2..]));
        Assert.StartsWith("+ ", await client.SayAsync(Convert.ToBase64String(scram.Final("secret", []))));
    }

    private static async Task<(string Answer, string? ServerProof)> ProveAsync(ImapConversation client, string mechanism, string header, string user, string password, byte[] binding)
    {
        var scram = new ScramTestClient(ScramHashName.Sha256, header, user, "rOprNGfwEbeRWgbNEkqO");
        await client.SendAsync($"a AUTHENTICATE {mechanism} {Convert.ToBase64String(scram.First)}\r\n");
        scram.Hear(Convert.FromBase64String((await client.ReadLineAsync())![2..]));
        await client.SendAsync(Convert.ToBase64String(scram.Final(password, binding)) + "\r\n");
        var line = (await client.ReadLineAsync())!;
        if (!line.StartsWith("+ ", StringComparison.Ordinal)) return (line, null);
        await client.SendAsync("\r\n");
        return ((await client.ReadLineAsync())!, Encoding.ASCII.GetString(Convert.FromBase64String(line[2..])));
    }

    private static async Task<(string Salt, int Iterations)> SaltOfAsync(ImapConversation client, string user)
    {
        var scram = new ScramTestClient(ScramHashName.Sha256, "n,,", user, "abc");
        await client.SendAsync($"a AUTHENTICATE SCRAM-SHA-256 {Convert.ToBase64String(scram.First)}\r\n");
        scram.Hear(Convert.FromBase64String((await client.ReadLineAsync())![2..]));
        return scram.Told;
    }

    private static async Task<string[]> CapabilitiesAsync(ImapConversation client)
    {
        await client.SendAsync("x CAPABILITY\r\n");
        return (await client.ReadUntilAsync("x"))[0].Split(' ');
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));
}
