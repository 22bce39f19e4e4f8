using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class ExternalLoginTests : IDisposable
{
    private const string Offer = "AUTH=EXTERNAL";

    private readonly ClientAuthority _authority = new();
    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }

    [FactIfInstalled("redis-server")]
    public async Task Whom_the_certificate_names_is_logged_in_in_every_form_of_the_exchange()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        using var certificate = _authority.Issue();
        foreach (var identity in (string[])["", "alice", "Alice@EXAMPLE.com"])
        {
            var encoded = Convert.ToBase64String(Encoding.ASCII.GetBytes(identity));
            await using var at = await director.SecureAsync(certificate);
            await at.PlayAsync($"C: a AUTHENTICATE EXTERNAL {(encoded.Length == 0 ? "=" : encoded)}", "S: a OK …");
            await using var later = await director.SecureAsync(certificate);
            await later.PlayAsync("C: a AUTHENTICATE EXTERNAL", "S: + ", $"C: {encoded}", "S: a OK …");
        }
        await using var equals = await director.SecureAsync(certificate);
        await equals.PlayAsync("C: a AUTHENTICATE EXTERNAL", "S: + ", "C: =", "S: a OK …");

        var records = await director.SessionsAsync();
        Assert.NotEmpty(records);
        Assert.All(records, record => Assert.Contains("sasl_external", record, StringComparison.Ordinal));
        Assert.Equal(7, node.Sessions.Count);
    }

    [FactIfInstalled("redis-server")]
    public async Task It_is_offered_to_a_client_with_a_certificate_that_names_a_user_and_to_nobody_else()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        using var stranger = new ClientAuthority();
        using var certificate = _authority.Issue();
        using var foreign = stranger.Issue();
        using var nameless = _authority.Issue("O=alice");
        using var spaced = _authority.Issue("CN=Alice Smith");
        using var detailed = _authority.Issue("CN=alice+x");
        using var capital = _authority.Issue("CN=Alice");
        using var withNul = _authority.Issue(new X500DistinguishedName("CN=alice\0x"));

        await using (var plain = await director.ConnectAsync())
        {
            Assert.DoesNotContain(Offer, await CapabilityAsync(plain), StringComparison.Ordinal);
            await plain.PlayAsync("C: b AUTHENTICATE EXTERNAL =", "S: b NO Unsupported mechanism.", "C: c STARTTLS", "S: c OK …");
            await plain.SecureAsync(certificate);
            Assert.Contains(Offer, await CapabilityAsync(plain), StringComparison.Ordinal);
            await plain.PlayAsync("C: d AUTHENTICATE EXTERNAL =", "S: d OK …");
        }
        foreach (var shown in (X509Certificate2?[])[null, foreign, nameless, spaced, withNul, detailed, capital])
        {
            await using var client = await director.SecureAsync(shown);
            Assert.DoesNotContain(Offer, await CapabilityAsync(client), StringComparison.Ordinal);
            await client.PlayAsync("C: b AUTHENTICATE EXTERNAL =", "S: b NO Unsupported mechanism.", "C: c LOGIN alice secret", "S: c OK …");
        }
        // One line for each that is of no use by itself, the last of them a moment behind the answer.
        int Lines() => director.Lines.Count(static line => line.StartsWith("3410 ", StringComparison.Ordinal));
        await TestDirector.UntilAsync(() => Task.FromResult(Lines() >= 6));
        Assert.Equal(6, Lines());
    }

    [FactIfInstalled("redis-server")]
    public async Task Nobody_may_ask_to_be_somebody_else()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        using var certificate = _authority.Issue();
        await using var client = await director.SecureAsync(certificate);
        foreach (var identity in (string[])["bob", "alice@example.org", "al ice"])
            await client.PlayAsync($"C: a AUTHENTICATE EXTERNAL {Convert.ToBase64String(Encoding.ASCII.GetBytes(identity))}", "S: a NO [AUTHENTICATIONFAILED] Authentication failed.");
        Assert.Equal(3, Refusals(director, "no_such_user"));
        Assert.Empty(node.Sessions);
    }

    [FactIfInstalled("redis-server")]
    public async Task Who_has_no_account_or_one_that_is_disabled_is_refused_like_with_a_wrong_password()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        await director.Redis.Database.HashSetAsync("imapdirector:{bob@example.com}:account", "disabled", 1);
        foreach (var (user, result) in new[] { ("nobody", "no_such_user"), ("bob", "disabled") })
        {
            using var certificate = _authority.Issue($"CN={user}");
            await using var client = await director.SecureAsync(certificate);
            await client.PlayAsync("C: a AUTHENTICATE EXTERNAL =", "S: a NO [AUTHENTICATIONFAILED] Authentication failed.");
            Assert.Equal(1, Refusals(director, result));
        }
        Assert.Empty(node.Sessions);
    }

    [FactIfInstalled("redis-server")]
    public async Task What_is_no_response_is_bad_and_can_be_cancelled()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node);
        using var certificate = _authority.Issue();
        await using var client = await director.SecureAsync(certificate);
        await client.PlayAsync(
            "C: a AUTHENTICATE EXTERNAL", "S: + ", "C: *", "S: a BAD Authentication cancelled.",
            "C: b AUTHENTICATE EXTERNAL AGFsaWNl", "S: b BAD Broken response.",
            "C: c AUTHENTICATE EXTERNAL", "S: + ", "C: a b", "S: c BAD Broken response.",
            "C: d AUTHENTICATE EXTERNAL =", "S: d OK …");
    }

    [FactIfInstalled("redis-server")]
    public async Task Where_a_certificate_is_required_nobody_comes_to_the_greeting_without_one()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await StartAsync(node, isRequired: true);
        await using (var without = await ImapConversation.ConnectAsync(director.Server.ImapsEndPoint!))
        {
            // In TLS 1.3 a client hears of it with what it reads first.
            var greeted = await Record.ExceptionAsync(async () =>
            {
                await without.SecureAsync();
                await without.ReadLineAsync();
            });
            Assert.NotNull(greeted);
        }
        Assert.Equal(["TF"], await director.EndCodesAsync());
        using var certificate = _authority.Issue();
        await using var client = await director.SecureAsync(certificate);
        await client.PlayAsync("C: a LOGIN alice secret", "S: a OK …");
    }

    [FactIfInstalled("redis-server", "curl", "python3")]
    public async Task Clients_log_in_with_it()
    {
        await using var node = FakeImapNode.Obliging();
        await using var director = await StartAsync(node);
        using var certificate = _authority.Issue();
        var (file, keyFile) = (Path.Combine(_directory.FullName, "alice.pem"), Path.Combine(_directory.FullName, "alice-key.pem"));
        await File.WriteAllTextAsync(file, certificate.ExportCertificatePem());
        using (var key = certificate.GetECDsaPrivateKey()!) await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
        var port = director.Server.ImapsEndPoint!.Port.ToString(CultureInfo.InvariantCulture);

        await RunAsync("curl", "-sk", "--cert", file, "--key", keyFile, "--url", $"imaps://127.0.0.1:{port}/", "-u", "alice:", "--login-options", "AUTH=EXTERNAL", "-X", "NOOP");
        await RunAsync("python3", "-c", $"""
            import imaplib, ssl
            context = ssl._create_unverified_context()
            context.load_cert_chain('{file}', '{keyFile}')
            client = imaplib.IMAP4_SSL('127.0.0.1', {port}, ssl_context=context)
            client.authenticate('EXTERNAL', lambda challenge: b'')
            client.noop()
            """);
        Assert.Equal(2, node.Sessions.Count);
    }

    [Fact]
    public void It_cannot_be_offered_without_authorities() => Assert.Contains("ClientCertificates",
        Assert.Single(new DirectorOptions { Imap = new(0, 0), Nodes = [new BackendNode { Name = "n", Host = "127.0.0.1", MasterUser = "m", MasterPassword = "p" }], Authentication = new() { Mechanisms = ["EXTERNAL"] } }.Validate()), StringComparison.Ordinal);

    [FactIfInstalled("redis-server")]
    public async Task It_is_not_offered_to_a_client_whose_certificate_is_revoked()
    {
        await using var node = FakeImapNode.Ready();
        using var certificate = _authority.Issue();
        using var stolen = _authority.Issue();
        var list = Path.Combine(_directory.FullName, "list.crl");
        await File.WriteAllBytesAsync(list, _authority.Revoke([stolen]));
        await using var director = await StartAsync(node, lists: [list]);
        await using (var client = await director.SecureAsync(certificate)) await client.PlayAsync("C: a AUTHENTICATE EXTERNAL =", "S: a OK …");
        await using var thief = await director.SecureAsync(stolen);
        Assert.DoesNotContain(Offer, await CapabilityAsync(thief), StringComparison.Ordinal);
        await thief.PlayAsync("C: b AUTHENTICATE EXTERNAL =", "S: b NO Unsupported mechanism.", "C: c LOGIN alice secret", "S: c OK …");
        // A moment behind the answer.
        await TestDirector.UntilAsync(() => Task.FromResult(director.Lines.Any(static line => line.StartsWith("3410 ", StringComparison.Ordinal))));
        Assert.Contains("revoked", Assert.Single(director.Lines, static line => line.StartsWith("3410 ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    private async Task<RunningDirector> StartAsync(FakeImapNode node, bool isRequired = false, string[]? lists = null)
    {
        var file = Path.Combine(_directory.FullName, "clients.pem");
        await File.WriteAllTextAsync(file, _authority.Pem);
        return await RunningDirector.StartAsync(node.Backend, options => options with
        {
            Authentication = options.Authentication with { Mechanisms = ["PLAIN", "EXTERNAL"] },
            ClientCertificates = new ClientCertificateOptions(file, isRequired, CrlFiles: lists),
        });
    }

    private static int Refusals(RunningDirector director, string result) => director.Lines.Count(line =>
        line.StartsWith("3402 ", StringComparison.Ordinal) && line.Contains($"refused: {result},", StringComparison.Ordinal) && line.Contains("mechanism=sasl_external ", StringComparison.Ordinal));

    private static async Task<string> CapabilityAsync(ImapConversation client)
    {
        await client.SendAsync("x CAPABILITY\r\n");
        return (await client.ReadUntilAsync("x"))[0];
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, $"{program}: {process.ExitCode} {await output} {await error}");
    }
}
