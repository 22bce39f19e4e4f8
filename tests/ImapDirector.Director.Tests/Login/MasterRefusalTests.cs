using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Authentication.Databases;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class MasterRefusalTests : IAsyncLifetime
{
    private const string Refused = "a NO [AUTHENTICATIONFAILED] Authentication failed.";
    private const string AliceAccount = "imapdirector:{alice@example.com}:account";

    private MasterFile _masters = null!;

    public async Task InitializeAsync() => _masters = await MasterFile.CreateAsync();

    public Task DisposeAsync()
    {
        _masters.Dispose();
        return Task.CompletedTask;
    }

    public static TheoryData<string, string, string> Hostile => new()
    {
        { Sasl("alice", "support", "wrong"), "wrong_password", "user=alice@example.com master=support" },
        { Sasl("alice", "nobody"), "no_such_master", "user=alice@example.com master=nobody" },
        { Sasl("alice", "gone"), "no_such_master", "user=alice@example.com master=gone" },
        { Sasl("bob", "alice", RunningDirector.Password), "no_such_master", "user=bob@example.com master=alice" },
        { Sasl("alice", "bob@example.com", RunningDirector.Password), "wrong_password", "user=alice@example.com master=bob@example.com" },
        { Sasl("stranger", "support"), "no_such_user", "user=stranger@example.com master=support" },
        { Sasl("carol", "support"), "disabled", "user=carol@example.com master=support" },
        { Sasl("tool", "support"), "no_such_user", "user=tool@example.com master=support" },
        { Sasl("al\u00efce", "support"), "no_such_user", "user= master=support" },
        { Sasl("alice", "supp\u00f6rt"), "no_such_master", "user=alice@example.com master=" },
        { Sasl("alice\r\nb LOGOUT", "support"), "no_such_user", "user= master=support" },
        { Sasl("alice*tool", "support"), "no_such_user", "user= master=support" },
        { Sasl("alice", "bob*support"), "no_such_master", "user=alice@example.com master=" },
        { Sasl("", "alice*support*x"), "no_such_master", "user=alice@example.com master=" },
        { Sasl("", "*support"), "no_such_user", "user= master=support" },
        { Sasl("", "alice*"), "no_such_master", "user=alice@example.com master=" },
        { Sasl("", "*"), "no_such_master", "user= master=" },
        { Sasl("", "alice**support"), "no_such_master", "user=alice@example.com master=" },
        { Sasl("", "support*support"), "no_such_user", "user=support@example.com master=support" },
        { $"a LOGIN \"alice*nobody\" {MasterFile.Password}", "no_such_master", "user=alice@example.com master=nobody" },
        { $"a LOGIN \"alice*support\" {RunningDirector.Password}", "wrong_password", "user=alice@example.com master=support" },
        { $"a LOGIN \"alice*support\" \"\"", "wrong_password", "user=alice@example.com master=support" },
        { $"a LOGIN \"alice*support\" {new string('x', Authenticator.MaxPasswordBytes)}{MasterFile.Password}", "wrong_password", "user=alice@example.com master=support" },
        { $"a LOGIN \"alice\u00ff*support\" {MasterFile.Password}", "", "" },
        { $"a AUTHENTICATE PLAIN {MasterFile.Plain("alice", "support", "a\0b")}", "", "" },
        { $"a AUTHENTICATE PLAIN {MasterFile.Plain("alice\0", "support")}", "", "" },
        // Whose password it is, is said: a user's.
        { $"a LOGIN support {MasterFile.Password}", "no_such_user", "user=support@example.com" },
        { Sasl("support", "support"), "no_such_user", "user=support@example.com" },
        { Sasl("bob", "bob@example.com"), "wrong_password", "user=bob@example.com" },
    };

    [TheoryIfInstalled("redis-server")]
    [MemberData(nameof(Hostile))]
    public async Task Whatever_is_wrong_with_it_gets_one_answer(string command, string result, string who)
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend);
        await director.Redis.Database.HashSetAsync("imapdirector:{carol@example.com}:account", [new("password", "x"), new("disabled", 1)]);
        var keys = director.Redis.Probe.GetServers()[0].Keys(pattern: "*:assignment").Count();
        await using var client = await director.ConnectAsync();
        await client.SendAsync(Encoding.Latin1.GetBytes(command + "\r\n"));
        var answer = (await client.ReadUntilAsync("a"))[^1];
        if (result.Length == 0) Assert.StartsWith("a BAD ", answer);
        else
        {
            Assert.Equal(Refused, answer);
            var line = director.Lines.Single(static line => line.Contains("login refused: ", StringComparison.Ordinal));
            Assert.StartsWith(who.Contains("master=", StringComparison.Ordinal) ? "3412 " : "3402 ", line, StringComparison.Ordinal);
            Assert.Contains($" login refused: {result}, {who} mechanism=", line, StringComparison.Ordinal);
        }
        Assert.StartsWith("z OK ", await client.AskAsync("z NOOP"));
        Assert.Empty(node.Sessions);
        Assert.Equal(keys, director.Redis.Probe.GetServers()[0].Keys(pattern: "*:assignment").Count());
        Assert.DoesNotContain(director.Lines, static line => line.Contains(MasterFile.Password, StringComparison.Ordinal) || line.Contains("secret", StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task Without_masters_nobody_is_somebody_else()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        foreach (var command in (string[])[Sasl("alice", "support"), Sasl("bob", "alice", RunningDirector.Password), Sasl("", "alice*support"), $"a LOGIN \"alice*support\" {RunningDirector.Password}"])
        {
            await using var client = await director.ConnectAsync();
            Assert.Equal(Refused, await client.AskAsync(command));
        }
        Assert.Empty(node.Sessions);
    }

    [FactIfInstalled("redis-server")]
    public async Task Elsewhere_than_in_their_networks_there_are_no_masters()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend,
            static options => options with { AllowPlainTextLogin = true, ProxyNetworks = [IPNetwork.Parse("127.0.0.0/8")] },
            static masters => masters with { Networks = [IPNetwork.Parse("192.0.2.0/24"), IPNetwork.Parse("2001:db8::/32")] });
        foreach (var (header, isRight) in ((string, bool)[])[("TCP4 192.0.3.0 198.51.100.1", false), ("TCP4 127.0.0.1 127.0.0.1", false), ("TCP6 2001:db9::1 ::1", false), ("TCP4 192.0.2.255 198.51.100.1", true), ("TCP6 2001:db8::1 ::1", true)])
        {
            foreach (var command in (string[])[Sasl("alice", "support"), $"a LOGIN alice*support {MasterFile.Password}", Sasl("alice", "nobody")])
            {
                await using var client = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);
                await client.SendAsync($"PROXY {header} 40001 143\r\n");
                Assert.StartsWith("* OK ", await client.ReadLineAsync());
                var answer = await client.AskAsync(command.Replace("alice*support", "\"alice*support\"", StringComparison.Ordinal));
                if (isRight && !command.Contains(Sasl("alice", "nobody"), StringComparison.Ordinal)) Assert.StartsWith("a OK ", answer);
                else Assert.Equal(Refused, answer);
            }
        }
        Assert.Equal(4, node.Sessions.Count);
        // Of names that are no master's nobody is warned.
        var warnings = director.Lines.Where(static line => line.StartsWith("3151 ", StringComparison.Ordinal)).ToArray();
        Assert.Equal(6, warnings.Length);
        Assert.All(warnings, static line => Assert.Contains("A login as master support from ", line, StringComparison.Ordinal));
        Assert.Equal(11, director.Lines.Count(static line => line.Contains("login refused: no_such_master,", StringComparison.Ordinal)));
    }

    [TheoryIfInstalled("redis-server")]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_load_balancer_or_a_director_in_front_that_tells_no_client_s_address_is_no_master_s(bool isProxy, bool isDirector)
    {
        IPNetwork[] loopback = [IPNetwork.Parse("127.0.0.0/8")];
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend, options => options with { ProxyNetworks = isProxy ? loopback : [], DirectorNetworks = isDirector ? loopback : [] },
            masters => masters with { Networks = [.. loopback, IPNetwork.Parse("192.0.2.0/24")] });
        await using var client = await ImapConversation.ConnectAsync(director.Server.ImapEndPoint!);
        // LOCAL, version 2: about no client.
        if (isProxy) await client.SendAsync([.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x20, 0, 0, 0]);
        Assert.StartsWith("* OK ", await client.ReadLineAsync());
        var answer = await client.AskAsync(Sasl("alice", "support"));
        if (isProxy || isDirector) Assert.Equal(Refused, answer);
        else Assert.StartsWith("a OK ", answer);
    }

    [FactIfInstalled("redis-server")]
    public async Task Guesses_at_a_master_count_for_the_master_and_not_for_the_user()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend, static options => options with { Throttle = options.Throttle with { UserFailures = 2 } });
        await using var guesser = await director.ConnectAsync();
        foreach (var guess in (string[])["one", "two"]) Assert.Equal(Refused, await guesser.AskAsync(Sasl("alice", "support", guess)));
        foreach (var other in (string[])[$"a LOGIN alice {RunningDirector.Password}", Sasl("alice", "bob@example.com"), $"a LOGIN bob {RunningDirector.Password}"])
        {
            await using var client = await director.ConnectAsync();
            Assert.StartsWith("a OK ", await client.AskAsync(other));
        }
        Assert.Single(UserFailures(director));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_master_who_has_come_in_forgives_nothing_that_was_guessed_at_the_user()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend);
        await using (var guesser = await director.ConnectAsync())
        {
            foreach (var guess in (string[])["one", "two"]) Assert.StartsWith("a NO ", await guesser.AskAsync($"a LOGIN alice {guess}"));
        }
        await using (var failing = await director.ConnectAsync()) Assert.StartsWith("a NO ", await failing.AskAsync(Sasl("alice", "support", "wrong")));
        await using (var client = await director.ConnectAsync()) Assert.StartsWith("a OK ", await client.AskAsync(Sasl("alice", "support")));
        Assert.Equal("2", (await director.Redis.Database.HashGetAsync(Assert.Single(UserFailures(director)), "n")).ToString());
    }

    [FactIfInstalled("redis-server")]
    public async Task A_master_s_password_is_never_remembered_as_the_user_s_nor_stored_nor_the_other_way_round()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend, static options => options with { Authentication = options.Authentication with { MakeScramVerifiers = true } });
        var weak = (await UserAccounts.HashAsync(PasswordScheme.Sha256Crypt, "secret"u8.ToArray(), CancellationToken.None))!;
        await director.Redis.Database.HashSetAsync(AliceAccount, "password", weak);
        var before = await FieldsAsync();
        await AssertAsync("OK", Sasl("alice", "support"), Sasl("alice", "bob@example.com"), Sasl("bob", "support"));
        Assert.Equal(before, await FieldsAsync());
        Assert.Equal(_masters.Text, await File.ReadAllTextAsync(_masters.Path));

        await AssertAsync("NO", $"a LOGIN alice {MasterFile.Password}", $"a LOGIN bob {MasterFile.Password}", $"a LOGIN support {MasterFile.Password}");
        await AssertAsync("OK", $"a LOGIN bob {RunningDirector.Password}", $"a LOGIN alice {RunningDirector.Password}");
        await AssertAsync("NO", Sasl("alice", "bob@example.com", RunningDirector.Password), Sasl("bob", "alice", RunningDirector.Password));
        // What is remembered for the time the databases are away is the users' own.
        await director.Redis.Process.KillAsync();
        await AssertAsync("NO", $"a LOGIN alice {MasterFile.Password}", Sasl("alice", "support", RunningDirector.Password), Sasl("alice", "support", "wrong"));
        await AssertAsync("NO [UNAVAILABLE]", Sasl("alice", "support"));
        await AssertAsync("OK", $"a LOGIN alice {RunningDirector.Password}");

        async Task<IEnumerable<string>> FieldsAsync() => (await director.Redis.Database.HashGetAllAsync(AliceAccount)).Select(static field => $"{field.Name}={field.Value}").Order(StringComparer.Ordinal);

        async Task AssertAsync(string status, params string[] commands)
        {
            foreach (var command in commands)
            {
                await using var client = await director.ConnectAsync();
                Assert.StartsWith($"a {status}", await client.AskAsync(command));
            }
        }
    }

    [FactIfInstalled("redis-server")]
    public async Task A_node_that_wants_users_passwords_never_gets_a_master_s()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend with { Login = NodeLogin.Password, MasterPassword = "" },
            static options => options with { Authentication = options.Authentication with { Databases = [new NodeDatabaseOptions()] } });
        await using var client = await director.ConnectAsync();
        Assert.Equal(Refused, await client.AskAsync(Sasl("alice", "support")));

        await director.Redis.Database.HashSetAsync("imapdirector:{alice@example.com}:assignment", [new("node", "node1"), new("epoch", 1)]);
        Assert.Equal("a NO [AUTHORIZATIONFAILED] You cannot be this user.", await client.AskAsync(Sasl("alice", "support")));
        Assert.Equal(Refused, await client.AskAsync(Sasl("alice", "support", "wrong")));
        Assert.Empty(node.Sessions);
        Assert.Empty(await director.SessionsAsync());
        Assert.Contains(director.Lines, static line => line.StartsWith("3414 ", StringComparison.Ordinal) && line.Contains("master support cannot be alice@example.com: node node1 ", StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_policy_service_is_told_the_master_s_name_and_not_the_user_s()
    {
        await using var service = new HttpAuthServer(static _ => HttpAuthServer.Json("""{"status":0}"""));
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend, options => options with { Throttle = options.Throttle with { PolicyUrl = service.Url, PolicyTimeout = TimeSpan.FromSeconds(10) } });
        await using var client = await director.ConnectAsync();
        Assert.Equal(Refused, await client.AskAsync(Sasl("alice", "support", "wrong")));
        Assert.StartsWith("a OK ", await client.AskAsync(Sasl("alice", "support")));
        Assert.Equal(4, service.Requests.Count);
        Assert.All(service.Requests, static request => Assert.Contains("\"login\":\"*support\"", request, StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task Each_refusal_costs_a_hash_whatever_is_wrong()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var test = await TestDirector.StartAsync(redis.ConnectionString);
        var options = new DirectorOptions { Authentication = new AuthenticationOptions { Masters = new MasterOptions { File = _masters.Path, Networks = [IPNetwork.Parse("192.0.2.0/24")] } } };
        // One is hashed, and nobody may wait: whoever needs it is told to come again.
        var hasher = new PasswordHasher(1, 0, new HashCost(64, 1, 1));
        var chain = new DatabaseChain([]);
        var verifiers = new ScramVerifiers(options, chain, hasher, new ImapDirector.Director.Directory.ClusterSecret(test.Redis));
        using var masters = new MasterLogin(options, chain, static (_, _) => Task.FromResult<bool?>(false), hasher, verifiers, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        var release = new TaskCompletionSource();
        var working = hasher.TakeTurnAsync("x"u8.ToArray(), HashRank.First, async _ =>
        {
            await release.Task;
            return "done";
        }, CancellationToken.None);
        foreach (var isFree in (bool[])[false, true])
        {
            if (isFree)
            {
                release.SetResult();
                await working;
            }
            foreach (var (master, password, user, address) in ((string, string, string, string)[])
                [("support", "wrong", "alice", "192.0.2.1"), ("nobody", "x", "alice", "192.0.2.1"), ("no name", "x", "alice", "192.0.2.1"), ("gone", MasterFile.Password, "alice", "192.0.2.1"),
                ("support", MasterFile.Password, "alice", "203.0.113.1"), ("support", MasterFile.Password, "nobody", "192.0.2.1"), ("support", "", "alice", "192.0.2.1")])
            {
                var result = await masters.CheckAsync(Encoding.UTF8.GetBytes(master), Encoding.UTF8.GetBytes(password), Encoding.UTF8.GetBytes(user), IPAddress.Parse(address), HashRank.First, CancellationToken.None);
                Assert.Equal(!isFree, result.Outcome == AuthenticationOutcome.TemporaryFailure);
                Assert.NotEqual(AuthenticationOutcome.Success, result.Outcome);
            }
        }
    }

    private static string Sasl(string identity, string name, string password = MasterFile.Password) => $"a AUTHENTICATE PLAIN {MasterFile.Plain(identity, name, password)}";

    private static IEnumerable<StackExchange.Redis.RedisKey> UserFailures(RunningDirector director) => director.Redis.Probe.GetServers()[0].Keys(pattern: "imapdirector:{throttle}:u:*");
}
