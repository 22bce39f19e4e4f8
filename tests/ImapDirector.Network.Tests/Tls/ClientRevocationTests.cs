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
        using (var certificate = Load("list")) Assert.Contains("nobody of AuthorityFile", Assert.Single(certificate.ClientFaults), StringComparison.Ordinal);
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
        Assert.Equal(CertificateReload.Unchanged, certificate.Reload());
        File.WriteAllBytes(PathOf("list"), _root.Revoke([_alice]));
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        AssertRevoked(await IdentifyAsync(certificate, _alice));
        Assert.Equal("bob", (await IdentifyAsync(certificate, _bob)).User);

        File.WriteAllText(PathOf("list"), "garbage");
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Contains(PathOf("list"), Assert.Single(certificate.ClientFaults), StringComparison.Ordinal);
        File.Delete(PathOf("list"));
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Equal(CertificateReload.Unchanged, certificate.Reload());
        Assert.Contains("cannot be read", Assert.Single(certificate.ClientFaults), StringComparison.Ordinal);
        Assert.True(Assert.Single(certificate.RevocationLists).Expires > DateTimeOffset.UtcNow);
        AssertRevoked(await IdentifyAsync(certificate, _alice));
        Assert.Equal("bob", (await IdentifyAsync(certificate, _bob)).User);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData(null)]
    public async Task A_list_that_cannot_be_used_keeps_no_renewed_certificate_back_and_no_start(string? content)
    {
        File.WriteAllBytes(PathOf("list"), _root.Revoke([_bob]));
        File.WriteAllText(PathOf("between"), _between.RevokeInPem());
        using var carol = _between.Issue("CN=carol");
        using var certificate = Load("list", "between");
        var before = certificate.Fingerprint;
        if (content is null) File.Delete(PathOf("list"));
        else File.WriteAllText(PathOf("list"), content);
        File.Delete(PathOf("cert.pem"));
        using (Load()) Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.NotEqual(before, certificate.Fingerprint);
        Assert.Empty(certificate.Faults);
        Assert.Contains(PathOf("list"), Assert.Single(certificate.ClientFaults), StringComparison.Ordinal);
        AssertRevoked(await IdentifyAsync(certificate, _bob));
        Assert.Equal("alice", (await IdentifyAsync(certificate, _alice)).User);

        using var started = Load("list", "between");
        Assert.Contains(PathOf("list"), Assert.Single(started.ClientFaults), StringComparison.Ordinal);
        Assert.Contains(new RevocationState(PathOf("list"), DateTimeOffset.UnixEpoch), started.RevocationLists);
        foreach (var shown in (X509Certificate2[])[_alice, _bob, carol]) Assert.False((await IdentifyAsync(started, shown)).IsVerified);
        // Whose list it will be, nobody could know; from now on it is known.
        File.WriteAllBytes(PathOf("list"), _root.Revoke([_bob]));
        Assert.Equal(CertificateReload.Renewed, started.Reload());
        Assert.Empty(started.ClientFaults);
        Assert.Equal(("alice", "carol"), ((await IdentifyAsync(started, _alice)).User, (await IdentifyAsync(started, carol)).User));
        AssertRevoked(await IdentifyAsync(started, _bob));
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_used_keeps_no_list_back()
    {
        File.WriteAllBytes(PathOf("list"), _root.Revoke([]));
        using var certificate = Load("list");
        var before = certificate.Fingerprint;
        File.WriteAllText(PathOf("cert.pem"), "garbage");
        File.WriteAllBytes(PathOf("list"), _root.Revoke([_bob]));
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Equal(before, certificate.Fingerprint);
        Assert.Contains(PathOf("cert.pem"), Assert.Single(certificate.Faults), StringComparison.Ordinal);
        AssertRevoked(await IdentifyAsync(certificate, _bob));
    }

    [Fact]
    public async Task An_authority_that_is_taken_out_counts_no_more_though_its_list_is_still_there()
    {
        using var carol = _between.Issue("CN=carol");
        File.WriteAllText(PathOf("list"), _root.RevokeInPem(_bob) + _between.RevokeInPem());
        using var certificate = Load("list");
        Assert.Equal("carol", (await IdentifyAsync(certificate, carol)).User);
        File.WriteAllText(PathOf("clients.pem"), _root.Pem);
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Contains("nobody of AuthorityFile", Assert.Single(certificate.ClientFaults), StringComparison.Ordinal);
        Assert.False((await IdentifyAsync(certificate, carol)).IsVerified);
        Assert.Equal("alice", (await IdentifyAsync(certificate, _alice)).User);
        AssertRevoked(await IdentifyAsync(certificate, _bob));
    }

    [Fact]
    public async Task An_older_list_takes_no_newer_ones_place()
    {
        var old = _root.Revoke([], from: TimeSpan.FromHours(-3), number: 4);
        File.WriteAllBytes(PathOf("list"), old);
        using var certificate = Load("list");
        Assert.Equal("bob", (await IdentifyAsync(certificate, _bob)).User);
        File.WriteAllBytes(PathOf("list"), _root.Revoke([_bob], from: TimeSpan.FromHours(-2), number: 5));
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        AssertRevoked(await IdentifyAsync(certificate, _bob));

        File.WriteAllBytes(PathOf("list"), old);
        _ = certificate.Reload();
        Assert.Contains("older", Assert.Single(certificate.ClientFaults), StringComparison.Ordinal);
        AssertRevoked(await IdentifyAsync(certificate, _bob));
        Assert.Equal("alice", (await IdentifyAsync(certificate, _alice)).User);
        Assert.Equal(CertificateReload.Unchanged, certificate.Reload());

        File.WriteAllBytes(PathOf("list"), _root.Revoke([_alice], number: 6));
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Empty(certificate.ClientFaults);
        Assert.Equal("bob", (await IdentifyAsync(certificate, _bob)).User);
        AssertRevoked(await IdentifyAsync(certificate, _alice));
    }

    [Fact]
    public async Task What_was_replaced_is_freed_once_nobody_uses_it()
    {
        File.WriteAllBytes(PathOf("list"), _root.Revoke([]));
        using var certificate = Load("list");
        var (former, at) = (certificate.Use(), certificate.Use());
        var revoked = former.Clients!.Revoked!;
        File.WriteAllBytes(PathOf("list"), _root.Revoke([_bob]));
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.False(former.IsFreed);
        Assert.Null(revoked.FaultOf(_bob));
        former.EndUse();
        Assert.False(revoked.IsFreed);
        at.EndUse();
        // Only the list is new: the certificate is shown on.
        Assert.True(former.IsFreed && former.Clients.IsFreed && revoked.IsFreed && !former.All[0].IsFreed);
        AssertRevoked(await IdentifyAsync(certificate, _bob));
        File.Delete(PathOf("cert.pem"));
        using (Load()) Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.True(former.All[0].IsFreed);
        AssertRevoked(await IdentifyAsync(certificate, _bob));
        certificate.Dispose();
        Assert.Throws<ObjectDisposedException>(certificate.Use);
    }

    [Fact]
    public async Task A_renewal_while_clients_shake_hands_disturbs_nobody()
    {
        File.WriteAllBytes(PathOf("list"), _root.Revoke([_bob]));
        using var certificate = Load("list");
        using var stop = new CancellationTokenSource();
        var renewing = Task.Run(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                File.WriteAllBytes(PathOf("next"), _root.Revoke([_bob], number: 2 + i));
                File.Move(PathOf("next"), PathOf("list"), overwrite: true);
                Assert.Equal(CertificateReload.Renewed, certificate.Reload());
            }
        });
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal("alice", (await IdentifyAsync(certificate, _alice)).User);
            AssertRevoked(await IdentifyAsync(certificate, _bob));
        }
        await stop.CancelAsync();
        await renewing;
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
    public void No_more_of_a_list_is_read_than_shows_that_it_is_too_long()
    {
        using var certificate = Load("/dev/zero");
        Assert.Contains("is longer than", Assert.Single(certificate.ClientFaults), StringComparison.Ordinal);
    }

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
