using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Network.Tls;
using ImapDirector.Storage.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>The way into a node.</summary>
public sealed class LoginTests
{
    private static string Plain(string user, string password = RunningNode.MasterPassword, string master = "director") =>
        RunningNode.Credentials(user, password, master);

    private static async Task PlayAsync(string script, Func<StorageNodeOptions, StorageNodeOptions>? change = null)
    {
        await using var node = await RunningNode.StartAsync(change);
        await using var client = await node.ConnectAsync();
        await ImapScript.RunAsync(client, script);
    }

    [Fact]
    public async Task Where_loopback_is_not_listed_it_needs_TLS_too()
    {
        await using var node = await RunningNode.StartAsync(static options => options with { PlainTextNetworks = [] });
        await using var client = await node.ConnectAsync();
        Assert.StartsWith("NO [PRIVACYREQUIRED] ", (await client.CommandAsync($"AUTHENTICATE PLAIN {RunningNode.Credentials("alice@example.com")}"))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_greeting_offers_PLAIN_and_no_LOGIN()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await ImapClient.ConnectAsync(node.Node.ImapEndPoint);
        Assert.Equal("* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE LOGINDISABLED AUTH=PLAIN] ImapDirector node ready.", await client.ReadLineAsync());
    }

    [Fact]
    public Task A_director_logs_in_for_a_user_and_is_told_the_capabilities() => PlayAsync($"""
        C: a CAPABILITY
        S: * CAPABILITY IMAP4rev1 ~ IDLE ~ NOTIFY COMPRESS=DEFLATE APPENDLIMIT=~ LOGINDISABLED AUTH=PLAIN
        S: a OK ~
        C: b ID ("name" "director" "x-originating-ip" "192.0.2.7" "x-session-id" "abc")
        S: * ID ("name" "ImapDirector")
        S: b OK ~
        C: c NOOP
        S: c OK ~
        C: d AUTHENTICATE PLAIN
        S: +~
        C: {Plain("alice@example.com")}
        S: d OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE ~] ~
        C: e CAPABILITY
        S: * CAPABILITY ~ IDLE ~
        S: e OK ~
        C: f AUTHENTICATE PLAIN {Plain("alice@example.com")}
        S: f BAD ~
        """);

    public static TheoryData<string> Refused => new()
    {
        Plain("alice@example.com", password: "wrong"),
        Plain("alice@example.com", master: "somebody"),
        Plain("alice@example.com", password: RunningNode.MasterPassword + " "),
        Plain(""),
        // Not the canonical spelling: the director sends what it looked up, so this is no director's doing.
        Plain("Alice@example.com"),
        Plain("alice+detail@example.com"),
        Plain("../alice"),
        Convert.ToBase64String(Encoding.UTF8.GetBytes("alice@example.com\0alice@example.com\0secret")),
        Convert.ToBase64String("alice"u8),
        "=",
        "AAAA",
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public Task All_refusals_look_alike(string response) => PlayAsync($"""
        C: a AUTHENTICATE PLAIN {response}
        S: a NO [AUTHENTICATIONFAILED] Authentication failed.
        """);

    [Fact]
    public Task LOGIN_is_always_refused_like_a_wrong_password() => PlayAsync($$"""
        C: a LOGIN director "{{RunningNode.MasterPassword}}"
        S: a NO [AUTHENTICATIONFAILED] Authentication failed.
        """);

    [Fact]
    public Task The_third_failure_closes_the_connection() => PlayAsync("""
        C: a LOGIN x y
        S: a NO ~
        C: b LOGIN x y
        S: b NO ~
        C: c LOGIN x y
        S: c NO ~
        S: * BYE ~
        S: (end)
        """);

    [Fact]
    public Task The_third_bad_command_closes_the_connection() => PlayAsync("""
        C: a SELECT INBOX
        S: a BAD ~
        C: b nonsense
        S: b BAD ~
        C: )
        S: * BAD ~
        S: * BYE ~
        S: (end)
        """);

    [Fact]
    public Task A_cancelled_exchange_and_an_unknown_mechanism_are_answered() => PlayAsync("""
        C: a AUTHENTICATE PLAIN
        S: +~
        C: *
        S: a BAD ~
        C: b AUTHENTICATE CRAM-MD5
        S: b NO ~
        C: c LOGOUT
        S: * BYE ~
        S: c OK ~
        S: (end)
        """);

    [Fact]
    public async Task The_hundred_and_first_command_before_login_is_one_too_many()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.ConnectAsync();
        for (var i = 0; i < 100; i++) await client.OkAsync("NOOP");
        Assert.StartsWith("* BYE ", await client.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Null(await client.ReadLineAsync());
    }

    [Fact]
    public Task A_line_over_the_limit_is_answered_and_closes_the_connection() => PlayAsync($"""
        C: a NOOP {new string('x', 9000)}
        S: a BAD ~
        S: * BYE ~
        S: (end)
        """);

    [Fact]
    public Task Silence_ends_with_the_login_timeout_whatever_was_said_before() => PlayAsync("""
        C: a NOOP
        S: a OK ~
        S: * BYE ~
        S: (end)
        """, static options => options with { LoginTimeout = TimeSpan.FromSeconds(10) });

    [Fact]
    public async Task Commands_behind_the_login_are_answered_after_it()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.ConnectAsync();
        await client.SendAsync($"a AUTHENTICATE PLAIN {Plain("bob")}\r\nb SELECT INBOX\r\nc NOOP\r\n");
        Assert.StartsWith("OK ", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        Assert.Contains("* 0 EXISTS", await client.ReadAnswerAsync("b"));
        Assert.StartsWith("OK ", (await client.ReadAnswerAsync("c"))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task STARTTLS_makes_the_connection_secure_and_drops_what_was_sent_behind_it()
    {
        var directory = Directory.CreateTempSubdirectory("node-cert-").FullName;
        try
        {
            using var certificate = ServerCertificate.LoadOrCreateSelfSigned(directory, ["localhost"]);
            var lines = new LogLines();
            await using var node = await RunningNode.StartAsync(certificate: certificate, loggers: lines);
            await using var client = await node.ConnectAsync();
            await client.OkAsync("ID (\"x-originating-ip\" \"192.0.2.7\" \"x-session-id\" \"in-the-clear\")");
            Assert.EndsWith(" STARTTLS LOGINDISABLED AUTH=PLAIN", Assert.Single(await client.OkAsync("CAPABILITY")), StringComparison.Ordinal);
            await client.SendAsync("a STARTTLS\r\nb NOOP\r\n");
            Assert.StartsWith("a OK ", await client.ReadLineAsync(), StringComparison.Ordinal);
            await client.StartTlsAsync(async plain =>
            {
                var tls = new SslStream(plain);
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
                {
                    TargetHost = "localhost",
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString(HashAlgorithmName.SHA256) == certificate.Fingerprint,
                });
                return tls;
            });
            var capabilities = Assert.Single(await client.OkAsync("CAPABILITY"));
            Assert.EndsWith(" LOGINDISABLED AUTH=PLAIN", capabilities, StringComparison.Ordinal);
            Assert.DoesNotContain("STARTTLS", capabilities, StringComparison.Ordinal);
            Assert.StartsWith("BAD ", (await client.CommandAsync("STARTTLS"))[^1], StringComparison.Ordinal);
            Assert.StartsWith("OK ", (await client.CommandAsync($"AUTHENTICATE PLAIN {Plain("alice")}"))[^1], StringComparison.Ordinal);
            await client.OkAsync("LOGOUT");
            await node.Node.DrainAsync(TimeSpan.FromSeconds(20));
            Assert.Contains(lines.All, static line => line.Contains("ended", StringComparison.Ordinal));
            Assert.DoesNotContain(lines.All, static line => line.Contains("in-the-clear", StringComparison.Ordinal) || line.Contains("192.0.2.7", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task The_node_is_ready_while_it_runs_and_can_write()
    {
        var directory = Path.Combine(Path.GetTempPath(), $"node-{Guid.NewGuid():N}");
        await using (var node = await RunningNode.StartAsync(directory: directory))
        {
            Assert.Null(await node.Node.NotReadyReasonAsync(CancellationToken.None));
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(directory));
            Directory.Delete(directory, recursive: true);
            Assert.Equal("the data directory cannot be written", await node.Node.NotReadyReasonAsync(CancellationToken.None));
        }
    }
}
