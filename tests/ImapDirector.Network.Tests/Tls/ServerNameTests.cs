using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>With OpenSSL called directly.</summary>
public sealed class DirectServerNameTests() : ServerNameTests(isDirect: true);

/// <summary>With .NET's TLS.</summary>
public sealed class RuntimeServerNameTests() : ServerNameTests(isDirect: false);

public abstract class ServerNameTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private readonly bool _isDirect;

    protected ServerNameTests(bool isDirect)
    {
        _isDirect = isDirect;
        Write("first", "mail.example.com");
        Write("wild", "*.example.com", "example.com");
        Write("other", "imap.example.org", "mail.example.com");
    }

    public void Dispose()
    {
        _directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("mail.example.com", "first")]
    [InlineData("imap.example.org", "other")]
    [InlineData("IMAP.Example.ORG", "other")]
    [InlineData("pop.example.com", "wild")]
    [InlineData("example.com", "wild")]
    [InlineData("a.b.example.com", "first")]
    [InlineData("example.org", "first")]
    [InlineData("nobody.example.net", "first")]
    [InlineData(null, "first")]
    public async Task The_certificate_whose_name_is_asked_for_is_shown_and_can_be_bound_to(string? name, string expected)
    {
        using var certificate = Load();
        foreach (var protocol in (SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13])
        {
            await using var pair = await SocketPair.ConnectAsync();
            var shown = await ShownAsync(pair, certificate, name, protocol);
            Assert.Equal(FingerprintOf(expected), shown);
            Assert.Equal(shown, Convert.ToHexString(pair.Server.Binding(TlsBinding.ServerEndPoint)!));
            await pair.Client.SayAsync("hello");
            Assert.Equal("hello", await pair.Server.HearAsync(5));
        }
    }

    [Fact]
    public async Task Each_is_read_again_and_all_stay_when_one_is_broken()
    {
        using var certificate = Load();
        Assert.Equal([FingerprintOf("first"), FingerprintOf("wild"), FingerprintOf("other")], certificate.All.Select(static one => one.Fingerprint));
        var before = FingerprintOf("other");
        Write("other", "imap.example.org");
        File.WriteAllText(PathOf("wild.pem"), "nothing");
        Assert.Equal(CertificateReload.Kept, certificate.Reload());
        Assert.Contains(PathOf("wild.pem"), Assert.Single(certificate.Faults), StringComparison.Ordinal);
        await using (var pair = await SocketPair.ConnectAsync()) Assert.Equal(before, await ShownAsync(pair, certificate, "imap.example.org"));
        Write("wild", "*.example.com");
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        await using var again = await SocketPair.ConnectAsync();
        Assert.Equal(FingerprintOf("other"), await ShownAsync(again, certificate, "imap.example.org"));
        Assert.NotEqual(before, FingerprintOf("other"));
    }

    [Fact]
    public async Task Client_certificates_are_asked_for_whatever_is_shown()
    {
        using var authority = new ClientAuthority();
        using var shown = authority.Issue();
        File.WriteAllText(PathOf("clients.pem"), authority.Pem);
        using var certificate = Load(new ClientCertificateOptions(PathOf("clients.pem"), IsRequired: true));
        foreach (var name in (string[])["mail.example.com", "imap.example.org"])
        {
            await using var pair = await SocketPair.ConnectAsync();
            await ShownAsync(pair, certificate, name, client: shown);
            Assert.Equal("alice", pair.Server.Identity.User);
            await using var without = await SocketPair.ConnectAsync();
            var client = ShownAsync(without, certificate, name);
            await Assert.ThrowsAnyAsync<Exception>(() => client);
        }
    }

    [Theory]
    [InlineData(254, true)]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public async Task A_name_is_so_long_and_no_longer(int length, bool isTaken)
    {
        using var certificate = Load();
        await using var pair = await SocketPair.ConnectAsync();
        await pair.Client.Socket.SendAsync(HelloWith(new string('a', length - 12) + ".example.com"));
        var server = pair.Server.StartTlsServerAsync(certificate, CancellationToken.None);
        var answer = new byte[1];
        Assert.Equal(1, await pair.Client.Socket.ReceiveAsync(answer).WaitAsync(TestBytes.Patience));
        // Its part of the handshake, or an alert.
        Assert.Equal(isTaken ? 22 : 21, answer[0]);
        pair.Client.Abort();
        await Assert.ThrowsAnyAsync<Exception>(() => server.WaitAsync(TestBytes.Patience));
    }

    [Fact]
    public void A_name_is_looked_up_as_it_is_and_with_its_first_label_open()
    {
        var longest = new string('a', 243) + ".example.com";
        using var one = ShownCertificate.Parse(PairOf("wild"), File.ReadAllText(PathOf("wild.pem")), File.ReadAllText(PathOf("wild-key.pem")));
        var names = new CertificateNames([one]);
        Assert.Same(one, names.Find(longest));
        foreach (var none in (string[])["", ".", ".example.com", "*.example.com", "a" + longest, "x.y.example.com", "example.com.", "com", "\0.example.com.x"]) Assert.Null(names.Find(none));
    }

    private ServerCertificate Load(ClientCertificateOptions? clients = null) =>
        ServerCertificate.Load(new CertificatePair(PathOf("first.pem"), PathOf("first-key.pem")), _isDirect, clients, [PairOf("wild"), PairOf("other")]);

    private static async Task<string> ShownAsync(SocketPair pair, ServerCertificate certificate, string? name, SslProtocols protocol = SslProtocols.None, X509Certificate2? client = null)
    {
        var shown = "";
        var shaking = pair.Client.StartTlsClientAsync(new SslClientAuthenticationOptions
        {
            // Without one it asks for none.
            TargetHost = name ?? "127.0.0.1",
            EnabledSslProtocols = protocol,
            AllowTlsResume = false,
            ClientCertificateContext = client is null ? null : SslStreamCertificateContext.Create(client, [], offline: true),
            RemoteCertificateValidationCallback = (_, seen, _, _) =>
            {
                shown = seen?.GetCertHashString(HashAlgorithmName.SHA256) ?? "";
                return seen is not null;
            },
        }, CancellationToken.None);
        await pair.Server.StartTlsServerAsync(certificate, CancellationToken.None).WaitAsync(TestBytes.Patience);
        await shaking.WaitAsync(TestBytes.Patience);
        return shown;
    }

    /// <summary>A ClientHello of TLS 1.2 (RFC 5246 section 7.4.1.2), which asks for a name (RFC 6066 section 3).</summary>
    private static byte[] HelloWith(string name)
    {
        var host = Encoding.ASCII.GetBytes(name);
        byte[] serverName = [0, 0, .. Short(host.Length + 5), .. Short(host.Length + 3), 0, .. Short(host.Length), .. host];
        byte[] others = [0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1];
        byte[] extensions = [.. serverName, .. others];
        byte[] body = [3, 3, .. new byte[32], 0, 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0, .. Short(extensions.Length), .. extensions];
        byte[] message = [1, 0, .. Short(body.Length), .. body];
        return [22, 3, 1, .. Short(message.Length), .. message];

        static byte[] Short(int value) => [(byte)(value >> 8), (byte)value];
    }

    private void Write(string file, params string[] names) => SelfSignedCertificate.Write(PathOf(file + ".pem"), PathOf(file + "-key.pem"), names);

    private CertificatePair PairOf(string file) => new(PathOf(file + ".pem"), PathOf(file + "-key.pem"));

    private string FingerprintOf(string file)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(PathOf(file + ".pem"));
        return certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);
}
