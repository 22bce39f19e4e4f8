using System.Text;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Protocol.Sasl;
using ImapDirector.Tests.Shared;
using MailKit.Net.Imap;
using MailKit.Security;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class MasterLoginTests : IAsyncLifetime
{
    private const string AliceAtNode = $"alice@example.com\0{FakeImapNode.MasterUser}\0{FakeImapNode.MasterPassword}";
    private const string CarolAssignment = "imapdirector:{carol@example.com}:assignment";

    private MasterFile _masters = null!;

    public async Task InitializeAsync() => _masters = await MasterFile.CreateAsync();

    public Task DisposeAsync()
    {
        _masters.Dispose();
        return Task.CompletedTask;
    }

    public static TheoryData<string, string[]> Ways => new()
    {
        { "sasl_plain", [$"a AUTHENTICATE PLAIN {MasterFile.Plain("alice", "support")}"] },
        { "sasl_plain", ["a AUTHENTICATE PLAIN", MasterFile.Plain("Alice+x@Example.com", "Support")] },
        { "sasl_plain", [$"a AUTHENTICATE PLAIN {MasterFile.Plain("", "alice*support")}"] },
        { "sasl_plain", [$"a AUTHENTICATE PLAIN {MasterFile.Plain("alice*support", "alice*support")}"] },
        { "sasl_plain", [$"a AUTHENTICATE PLAIN {MasterFile.Plain("alice", "tool")}"] },
        { "sasl_plain", [$"a AUTHENTICATE PLAIN {MasterFile.Plain("alice", "bob@example.com")}"] },
        { "sasl_login", ["a AUTHENTICATE LOGIN", Base64("alice@example.com*SUPPORT"), Base64(MasterFile.Password)] },
        { "login", [$"a LOGIN \"alice*support\" {MasterFile.Password}"] },
    };

    [TheoryIfInstalled("redis-server")]
    [MemberData(nameof(Ways))]
    public async Task A_master_is_the_user_and_everybody_who_has_to_know_hears_of_it(string mechanism, string[] lines)
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();
        foreach (var line in lines[..^1]) Assert.StartsWith("+ ", await client.SayAsync(line));
        Assert.StartsWith("a OK ", await client.SayAsync(lines[^1]));

        Assert.Equal(AliceAtNode, node.Session.Credentials);
        var session = Assert.Single((await director.Server.Sessions.ListSessionsAsync(new SessionFilter(null, null, null), CancellationToken.None))!);
        Assert.Equal(("alice@example.com", mechanism), (session.User.Value, session.Mechanism));
        var master = session.Master!.Value.Value;
        Assert.Contains(master, (string[])["support", "tool", "bob@example.com"]);
        Assert.EndsWith($" - {mechanism} - {master}", Assert.Single(await director.SessionsAsync()), StringComparison.Ordinal);
        Assert.Contains("imapdirector_master_logins_total{result=\"success\"} 1", await director.MetricsTextAsync(), StringComparison.Ordinal);
        await client.DisposeAsync();
        await TestDirector.UntilAsync(() => Task.FromResult(director.Lines.Any(static line => line.StartsWith("3413 ", StringComparison.Ordinal))));
        Assert.Matches($@"\A3411 \S+ master {master} has logged in as alice@example\.com: node=node1 mechanism={mechanism} client=127\.0\.0\.1:\d+ \z", director.Lines.Single(static line => line.StartsWith("3411 ", StringComparison.Ordinal)));
        Assert.Matches($@"\A3413 \S+ CC user=alice@example\.com master={master} node=node1 client=127\.0\.0\.1:\d+ in=0 ", director.Lines.Single(static line => line.StartsWith("3413 ", StringComparison.Ordinal)));
        Assert.DoesNotContain(director.Lines, static line => line.Contains(MasterFile.Password, StringComparison.Ordinal) || line.StartsWith("3401 ", StringComparison.Ordinal));
    }

    [TheoryIfInstalled("redis-server")]
    [InlineData("SCRAM-SHA-256", "n,a=alice,", "tool")]
    [InlineData("SCRAM-SHA-256", "n,,", "alice*tool")]
    [InlineData("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,a=alice,", "tool")]
    public async Task A_master_who_has_a_verifier_proves_it_with_SCRAM(string mechanism, string header, string name)
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend);
        await using var client = await director.SecureAsync();
        var binding = mechanism.EndsWith("-PLUS", StringComparison.Ordinal) ? director.CertificateDigest : [];
        Assert.StartsWith("a OK ", await ScramAsync(client, mechanism, header, name, MasterFile.Password, binding));
        Assert.Equal(AliceAtNode, node.Session.Credentials);
    }

    [TheoryIfInstalled("redis-server")]
    [InlineData("n,a=alice,", "tool", "wrong")]
    [InlineData("n,a=alice,", "nobody", MasterFile.Password)]
    [InlineData("n,a=alice,", "support", MasterFile.Password)]
    [InlineData("n,a=alice,", "gone", MasterFile.Password)]
    [InlineData("n,a=bob,", "alice", "secret")]
    [InlineData("n,a=stranger,", "tool", MasterFile.Password)]
    [InlineData("n,a=alice*tool,", "tool", MasterFile.Password)]
    [InlineData("n,,", "*tool", MasterFile.Password)]
    public async Task SCRAM_refuses_all_others_alike(string header, string name, string password)
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();
        Assert.Equal("a NO [AUTHENTICATIONFAILED] Authentication failed.", await ScramAsync(client, "SCRAM-SHA-256", header, name, password, []));
        Assert.Empty(node.Sessions);
    }

    [FactIfInstalled("redis-server", "curl", "gsasl", "doveadm")]
    public async Task Clients_that_know_masters_log_in_as_the_user()
    {
        await using var node = FakeImapNode.Obliging();
        await using var director = await _masters.StartAsync(node.Backend);
        var (plain, tls) = (director.Server.ImapEndPoint!.Port, director.Server.ImapsEndPoint!.Port);

        foreach (var mechanism in (SaslMechanism[])
        [
            new SaslMechanismPlain("support", MasterFile.Password) { AuthorizationId = "alice" },
            // An AuthorizationId comes without the "a=" that belongs before it.
            new SaslMechanismScramSha256("alice*tool", MasterFile.Password),
            new SaslMechanismScramSha256Plus("alice*tool", MasterFile.Password),
            new SaslMechanismLogin("alice*support", MasterFile.Password),
        ])
        {
            using var client = new ImapClient { ServerCertificateValidationCallback = (_, certificate, _, _) => certificate is not null };
            await client.ConnectAsync("127.0.0.1", tls, SecureSocketOptions.SslOnConnect);
            await client.AuthenticateAsync(mechanism);
        }
        Assert.True(await MailPrograms.RunAsync("curl", "-sk", "--url", $"imaps://127.0.0.1:{tls}/", "-u", $"support:{MasterFile.Password}", "--sasl-authzid", "alice", "--login-options", "AUTH=PLAIN", "-X", "NOOP"));
        foreach (var (mechanism, name) in ((string, string)[])[("PLAIN", "support"), ("SCRAM-SHA-256", "tool"), ("SCRAM-SHA-256-PLUS", "tool")])
        {
            Assert.True(await MailPrograms.RunAsync("gsasl", "--imap", "--connect", $"127.0.0.1:{plain}", mechanism.EndsWith("-PLUS", StringComparison.Ordinal) ? "--starttls" : "--no-starttls", "--x509-ca-file=", "-m", mechanism, "-a", name, "-z", "alice",
                "-p", MasterFile.Password, "--quiet", "--no-client-first"), mechanism);
        }
        Assert.True(await DoveadmAsync(plain));
        Assert.Equal(9, node.Sessions.Count);
        Assert.All(node.Sessions, static session => Assert.Equal(AliceAtNode, session.Credentials));
    }

    [FactIfInstalled("redis-server")]
    public async Task Limits_and_kicks_of_the_user_hold_for_a_master()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend, static options => options with { MaxSessionsPerUser = 1 });
        await using var client = await director.ConnectAsync();
        Assert.StartsWith("a OK ", await client.AskAsync($"a AUTHENTICATE PLAIN {MasterFile.Plain("alice", "support")}"));
        await using var second = await director.ConnectAsync();
        Assert.StartsWith("a NO [LIMIT]", await second.AskAsync($"a AUTHENTICATE PLAIN {MasterFile.Plain("alice", "support")}"));

        Assert.True(await director.Server.Sessions.KickAsync(new SessionFilter(TestDirector.User("alice@example.com"), null, null), CancellationToken.None));
        Assert.StartsWith("* BYE ", await client.ReadToEndAsync(), StringComparison.Ordinal);
        await TestDirector.UntilAsync(() => Task.FromResult(director.Lines.Any(static line => line.StartsWith("3413 ", StringComparison.Ordinal) && line.Contains(" KI user=alice@example.com master=support ", StringComparison.Ordinal))));
    }

    [FactIfInstalled("redis-server")]
    public async Task Whoever_has_a_node_can_be_acted_for_without_an_account_and_nobody_is_given_one_whom_no_database_knows()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();
        Assert.StartsWith("a NO [AUTHENTICATIONFAILED]", await client.AskAsync($"a AUTHENTICATE PLAIN {MasterFile.Plain("carol", "support")}"));
        Assert.False(await director.Redis.Database.KeyExistsAsync(CarolAssignment));

        await director.Redis.Database.HashSetAsync(CarolAssignment, [new("node", "node1"), new("epoch", 1)]);
        Assert.StartsWith("b OK ", await client.AskAsync($"b AUTHENTICATE PLAIN {MasterFile.Plain("carol", "support")}"));
        Assert.StartsWith("carol@example.com\0", node.Session.Credentials, StringComparison.Ordinal);
    }

    [FactIfInstalled("redis-server")]
    public async Task Whoever_asks_to_be_themselves_logs_in_as_ever()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend);
        foreach (var identity in (string[])["", "alice", "Alice@Example.COM", "alice+folder"])
        {
            await using var client = await director.ConnectAsync();
            Assert.StartsWith("a OK ", await client.AskAsync($"a AUTHENTICATE PLAIN {MasterFile.Plain(identity, "alice", RunningDirector.Password)}"));
        }
        Assert.DoesNotContain(director.Lines, static line => line.StartsWith("3411 ", StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_change_of_the_file_counts_at_once()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await _masters.StartAsync(node.Backend);
        var login = $"a AUTHENTICATE PLAIN {MasterFile.Plain("alice", "support")}";
        await using (var client = await director.ConnectAsync()) Assert.StartsWith("a OK ", await client.AskAsync(login));
        await _masters.WriteAsync(_masters.Text.Replace("support:", "helpdesk:", StringComparison.Ordinal));
        await TestDirector.UntilAsync(async () =>
        {
            await using var client = await director.ConnectAsync();
            return (await client.AskAsync(login)).StartsWith("a NO ", StringComparison.Ordinal);
        });
        await using var last = await director.ConnectAsync();
        login = $"a AUTHENTICATE PLAIN {MasterFile.Plain("alice", "helpdesk")}";
        Assert.StartsWith("a OK ", await last.AskAsync(login));
        await _masters.WriteAsync("");
        await TestDirector.UntilAsync(async () =>
        {
            await using var client = await director.ConnectAsync();
            return (await client.AskAsync(login)).StartsWith("a NO ", StringComparison.Ordinal);
        });
    }

    private static async Task<bool> DoveadmAsync(int port)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("doveadm-");
        var (user, group) = Environment.IsPrivilegedProcess ? ("nobody", "nogroup") : (Environment.UserName, Environment.UserName);
        await DovecotServer.GiveAsync(directory.FullName);
        var file = Path.Combine(directory.FullName, "dovecot.conf");
        await File.WriteAllTextAsync(file, $"""
            base_dir = {directory.FullName}/run
            log_path = {directory.FullName}/log
            ssl = no
            mail_uid = {user}
            mail_gid = {group}
            first_valid_uid = 1
            mail_location = imapc:{directory.FullName}/mail
            imapc_host = 127.0.0.1
            imapc_port = {port}
            imapc_user = alice
            imapc_master_user = support
            imapc_password = {MasterFile.Password}

            """);
        try
        {
            return await MailPrograms.RunAsync("env", $"HOME={directory.FullName}", $"USER={user}", "doveadm", "-c", file, "mailbox", "list");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<string> ScramAsync(ImapConversation client, string mechanism, string header, string name, string password, byte[] binding)
    {
        var scram = new ScramTestClient(ScramHashName.Sha256, header, name, "rOprNGfwEbeRWgbNEkqO");
        scram.Hear(Convert.FromBase64String((await client.SayAsync($"a AUTHENTICATE {mechanism} {Convert.ToBase64String(scram.First)}"))[2..]));
        var line = await client.SayAsync(Convert.ToBase64String(scram.Final(password, binding)));
        return line.StartsWith("+ ", StringComparison.Ordinal) ? await client.SayAsync("") : line;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));
}
