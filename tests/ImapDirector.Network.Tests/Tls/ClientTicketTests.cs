using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>Sessions that <c>openssl s_client</c> resumes.</summary>
public sealed class ClientTicketTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [TheoryIfInstalled("openssl")]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Who_comes_again_with_a_ticket_is_who_they_were_until_other_authorities_count(string version)
    {
        using var authority = new ClientAuthority();
        using var other = new ClientAuthority("Other");
        using var shown = authority.Issue();
        File.WriteAllText(PathOf("clients.pem"), authority.Pem);
        using var certificate = Load();
        var alice = new ClientIdentity(true, "alice", null);

        Assert.Equal((false, alice), await ConnectAsync(certificate, [version, "-sess_out", PathOf("session"), .. Showing(shown)]));
        // Without the certificate: it is in the ticket.
        Assert.Equal((true, alice), await ConnectAsync(certificate, [version, "-sess_in", PathOf("session")]));
        File.WriteAllText(PathOf("clients.pem"), other.Pem);
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Equal((false, default), await ConnectAsync(certificate, [version, "-sess_in", PathOf("session")]));
    }

    [TheoryIfInstalled("openssl")]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task A_ticket_is_worth_nothing_once_its_certificate_is_revoked(string version)
    {
        using var authority = new ClientAuthority();
        using var shown = authority.Issue();
        File.WriteAllText(PathOf("clients.pem"), authority.Pem);
        File.WriteAllBytes(PathOf("list"), authority.Revoke([]));
        using var certificate = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"], clients: new ClientCertificateOptions(PathOf("clients.pem"), CrlFiles: [PathOf("list")]));
        var alice = new ClientIdentity(true, "alice", null);

        Assert.Equal((false, alice), await ConnectAsync(certificate, [version, "-sess_out", PathOf("session"), .. Showing(shown)]));
        Assert.Equal((true, alice), await ConnectAsync(certificate, [version, "-sess_in", PathOf("session")]));
        File.WriteAllBytes(PathOf("list"), authority.Revoke([shown]));
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Equal((false, default), await ConnectAsync(certificate, [version, "-sess_in", PathOf("session")]));
        var (_, identity) = await ConnectAsync(certificate, [version, "-sess_in", PathOf("session"), .. Showing(shown)]);
        Assert.False(identity.IsVerified);
    }

    [TheoryIfInstalled("openssl")]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task A_certificate_that_did_not_hold_does_not_hold_in_a_ticket(string version)
    {
        using var authority = new ClientAuthority();
        using var other = new ClientAuthority("Other");
        using var shown = other.Issue();
        File.WriteAllText(PathOf("clients.pem"), authority.Pem);
        using var certificate = Load();
        await ConnectAsync(certificate, [version, "-sess_out", PathOf("session"), .. Showing(shown)]);
        var (isResumed, identity) = await ConnectAsync(certificate, [version, "-sess_in", PathOf("session")]);
        Assert.Equal((true, false, null), (isResumed, identity.IsVerified, identity.User));
        Assert.NotNull(identity.Fault);
    }

    [TheoryIfInstalled("openssl")]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task A_resumed_session_can_be_bound_to_the_certificate_of_its_name(string version)
    {
        foreach (var name in (string[])["first", "other"]) SelfSignedCertificate.Write(PathOf(name + ".pem"), PathOf(name + "-key.pem"), [name + ".example.com"]);
        using var certificate = ServerCertificate.Load(new CertificatePair(PathOf("first.pem"), PathOf("first-key.pem")), further: [new CertificatePair(PathOf("other.pem"), PathOf("other-key.pem"))]);
        var bindings = new List<(bool, string)>();
        foreach (var session in (string[])["-sess_out", "-sess_in"])
            await ConnectAsync(certificate, [version, session, PathOf("session"), "-servername", "other.example.com"],
                server => bindings.Add((server.Session!.IsResumed, Convert.ToHexString(server.Binding(TlsBinding.ServerEndPoint)!))));
        Assert.Equal([(false, certificate.All[1].Fingerprint), (true, certificate.All[1].Fingerprint)], bindings);
    }

    private static async Task<(bool IsResumed, ClientIdentity Identity)> ConnectAsync(ServerCertificate certificate, string[] arguments, Action<Connection>? secured = null)
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        var port = ((IPEndPoint)listening.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture);
        using var client = Process.Start(new ProcessStartInfo("openssl", ["s_client", "-connect", "127.0.0.1:" + port, "-servername", "localhost", "-ign_eof", .. arguments])
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (client.StandardOutput.ReadToEndAsync(), client.StandardError.ReadToEndAsync());
        await using var server = new Connection(await listening.AcceptAsync().WaitAsync(TestBytes.Patience));
        await server.StartTlsServerAsync(certificate, CancellationToken.None).WaitAsync(TestBytes.Patience);
        var seen = (server.Session!.IsResumed, server.Identity);
        secured?.Invoke(server);
        // Tickets come before it.
        await server.SayAsync("hello\r\n");
        await server.CloseSendingAsync();
        await client.WaitForExitAsync().WaitAsync(TestBytes.Patience);
        Assert.Contains("hello", await output + await error, StringComparison.Ordinal);
        return seen;
    }

    private ServerCertificate Load() => ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"], clients: new ClientCertificateOptions(PathOf("clients.pem")));

    private string[] Showing(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate)
    {
        File.WriteAllText(PathOf("client.pem"), certificate.ExportCertificatePem());
        using var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(certificate)!;
        File.WriteAllText(PathOf("client-key.pem"), key.ExportPkcs8PrivateKeyPem());
        return ["-cert", PathOf("client.pem"), "-key", PathOf("client-key.pem")];
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);
}
