using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

public sealed class OutgoingTlsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("authorities-");
    private readonly X509Certificate2 _root = Issue("CN=root", null, isAuthority: true);
    private readonly X509Certificate2 _between;

    public OutgoingTlsTests() => _between = Issue("CN=between", _root, isAuthority: true);

    public void Dispose()
    {
        _root.Dispose();
        _between.Dispose();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_is_fetched_from_where_a_certificate_points(bool hasAuthorities)
    {
        await using var pointedAt = new Visits();
        using var leaf = Issue("CN=localhost", _between, isAuthority: false, pointedAt.Url);

        Assert.IsType<AuthenticationException>(await ConnectAsync(leaf, [], OutgoingTls.For("localhost", hasAuthorities ? WriteRoot() : null)));
        Assert.Equal(0, pointedAt.Count);

        // What is in the certificate would be gone for, if it were let.
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.UrlRetrievalTimeout = TimeSpan.FromSeconds(30);
        chain.Build(leaf);
        Assert.NotEqual(0, pointedAt.Count);
    }

    [Theory]
    [InlineData("localhost", true, true)]
    [InlineData("elsewhere.example.com", true, false)]
    [InlineData("localhost", false, false)]
    public async Task A_chain_that_comes_whole_from_a_listed_authority_holds_for_its_name(string name, bool isListed, bool holds)
    {
        using var leaf = Issue("CN=localhost", _between, isAuthority: false);
        var refused = await ConnectAsync(leaf, [_between], OutgoingTls.For(name, isListed ? WriteRoot() : null));
        if (holds) Assert.Null(refused);
        else Assert.IsType<AuthenticationException>(refused);
    }

    private string WriteRoot()
    {
        var file = Path.Combine(_directory.FullName, "root.pem");
        File.WriteAllText(file, _root.ExportCertificatePem());
        return file;
    }

    private static async Task<Exception?> ConnectAsync(X509Certificate2 shown, X509Certificate2Collection others, SslClientAuthenticationOptions options)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var accepted = await listener.AcceptTcpClientAsync();
        await using var server = new SslStream(accepted.GetStream());
        var serving = server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(shown, others, offline: true) });
        await using var tls = new SslStream(client.GetStream());
        var refused = await Record.ExceptionAsync(() => tls.AuthenticateAsClientAsync(options));
        client.Close();
        // It may have heard of it, or not.
        await Record.ExceptionAsync(() => serving);
        return refused;
    }

    private static X509Certificate2 Issue(string name, X509Certificate2? issuer, bool isAuthority, string? pointsAt = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, critical: true));
        if (!isAuthority)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("localhost");
            request.CertificateExtensions.Add(names.Build());
        }
        if (pointsAt is not null) request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [pointsAt]));
        if (issuer is null) return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        // An authority signs for no longer than its own time.
        using var signed = request.Create(issuer, issuer.NotBefore, issuer.NotAfter, RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    /// <summary>Counts who comes, and gives them nothing.</summary>
    private sealed class Visits : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _accepting;
        private int _count;

        public Visits()
        {
            _listener.Start();
            _accepting = AcceptAsync();
        }

        public string Url => $"http://{_listener.LocalEndpoint}/issuer.cer";

        public int Count => Volatile.Read(ref _count);

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await Record.ExceptionAsync(() => _accepting);
        }

        private async Task AcceptAsync()
        {
            while (true)
            {
                using var visitor = await _listener.AcceptTcpClientAsync();
                Interlocked.Increment(ref _count);
            }
        }
    }
}
