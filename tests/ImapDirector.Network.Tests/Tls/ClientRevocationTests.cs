using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>With OpenSSL called directly.</summary>
public sealed class DirectClientRevocationTests() : ClientRevocationTests(isDirect: true);

/// <summary>With .NET's TLS.</summary>
public sealed class RuntimeClientRevocationTests() : ClientRevocationTests(isDirect: false);

/// <summary>Handshakes of clients whose certificates are looked up in lists of revoked ones.</summary>
public abstract class ClientRevocationTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private readonly ClientAuthority _root = new();
    private readonly ClientAuthority _between;
    private readonly X509Certificate2 _alice;
    private readonly X509Certificate2 _bob;
    private readonly bool _isDirect;

    protected ClientRevocationTests(bool isDirect)
    {
        _isDirect = isDirect;
        _between = new ClientAuthority("Between", _root);
        (_alice, _bob) = (_root.Issue("CN=alice"), _root.Issue("CN=bob"));
        File.WriteAllText(PathOf("clients.pem"), _root.Pem + "\n" + _between.Pem);
    }

    public void Dispose()
    {
        _alice.Dispose();
        _bob.Dispose();
        _between.Dispose();
        _root.Dispose();
        _directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_is_on_the_list_does_not_count_and_everybody_else_does(bool isPem)
    {
        if (isPem) File.WriteAllText(PathOf("list"), "Of our authority:\n" + _root.RevokeInPem(_bob));
        else File.WriteAllBytes(PathOf("list"), _root.Revoke([_bob]));
        using var certificate = Load("list");
        Assert.Equal(new ClientIdentity(true, "alice", null), await IdentifyAsync(certificate, _alice));
        AssertRevoked(await IdentifyAsync(certificate, _bob));
        Assert.Equal(default, await IdentifyAsync(certificate, null));
    }

    [Fact]
    public async Task Where_a_certificate_is_required_one_that_is_revoked_ends_the_handshake()
    {
        File.WriteAllBytes(PathOf("list"), _root.Revoke([_bob]));
        using var certificate = Load(isRequired: true, "list");
        Assert.Equal("alice", (await IdentifyAsync(certificate, _alice)).User);
        await Assert.ThrowsAnyAsync<AuthenticationException>(() => IdentifyAsync(certificate, _bob));
    }

    [Fact]
    public async Task A_list_that_is_out_of_date_or_has_not_begun_lets_nobody_count()
    {
        foreach (var list in (byte[][])[_root.Revoke([], from: TimeSpan.FromDays(-3), to: TimeSpan.FromDays(-1)), _root.Revoke([], from: TimeSpan.FromDays(1), to: TimeSpan.FromDays(2))])
        {
            File.WriteAllBytes(PathOf("list"), list);
            using var certificate = Load("list");
            var identity = await IdentifyAsync(certificate, _alice);
            Assert.True(identity is { IsVerified: false, User: null, Fault: not null }, identity.ToString());
        }
    }

    [Fact]
    public async Task A_certificate_of_whom_there_is_no_list_does_not_count()
    {
        using var carol = _between.Issue("CN=carol");
        File.WriteAllBytes(PathOf("list"), _root.Revoke([]));
        using var certificate = Load("list");
        Assert.Equal("alice", (await IdentifyAsync(certificate, _alice)).User);
        Assert.False((await IdentifyAsync(certificate, carol)).IsVerified);
    }

    [Fact]
    public async Task One_in_between_is_looked_up_where_there_is_a_list_of_its_issuer()
    {
        using var carol = _between.Issue("CN=carol");
        File.WriteAllText(PathOf("own"), _between.RevokeInPem());
        File.WriteAllBytes(PathOf("above"), _root.Revoke([]));
        using (var certificate = Load("own")) Assert.Equal("carol", (await IdentifyAsync(certificate, carol)).User);
        using (var certificate = Load("own", "above")) Assert.Equal("carol", (await IdentifyAsync(certificate, carol)).User);
        File.WriteAllBytes(PathOf("above"), _root.Revoke([_between.Certificate]));
        using (var certificate = Load("own", "above")) AssertRevoked(await IdentifyAsync(certificate, carol));
        File.WriteAllBytes(PathOf("above"), _root.Revoke([], from: TimeSpan.FromDays(-3), to: TimeSpan.FromDays(-1)));
        using (var certificate = Load("own", "above"))
        {
            Assert.False((await IdentifyAsync(certificate, carol)).IsVerified);
            Assert.Contains(certificate.RevocationLists, list => list.File == PathOf("above") && list.Expires < DateTimeOffset.UtcNow);
            Assert.Contains(certificate.RevocationLists, list => list.File == PathOf("own") && list.Expires > DateTimeOffset.UtcNow);
        }
    }

    [Fact]
    public async Task An_issuer_that_the_client_alone_shows_has_no_list_so_that_its_certificates_do_not_count()
    {
        using var below = new ClientAuthority("Below", _between);
        using var carol = below.Issue("CN=carol");
        using (var certificate = Load()) Assert.Equal("carol", (await IdentifyAsync(certificate, carol, below.Certificate)).User);
        File.WriteAllText(PathOf("list"), _root.RevokeInPem() + _between.RevokeInPem());
        using (var certificate = Load("list")) Assert.False((await IdentifyAsync(certificate, carol, below.Certificate)).IsVerified);
        File.AppendAllText(PathOf("list"), below.RevokeInPem());
        Assert.Contains("nobody of AuthorityFile", Assert.Throws<InvalidDataException>(() => Load("list")).Message, StringComparison.Ordinal);
        File.AppendAllText(PathOf("clients.pem"), "\n" + below.Pem);
        using (var certificate = Load("list")) Assert.Equal("carol", (await IdentifyAsync(certificate, carol)).User);
        File.WriteAllText(PathOf("list"), _root.RevokeInPem() + _between.RevokeInPem(below.Certificate) + below.RevokeInPem());
        using (var certificate = Load("list")) AssertRevoked(await IdentifyAsync(certificate, carol, below.Certificate));
    }

    [Fact]
    public async Task A_new_list_holds_from_the_reload_on_and_one_that_cannot_be_used_never()
    {
        File.WriteAllBytes(PathOf("list"), _root.Revoke([_bob]));
        using var certificate = Load("list");
        Assert.False(certificate.Reload());
        File.WriteAllBytes(PathOf("list"), _root.Revoke([_alice]));
        Assert.True(certificate.Reload());
        AssertRevoked(await IdentifyAsync(certificate, _alice));
        Assert.Equal("bob", (await IdentifyAsync(certificate, _bob)).User);

        File.WriteAllText(PathOf("list"), "garbage");
        Assert.Contains(PathOf("list"), Assert.Throws<InvalidDataException>(() => certificate.Reload()).Message, StringComparison.Ordinal);
        File.Delete(PathOf("list"));
        Assert.Contains(PathOf("list"), Assert.Throws<InvalidDataException>(() => certificate.Reload()).Message, StringComparison.Ordinal);
        AssertRevoked(await IdentifyAsync(certificate, _alice));
    }

    [Fact]
    public async Task A_certificate_with_something_else_wrong_does_not_count_because_it_is_on_no_list()
    {
        using var stranger = new ClientAuthority();
        File.WriteAllBytes(PathOf("list"), _root.Revoke([]));
        using var certificate = Load("list");
        foreach (var shown in (X509Certificate2[])[stranger.Issue(), _root.Issue(isBroken: true), _root.Issue(usage: ClientAuthority.ForServers), _root.Issue(from: TimeSpan.FromDays(-2), to: TimeSpan.FromDays(-1))])
        {
            Assert.False((await IdentifyAsync(certificate, shown)).IsVerified);
            shown.Dispose();
        }
    }

    private static void AssertRevoked(ClientIdentity identity)
    {
        Assert.Equal((false, null), (identity.IsVerified, identity.User));
        Assert.Contains("revoked", identity.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_only_says_to_be_of_our_authority_is_not_looked_up()
    {
        File.WriteAllBytes(PathOf("list"), _root.Revoke([], from: TimeSpan.FromDays(-3), to: TimeSpan.FromDays(-1)));
        using var certificate = Load("list");
        using var forged = _root.Issue("CN=alice", isBroken: true);
        var identity = await IdentifyAsync(certificate, forged);
        Assert.False(identity.IsVerified);
        Assert.Contains("signature", identity.Fault, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("CRL", (await IdentifyAsync(certificate, _alice)).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void No_more_of_a_list_is_read_than_shows_that_it_is_too_long() =>
        Assert.Contains("is longer than", Assert.Throws<InvalidDataException>(() => Load("/dev/zero")).Message, StringComparison.Ordinal);

    private static async Task<ClientIdentity> IdentifyAsync(ServerCertificate certificate, X509Certificate2? shown, params X509Certificate2[] between)
    {
        await using var pair = await SocketPair.ConnectAsync();
        var client = pair.Client.StartTlsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            AllowTlsResume = false,
            ClientCertificateContext = shown is null ? null : SslStreamCertificateContext.Create(shown, [.. between], offline: true),
            RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
        }, CancellationToken.None);
        try
        {
            await pair.Server.StartTlsServerAsync(certificate, CancellationToken.None).WaitAsync(TestBytes.Patience);
            return pair.Server.Identity;
        }
        finally
        {
            pair.Server.Abort();
            await client.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private ServerCertificate Load(params string[] lists) => Load(isRequired: false, lists);

    private ServerCertificate Load(bool isRequired, params string[] lists) => ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"], _isDirect,
        new ClientCertificateOptions(PathOf("clients.pem"), isRequired, CrlFiles: lists.Length == 0 ? null : [.. lists.Select(PathOf)]));

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);
}
