using System.CommandLine;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImapDirector.CommandLine;
using ImapDirector.Configuration;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Tests.CommandLine;

public sealed class OperatorTlsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private readonly ClientAuthority _authority = new();

    public OperatorTlsTests()
    {
        using var alice = _authority.Issue("CN=alice");
        File.WriteAllText(PathOf("alice.pem"), alice.ExportCertificatePem());
        Write("alice-key.pem", alice.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(PathOf("ca.pem"), _authority.Pem);
        File.WriteAllText(PathOf("token"), new string('x', 32));
    }

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_operators_certificate_is_shown_instead_of_a_token_or_with_one(bool withToken)
    {
        using var own = _authority.Issue("CN=localhost", usage: ClientAuthority.ForServers, dnsName: "localhost");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = AnswerAsync(listener, own);
        string[] token = withToken ? ["--token-file", PathOf("token")] : [];
        var (code, printed) = await RunAsync(["--api", $"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}", "--certificate-file", PathOf("alice.pem"), "--key-file", PathOf("alice-key.pem"), "--ca-file", PathOf("ca.pem"), .. token]);
        var (shown, request) = await answering;
        Assert.Equal((0, ""), (code, printed));
        Assert.Equal("CN=alice", shown);
        Assert.Equal(withToken, request.Contains($"Authorization: Bearer {new string('x', 32)}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_director_whose_certificate_others_have_signed_hears_nothing()
    {
        using var other = new ClientAuthority("Other");
        using var foreign = other.Issue("CN=localhost", usage: ClientAuthority.ForServers, dnsName: "localhost");
        using var elsewhere = _authority.Issue("CN=elsewhere", usage: ClientAuthority.ForServers, dnsName: "elsewhere.example.com");
        foreach (var own in (X509Certificate2[])[foreign, elsewhere])
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var answering = AnswerAsync(listener, own);
            var (code, printed) = await RunAsync(["--api", $"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}", "--token-file", PathOf("token"), "--ca-file", PathOf("ca.pem")]);
            Assert.Equal(ExitCode.Unavailable, code);
            Assert.Contains("do not trust", printed, StringComparison.Ordinal);
            Assert.DoesNotContain("Bearer", (await answering).Request, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_does_not_go_together_is_told()
    {
        var (certificate, key, ca, token) = (PathOf("alice.pem"), PathOf("alice-key.pem"), PathOf("ca.pem"), PathOf("token"));
        await AssertWrongAsync("nothing to show", "--api", "https://localhost:1");
        await AssertWrongAsync("belong together", "--api", "https://localhost:1", "--certificate-file", certificate);
        await AssertWrongAsync("belong together", "--api", "https://localhost:1", "--token-file", token, "--key-file", key);
        await AssertWrongAsync("no certificate is shown", "--api", "http://localhost:1", "--certificate-file", certificate, "--key-file", key);
        await AssertWrongAsync("no certificate is shown", "--api", "http://localhost:1", "--token-file", token, "--ca-file", ca);
        await AssertWrongAsync("in the clear", "--api", "http://192.0.2.1:1180", "--token-file", token);
        await AssertWrongAsync("in the clear", "--api", "http://director1.example.com:1180", "--token-file", token);
        await AssertWrongAsync("go with --api", "--token-file", token);
        await AssertWrongAsync("go with --api", "--data", _directory.FullName, "--certificate-file", certificate, "--key-file", key);
        await AssertWrongAsync("--ca-file is", "--api", "https://localhost:1", "--token-file", token, "--ca-file", PathOf("absent"));
        await AssertWrongAsync("--ca-file is", "--api", "https://localhost:1", "--token-file", token, "--ca-file", token);
        await AssertWrongAsync("--certificate-file is", "--api", "https://localhost:1", "--certificate-file", PathOf("absent"), "--key-file", key);
        await AssertWrongAsync("--key-file is", "--api", "https://localhost:1", "--certificate-file", certificate, "--key-file", PathOf("absent"));
        using var bob = _authority.Issue("CN=bob");
        Write("bob-key.pem", bob.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), UnixFileMode.UserRead);
        Assert.DoesNotContain("PRIVATE", await AssertWrongAsync("--key-file is", "--api", "https://localhost:1", "--certificate-file", certificate, "--key-file", PathOf("bob-key.pem")), StringComparison.Ordinal);
        Write("open-key.pem", await File.ReadAllTextAsync(key), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        await AssertWrongAsync("everybody on this machine may read", "--api", "https://localhost:1", "--certificate-file", certificate, "--key-file", PathOf("open-key.pem"));
    }

    private static async Task<string> AssertWrongAsync(string why, params string[] options)
    {
        var message = (await Assert.ThrowsAsync<ConfigurationException>(() => RunAsync(options))).Message;
        Assert.Contains(why, message, StringComparison.Ordinal);
        return message;
    }

    private static async Task<(int Code, string Printed)> RunAsync(params string[] options)
    {
        using var printed = new StringWriter();
        var code = await new RootCommand { NodesCommand.Create() }.Parse(["nodes", "list", .. options]).InvokeAsync(new InvocationConfiguration { Output = printed, Error = printed, EnableDefaultExceptionHandler = false });
        return (code, printed.ToString());
    }

    /// <summary>Answers one request with no nodes.</summary>
    private static async Task<(string? Shown, string Request)> AnswerAsync(TcpListener listener, X509Certificate2 own)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await using var tls = new SslStream(client.GetStream());
        var request = new StringBuilder();
        string? shown = null;
        try
        {
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = own, ClientCertificateRequired = true, RemoteCertificateValidationCallback = (_, certificate, _, _) => (shown = certificate?.Subject) is not null });
            var buffer = new byte[4096];
            while (!request.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                var count = await tls.ReadAsync(buffer);
                if (count == 0) break;
                request.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }
            await tls.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"nodes\":[]}"u8.ToArray());
            await tls.ShutdownAsync();
        }
        catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client did not want it.
        }
        return (shown, request.ToString());
    }

    private void Write(string name, string text, UnixFileMode mode)
    {
        File.WriteAllText(PathOf(name), text);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(PathOf(name), mode);
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);
}
