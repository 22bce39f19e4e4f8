using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>With OpenSSL called directly.</summary>
public sealed class DirectClientCertificateTests() : ClientCertificateTests(isDirect: true)
{
    [Theory]
    [InlineData(ClientAuthorities.MostBetween, true)]
    [InlineData(ClientAuthorities.MostBetween + 1, false)]
    public async Task A_chain_is_so_long_and_no_longer(int between, bool counts)
    {
        var authorities = new List<ClientAuthority> { Authority };
        for (var i = 0; i < between; i++) authorities.Add(new ClientAuthority($"Level {i}", authorities[^1]));
        using var certificate = Load();
        using var shown = authorities[^1].Issue();
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair, certificate, shown, [.. authorities.Skip(1).Reverse().Select(static one => one.Certificate)]);
        Assert.Equal(counts, pair.Server.Identity.IsVerified);
        foreach (var one in authorities.Skip(1)) one.Dispose();
    }

    [Theory]
    [InlineData(-600, true)]
    [InlineData(600, false)]
    public async Task A_client_may_show_so_many_bytes_and_no_more(int above, bool isTaken)
    {
        using var certificate = Load();
        using var shown = Authority.Issue(padding: ClientAuthorities.MostChainBytes + above);
        await using var pair = await SocketPair.ConnectAsync();
        if (isTaken)
        {
            await StartTlsAsync(pair, certificate, shown);
            Assert.Equal(new ClientIdentity(true, "alice", null), pair.Server.Identity);
            return;
        }
        await AssertRefusedAsync(pair, certificate, shown);
    }
}

/// <summary>With .NET's TLS.</summary>
public sealed class RuntimeClientCertificateTests() : ClientCertificateTests(isDirect: false);

public abstract class ClientCertificateTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private readonly bool _isDirect;

    protected ClientCertificateTests(bool isDirect)
    {
        _isDirect = isDirect;
        File.WriteAllText(AuthorityFile, Authority.Pem);
    }

    private protected ClientAuthority Authority { get; } = new();

    private string AuthorityFile => Path.Combine(_directory.FullName, "clients.pem");

    public void Dispose()
    {
        Authority.Dispose();
        _directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(CertificateField.SubjectCommonName, "alice")]
    [InlineData(CertificateField.SubjectEmail, "alice@example.org")]
    [InlineData(CertificateField.EmailSan, "alice@example.net")]
    public async Task A_certificate_of_a_listed_authority_says_who_the_client_is(CertificateField field, string user)
    {
        using var certificate = Load(userFrom: field);
        using var shown = Authority.Issue("CN=alice, E=alice@example.org", ["alice@example.net"]);
        foreach (var protocol in (SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13])
        {
            await using var pair = await SocketPair.ConnectAsync();
            await StartTlsAsync(pair, certificate, shown, protocol: protocol);
            Assert.Equal(new ClientIdentity(true, user, null), pair.Server.Identity);
            await SpeakAsync(pair);
        }
    }

    [Fact]
    public async Task A_client_without_a_certificate_is_nobody_and_may_go_on()
    {
        using var certificate = Load();
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair, certificate, null);
        Assert.Equal(default, pair.Server.Identity);
        await SpeakAsync(pair);
    }

    [Fact]
    public async Task Where_no_certificate_is_asked_for_none_counts()
    {
        using var certificate = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"], _isDirect);
        using var shown = Authority.Issue();
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair, certificate, shown);
        Assert.Equal(default, pair.Server.Identity);
    }

    [Fact]
    public async Task A_certificate_that_does_not_hold_is_as_good_as_none()
    {
        using var certificate = Load();
        foreach (var (what, shown) in Faulty())
        {
            await using var pair = await SocketPair.ConnectAsync();
            await StartTlsAsync(pair, certificate, shown);
            var identity = pair.Server.Identity;
            Assert.False(identity.IsVerified || identity.User is not null || string.IsNullOrEmpty(identity.Fault), $"A certificate {what}: {identity}");
            await SpeakAsync(pair);
            shown.Dispose();
        }
    }

    [Fact]
    public async Task Where_one_is_required_the_handshake_fails_without_and_with_one_that_does_not_hold()
    {
        using var certificate = Load(isRequired: true);
        using (var good = Authority.Issue())
        {
            await using var pair = await SocketPair.ConnectAsync();
            await StartTlsAsync(pair, certificate, good);
            Assert.Equal(new ClientIdentity(true, "alice", null), pair.Server.Identity);
        }
        await using (var without = await SocketPair.ConnectAsync()) await AssertRefusedAsync(without, certificate, null);
        foreach (var (_, shown) in Faulty())
        {
            await using var pair = await SocketPair.ConnectAsync();
            await AssertRefusedAsync(pair, certificate, shown);
            shown.Dispose();
        }
    }

    [Fact]
    public async Task One_below_a_root_counts_when_the_client_shows_it_or_the_file_has_it()
    {
        using var between = new ClientAuthority("Between", Authority);
        using var shown = between.Issue();
        using (var certificate = Load())
        {
            await using var alone = await SocketPair.ConnectAsync();
            await StartTlsAsync(alone, certificate, shown);
            Assert.False(alone.Server.Identity.IsVerified);
            await using var pair = await SocketPair.ConnectAsync();
            await StartTlsAsync(pair, certificate, shown, [between.Certificate]);
            Assert.Equal("alice", pair.Server.Identity.User);
        }
        File.WriteAllText(AuthorityFile, Authority.Pem + "\n" + between.Pem);
        using (var certificate = Load())
        {
            await using var pair = await SocketPair.ConnectAsync();
            await StartTlsAsync(pair, certificate, shown);
            Assert.Equal("alice", pair.Server.Identity.User);
        }
    }

    [Fact]
    public async Task What_names_several_or_nobody_is_verified_and_names_nobody()
    {
        using var certificate = Load();
        foreach (var subject in (string[])["O=example", "CN=alice, CN=bob", "CN=\"\""])
        {
            using var shown = Authority.Issue(subject);
            await using var pair = await SocketPair.ConnectAsync();
            await StartTlsAsync(pair, certificate, shown);
            Assert.Equal((true, null), (pair.Server.Identity.IsVerified, pair.Server.Identity.User));
            Assert.NotNull(pair.Server.Identity.Fault);
        }
    }

    [Fact]
    public async Task Other_authorities_count_from_the_reload_on_and_broken_ones_never()
    {
        using var certificate = Load();
        using var other = new ClientAuthority("Other");
        using var shown = other.Issue();
        Assert.Equal(CertificateReload.Unchanged, certificate.Reload());
        File.WriteAllText(AuthorityFile, "nothing");
        Assert.Equal(CertificateReload.Kept, certificate.Reload());
        Assert.Contains(AuthorityFile, Assert.Single(certificate.ClientFaults), StringComparison.Ordinal);
        await using (var before = await SocketPair.ConnectAsync())
        {
            await StartTlsAsync(before, certificate, shown);
            Assert.False(before.Server.Identity.IsVerified);
        }
        File.WriteAllText(AuthorityFile, other.Pem);
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        using var old = Authority.Issue();
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair, certificate, old);
        Assert.False(pair.Server.Identity.IsVerified);
        await using var again = await SocketPair.ConnectAsync();
        await StartTlsAsync(again, certificate, shown);
        Assert.Equal("alice", again.Server.Identity.User);
    }

    [Fact]
    public async Task A_handshake_with_a_broken_certificate_may_come_byte_by_byte()
    {
        using var certificate = Load();
        using var shown = Authority.Issue(isBroken: true);
        await using var pair = await SocketPair.ConnectAsync();
        await using var slow = new ByteByByte(pair.Client.Stream);
        await using var client = new SslStream(slow, leaveInnerStreamOpen: true);
        await Task.WhenAll(pair.Server.StartTlsServerAsync(certificate, CancellationToken.None), client.AuthenticateAsClientAsync(Showing(shown, []))).WaitAsync(TestBytes.Patience);
        Assert.False(pair.Server.Identity.IsVerified);
        await client.WriteAsync("hello"u8.ToArray());
        Assert.Equal("hello", await pair.Server.HearAsync(5));
    }

    private protected ServerCertificate Load(bool isRequired = false, CertificateField userFrom = CertificateField.SubjectCommonName) =>
        ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"], _isDirect, new ClientCertificateOptions(AuthorityFile, isRequired, userFrom));

    private protected static async Task StartTlsAsync(SocketPair pair, ServerCertificate certificate, X509Certificate2? shown, X509Certificate2[]? between = null, SslProtocols protocol = SslProtocols.None) => await Task.WhenAll(
        pair.Server.StartTlsServerAsync(certificate, CancellationToken.None),
        pair.Client.StartTlsClientAsync(Showing(shown, between ?? [], protocol), CancellationToken.None)).WaitAsync(TestBytes.Patience);

    private protected static async Task AssertRefusedAsync(SocketPair pair, ServerCertificate certificate, X509Certificate2? shown)
    {
        var client = pair.Client.StartTlsClientAsync(Showing(shown, []), CancellationToken.None);
        await Assert.ThrowsAnyAsync<AuthenticationException>(() => pair.Server.StartTlsServerAsync(certificate, CancellationToken.None).WaitAsync(TestBytes.Patience));
        Assert.Equal((false, default(ClientIdentity)), (pair.Server.IsSecure, pair.Server.Identity));
        pair.Server.Abort();
        // In TLS 1.3 it thinks that it is through before it hears of it.
        await client.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task SpeakAsync(SocketPair pair)
    {
        await pair.Client.SayAsync("hello");
        Assert.Equal("hello", await pair.Server.HearAsync(5));
        await pair.Server.SayAsync("world");
        Assert.Equal("world", await pair.Client.HearAsync(5));
    }

    private IEnumerable<(string What, X509Certificate2 Certificate)> Faulty()
    {
        using var stranger = new ClientAuthority();
        using var between = new ClientAuthority("Between", stranger);
        yield return ("of another authority of the same name", stranger.Issue());
        yield return ("of one below another authority", between.Issue());
        yield return ("that is too old", Authority.Issue(from: TimeSpan.FromDays(-2), to: TimeSpan.FromSeconds(-5)));
        yield return ("that is too young", Authority.Issue(from: TimeSpan.FromHours(1)));
        yield return ("of a server", Authority.Issue(usage: ClientAuthority.ForServers));
        yield return ("for whatever there is", Authority.Issue(usage: null));
        yield return ("for any extended use", Authority.Issue(usage: "2.5.29.37.0"));
        yield return ("whose signature is wrong", Authority.Issue(isBroken: true));
    }

    private static SslClientAuthenticationOptions Showing(X509Certificate2? shown, X509Certificate2[] between, SslProtocols protocol = SslProtocols.None) => new()
    {
        TargetHost = "localhost",
        EnabledSslProtocols = protocol,
        // What the runtime remembers of other handshakes would hide this one.
        AllowTlsResume = false,
        ClientCertificateContext = shown is null ? null : SslStreamCertificateContext.Create(shown, [.. between], offline: true),
        RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
    };
}
