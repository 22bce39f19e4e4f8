using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Tests.Shared;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Security;
using Xunit;

namespace ImapDirector.EndToEnd;

public sealed class StandaloneTests
{
    [Fact]
    public async Task Without_a_user_one_is_made_up_and_shown_once()
    {
        using var directory = new TemporaryDirectory();
        string password;
        await using (var first = await RunningProgram.StandaloneAsync(directory.Path))
        {
            Assert.Contains(first.Printed, line => line.Trim() == $"User      {Mail.Alice}");
            password = first.Printed.Single(line => line.Contains("Password", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
            using var client = await Mail.LogInAsync(first.Imaps, password: password);
            Assert.Equal(0, await first.TerminateAsync());
        }
        await using var second = await RunningProgram.StandaloneAsync(directory.Path);
        Assert.DoesNotContain(second.Printed, line => line.Contains("Password", StringComparison.Ordinal));
        using var again = await Mail.LogInAsync(second.Imaps, password: password);
    }

    [Fact]
    public async Task The_password_comes_from_standard_input_where_it_is_a_dash()
    {
        using var directory = new TemporaryDirectory();
        var (exitCode, _, error) = await RunningProgram.RunAsync("\n", "standalone", "--data", directory.Path, "--imap-port", "0", "--imaps-port", "0", "--lmtp-port", "0", "--http-port", "0", "--redis-port", "0",
            "--user", Mail.Alice, "--password", "-");
        Assert.Equal(78, exitCode);
        Assert.Contains("--password is empty or too long", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_offered_before_login_is_what_there_is_after_it()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice, "--password", Mail.Password);
        // Two nodes or more, where nobody has logged in: only for the first moments does the director not know them.
        string[] before;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        for (before = await OfferAsync(server); !before.Contains("NOTIFY"); before = await OfferAsync(server)) await Task.Delay(50, patience.Token);

        await using var session = await RawSession.ConnectAsync(server.Imap);
        await session.SendAsync($"a LOGIN {Mail.Alice} \"{Mail.Password}\"");
        var login = await session.ReadToAsync("a OK [CAPABILITY ");
        await session.SendAsync("b CAPABILITY");
        var after = WordsOf(await session.ReadToAsync("* CAPABILITY "));
        Assert.Equal(after, WordsOf(login[..login.IndexOf(']', StringComparison.Ordinal)].Replace("a OK [", "* ", StringComparison.Ordinal)));
        Assert.Equal(after, before.Where(static word => word is not ("STARTTLS" or "LOGINDISABLED") && !word.StartsWith("AUTH=", StringComparison.Ordinal)));
        Assert.DoesNotContain("COMPRESS=DEFLATE", after);
        await session.SendAsync("c COMPRESS DEFLATE");
        await session.ReadToAsync("c NO [CANNOT]");
    }

    private static async Task<string[]> OfferAsync(RunningProgram server)
    {
        await using var session = await RawSession.ConnectAsync(server.Imap);
        await session.SendAsync("a CAPABILITY");
        return WordsOf(await session.ReadToAsync("* CAPABILITY "));
    }

    private static string[] WordsOf(string line) => [.. line.Split(' ')[2..].Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Everything_is_there_again_after_a_restart()
    {
        using var directory = new TemporaryDirectory();
        string node;
        await using (var first = await RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice, "--password", Mail.Password))
        {
            await Mail.DeliverAsync(first.Lmtp, Mail.Alice, Mail.Message("kept"));
            await Mail.DeliverAsync(first.Lmtp, Mail.Alice, Mail.Message("large", 300_000));
            using var client = await Mail.LogInAsync(first.Imaps);
            await client.Inbox.OpenAsync(FolderAccess.ReadWrite);
            await client.Inbox.AddFlagsAsync(0, MessageFlags.Seen | MessageFlags.Flagged, silent: true);
            var created = await (await client.GetFolderAsync("")).CreateAsync("Work", isMessageFolder: true);
            await client.Inbox.CopyToAsync(1, created!);
            node = await NodeOfAsync(directory.Path);
            Assert.Equal(0, await first.TerminateAsync());
        }
        await using var second = await RunningProgram.StandaloneAsync(directory.Path);
        Assert.Equal(node, await NodeOfAsync(directory.Path));
        using var back = await Mail.LogInAsync(second.Imaps);
        await back.Inbox.OpenAsync(FolderAccess.ReadOnly);
        var summaries = await back.Inbox.FetchAsync(0, -1, MessageSummaryItems.Flags | MessageSummaryItems.Envelope);
        Assert.Equal(["kept", "large"], summaries.Select(summary => summary.Envelope!.Subject));
        Assert.Equal(MessageFlags.Seen | MessageFlags.Flagged, summaries[0].Flags & ~MessageFlags.Recent);
        var work = await back.GetFolderAsync("Work");
        await work.OpenAsync(FolderAccess.ReadOnly);
        Assert.Equal("large", (await work.GetMessageAsync(0)).Subject);
    }

    [Fact]
    public async Task Accounts_that_were_answered_survive_a_kill()
    {
        using var directory = new TemporaryDirectory();
        await using (var first = await RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice, "--password", Mail.Password))
        {
            Assert.Equal(0, (await RunningProgram.RunAsync("other password\n", "user", "add", "bob@example.com", "--data", directory.Path)).ExitCode);
            await Mail.DeliverAsync(first.Lmtp, "bob@example.com", Mail.Message("first"));
            await first.KillAsync();
        }
        await using var second = await RunningProgram.StandaloneAsync(directory.Path);
        using var bob = await Mail.LogInAsync(second.Imaps, "bob@example.com", "other password");
        await bob.Inbox.OpenAsync(FolderAccess.ReadOnly);
        Assert.Equal("first", (await bob.Inbox.GetMessageAsync(0)).Subject);
    }

    [Fact]
    public async Task A_renewed_certificate_is_shown_after_SIGHUP_and_nobody_is_disconnected()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice, "--password", Mail.Password);
        using var running = await Mail.LogInAsync(server.Imaps);
        var before = await FingerprintAsync(server);
        await server.HangUpAsync();
        await UntilLoggedAsync(server, "SIGHUP: nothing new");

        await File.WriteAllTextAsync(directory.File("tls/cert.pem"), "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
        await server.HangUpAsync();
        await UntilLoggedAsync(server, "stays the old one");
        Assert.Equal(before, await FingerprintAsync(server));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var renewed = new CertificateRequest("CN=renewed", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(90));
        await File.WriteAllTextAsync(directory.File("tls/key.pem"), key.ExportPkcs8PrivateKeyPem());
        await File.WriteAllTextAsync(directory.File("tls/cert.pem"), renewed.ExportCertificatePem());
        await server.HangUpAsync();
        await UntilLoggedAsync(server, "The certificate files were read again");
        Assert.Equal(renewed.GetCertHashString(HashAlgorithmName.SHA256), await FingerprintAsync(server));
        await running.NoOpAsync();
        Assert.Equal(0, await server.TerminateAsync());
    }

    private static async Task<string> FingerprintAsync(RunningProgram server)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Imaps);
        string? shown = null;
        using var tls = new SslStream(client.GetStream(), false, (_, certificate, _, _) =>
        {
            shown = certificate?.GetCertHashString(HashAlgorithmName.SHA256);
            return shown is not null;
        });
        await tls.AuthenticateAsClientAsync("localhost");
        return shown!;
    }

    private static async Task UntilLoggedAsync(RunningProgram server, string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!server.Log.Contains(text, StringComparison.Ordinal)) await Task.Delay(50, patience.Token);
    }

    [Fact]
    public async Task A_second_process_on_the_same_data_is_refused()
    {
        using var directory = new TemporaryDirectory();
        await using var first = await RunningProgram.StandaloneAsync(directory.Path);
        var (exitCode, printed, error) = await RunningProgram.RunAsync("", "standalone", "--data", directory.Path, "--imap-port", "0", "--imaps-port", "0", "--lmtp-port", "0", "--http-port", "0", "--redis-port", "0");
        Assert.Equal(78, exitCode);
        Assert.DoesNotContain("READY", printed, StringComparison.Ordinal);
        Assert.Contains("which another process uses: stop it, or name another directory.", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--redis-port", "Redis")]
    [InlineData("--imap-port", "Imap")]
    [InlineData("--http-port", "Http")]
    public async Task A_port_that_is_taken_is_named_and_costs_nobody_their_first_password(string option, string name)
    {
        using var directory = new TemporaryDirectory();
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string[] ports = [.. new[] { "--imap-port", "--imaps-port", "--lmtp-port", "--http-port", "--redis-port" }.Where(other => other != option).SelectMany(other => new[] { other, other == "--redis-port" ? $"{FreePort.Next()}" : "0" })];
        var (exitCode, printed, error) = await RunningProgram.RunAsync("", ["standalone", "--data", directory.Path, option, $"{((IPEndPoint)taken.LocalEndpoint).Port}", .. ports]);
        Assert.Equal(78, exitCode);
        Assert.DoesNotContain("READY", printed, StringComparison.Ordinal);
        Assert.Contains($"imapdirector: {name} ", error, StringComparison.Ordinal);
        Assert.Contains($"{taken.LocalEndpoint}", error, StringComparison.Ordinal);
        await using var server = await RunningProgram.StandaloneAsync(directory.Path);
        Assert.Contains(server.Printed, line => line.Contains("Password", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Keys_and_hashes_are_their_owners_alone_also_in_a_directory_that_others_may_enter()
    {
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode others = (UnixFileMode)0b000_111_111;
        using var directory = new TemporaryDirectory();
        File.SetUnixFileMode(directory.Path, File.GetUnixFileMode(directory.Path) | (UnixFileMode)0b000_101_101);
        await using var server = await RunningProgram.StandaloneAsync(directory.Path);
        foreach (var path in new[] { "redis", "tls", "node1", "node2", "standalone.json" })
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(directory.File(path)) & others);
    }

    [Fact]
    public async Task A_drain_says_goodbye_to_an_idling_session_and_ends_well()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice, "--password", Mail.Password);
        await using var session = await RawSession.LogInAsync(server.Imap);
        await session.SendAsync("b SELECT INBOX");
        await session.ReadToAsync("b OK");
        await session.SendAsync("c IDLE");
        await session.ReadToAsync("+ ");
        var ended = server.TerminateAsync();
        Assert.StartsWith("* BYE ", await session.ReadToAsync("* BYE"), StringComparison.Ordinal);
        Assert.Equal(0, await ended);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{ \"RedisPort\": 1, \"RedisPassword\": null }")]
    [InlineData("half")]
    public async Task Damaged_secrets_are_left_as_they_are_and_named(string text)
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory.File("standalone.json"), text);
        var (exitCode, _, error) = await RunningProgram.RunAsync("", "standalone", "--data", directory.Path, "--redis-port", "0");
        Assert.Equal(78, exitCode);
        Assert.Equal($"imapdirector: The file \"{directory.File("standalone.json")}\" is damaged: remove it, and the next start makes new secrets; accounts and mail stay.\n", error);
        Assert.Equal(text, await File.ReadAllTextAsync(directory.File("standalone.json")));
    }

    [Fact]
    public async Task With_new_secrets_accounts_and_mail_are_still_there_and_a_password_that_is_not_given_stays()
    {
        using var directory = new TemporaryDirectory();
        await using (var first = await RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice, "--password", Mail.Password))
        {
            await Mail.DeliverAsync(first.Lmtp, Mail.Alice, Mail.Message("kept"));
            await first.TerminateAsync();
        }
        File.Delete(directory.File("standalone.json"));
        await using var second = await RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice);
        Assert.DoesNotContain(second.Printed, line => line.Contains("Password", StringComparison.Ordinal));
        using var client = await Mail.LogInAsync(second.Imaps);
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        Assert.Equal("kept", (await client.Inbox.GetMessageAsync(0)).Subject);
    }

    [Fact]
    public async Task Health_asks_the_process_itself_whatever_proxy_there_is()
    {
        using var proxy = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        proxy.Start();
        var environment = new Dictionary<string, string> { ["http_proxy"] = $"http://{proxy.LocalEndpoint}" };
        Assert.Equal(69, (await RunningProgram.RunAsync(environment, "", "health", "--url", "http://127.0.0.1:1/readyz")).ExitCode);
        Assert.False(proxy.Pending());
    }

    [Fact]
    public async Task Accounts_are_managed_while_it_runs()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice, "--password", Mail.Password);
        Assert.Equal(0, await UserAsync("add", "bob@example.com", "one"));
        Assert.Equal(73, await UserAsync("add", "bob@example.com", "one"));
        using (await Mail.LogInAsync(server.Imaps, "bob@example.com", "one"))
        {
            var (_, shown, _) = await RunningProgram.RunAsync("", "user", "show", "BOB@example.com", "--data", directory.Path);
            Assert.Contains("sessions  1", shown, StringComparison.Ordinal);
            Assert.Contains("from 127.0.0.1", shown, StringComparison.Ordinal);
        }
        Assert.Equal(0, await UserAsync("passwd", "bob@example.com", "two"));
        await Assert.ThrowsAsync<AuthenticationException>(() => Mail.LogInAsync(server.Imaps, "bob@example.com", "one"));
        using (await Mail.LogInAsync(server.Imaps, "bob@example.com", "two"))
        {
            var (_, listed, _) = await RunningProgram.RunAsync("", "user", "list", "--data", directory.Path);
            Assert.Equal([Mail.Alice, "bob@example.com"], listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        }
        Assert.Equal(0, await UserAsync("remove", "bob@example.com", ""));
        Assert.Equal(3, await UserAsync("show", "bob@example.com", ""));
        Assert.Equal(65, await UserAsync("add", "no good name", "x"));

        async Task<int> UserAsync(string command, string name, string password) =>
            (await RunningProgram.RunAsync(password + "\n", "user", command, name, "--data", directory.Path)).ExitCode;
    }

    [Fact]
    public async Task It_says_whether_it_is_ready_and_keeps_passwords_out_of_its_log_and_its_metrics()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice, "--password", Mail.Password, "--log-level", "Trace");
        // A machine that stands still for a second makes it say once that it is not.
        (int ExitCode, string Printed, string Error) health = default;
        for (var attempt = 0; attempt < 20 && health.Printed != "ready\n"; attempt++) health = await RunningProgram.RunAsync("", "health", "--url", new Uri(server.Http, "/readyz").ToString());
        Assert.Equal((0, "ready\n"), (health.ExitCode, health.Printed));
        using (await Mail.LogInAsync(server.Imaps))
        {
            await Assert.ThrowsAsync<AuthenticationException>(() => Mail.LogInAsync(server.Imaps, password: "a wrong secret"));
        }
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(new Uri(server.Http, "/metrics"));
        Assert.Contains("imapdirector_logins_total{mechanism=\"", metrics, StringComparison.Ordinal);
        Assert.Contains("imapdirector_node_commands_total{", metrics, StringComparison.Ordinal);
        // Only when it has ended is all of its log there.
        await server.TerminateAsync();
        Assert.Contains("login refused", server.Log, StringComparison.Ordinal);
        var said = server.Log + metrics;
        var secrets = await File.ReadAllTextAsync(directory.File("standalone.json"));
        foreach (var secret in new[] { Mail.Password, "a wrong secret" }.Concat(System.Text.Json.JsonDocument.Parse(secrets).RootElement.EnumerateObject()
            .Where(item => item.Name.EndsWith("Password", StringComparison.Ordinal)).Select(item => item.Value.GetString()!)))
        {
            Assert.DoesNotContain(secret, said, StringComparison.Ordinal);
            foreach (var form in new[] { secret, $"\0{Mail.Alice}\0{secret}", $"{Mail.Alice}\0director\0{secret}" })
                Assert.DoesNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(form)), said, StringComparison.Ordinal);
        }
        Assert.Equal(69, (await RunningProgram.RunAsync("", "health", "--url", new Uri(server.Http, "/readyz").ToString())).ExitCode);
    }

    private static async Task<string> NodeOfAsync(string data)
    {
        var (_, shown, _) = await RunningProgram.RunAsync("", "user", "show", Mail.Alice, "--data", data);
        return shown.Split('\n').Single(line => line.StartsWith("node", StringComparison.Ordinal));
    }
}
