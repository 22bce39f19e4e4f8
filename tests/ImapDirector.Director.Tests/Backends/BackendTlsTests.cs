using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Network.Tls;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

public sealed class BackendTlsTests : IDisposable
{
    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("certificate-").FullName;
    private readonly ServerCertificate _certificate;

    public BackendTlsTests() => _certificate = ServerCertificate.LoadOrCreateSelfSigned(_directory, ["localhost"]);

    private string CertificateFile => Path.Combine(_directory, "cert.pem");

    public void Dispose()
    {
        _certificate.Dispose();
        System.IO.Directory.Delete(_directory, true);
    }

    [Theory]
    [InlineData(BackendTls.Implicit)]
    [InlineData(BackendTls.StartTls)]
    public async Task The_one_certificate_that_is_named_is_trusted(BackendTls tls)
    {
        await using var node = NodeWith(tls);

        // As openssl prints it.
        var fingerprint = string.Join(':', _certificate.Fingerprint.ToLowerInvariant().Chunk(2).Select(pair => new string(pair)));
        var login = await BackendConnectorTests.LogInAsync(node.Backend with { Tls = tls, TlsFingerprint = fingerprint });

        Assert.Equal(BackendFailure.None, login.Failure);
        Assert.True(login.Session!.Connection.IsSecure);
        Assert.Equal("alice@example.com\0director\0node secret", node.Session.Credentials);
        await login.Session.Connection.DisposeAsync();
    }

    [Fact]
    public async Task A_key_that_is_named_is_trusted_in_whatever_certificate()
    {
        await using var node = NodeWith(BackendTls.Implicit);
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(CertificateFile);
        var key = Convert.ToHexString(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));

        var login = await BackendConnectorTests.LogInAsync(node.Backend with { Tls = BackendTls.Implicit, TlsFingerprint = key });

        Assert.Equal(BackendFailure.None, login.Failure);
        await login.Session!.Connection.DisposeAsync();
    }

    [Theory]
    [InlineData(BackendTls.Implicit, "localhost", nameof(BackendFailure.None))]
    [InlineData(BackendTls.StartTls, "localhost", nameof(BackendFailure.None))]
    [InlineData(BackendTls.Implicit, "node1.example.com", nameof(BackendFailure.TlsFailed))]
    [InlineData(BackendTls.StartTls, "node1.example.com", nameof(BackendFailure.TlsFailed))]
    [InlineData(BackendTls.Implicit, null, nameof(BackendFailure.TlsFailed))]
    public async Task With_an_authority_of_ones_own_the_name_has_to_be_the_certificates(BackendTls tls, string? name, string expected)
    {
        await using var node = NodeWith(tls);

        var login = await BackendConnectorTests.LogInAsync(node.Backend with { Tls = tls, TlsName = name }, options => options with { NodeCaFile = CertificateFile });

        Assert.Equal(expected, login.Failure.ToString());
        Assert.Equal(expected == nameof(BackendFailure.None), node.Session.Credentials is not null);
        if (login.Session is { } session) await session.Connection.DisposeAsync();
    }

    [Theory]
    [InlineData(BackendTls.Implicit)]
    [InlineData(BackendTls.StartTls)]
    public async Task R4_no_other_certificate_gets_the_credentials(BackendTls tls)
    {
        await using var node = NodeWith(tls);

        var another = Convert.ToHexString(SHA256.HashData("another"u8));
        var login = await BackendConnectorTests.LogInAsync(node.Backend with { Tls = tls, TlsFingerprint = another });

        Assert.Equal(BackendFailure.TlsFailed, login.Failure);
        Assert.Null(node.Session.Credentials);
    }

    [Theory]
    [InlineData(BackendTls.Implicit)]
    [InlineData(BackendTls.StartTls)]
    public async Task R4_a_certificate_that_nobody_signed_is_not_trusted_for_its_name(BackendTls tls)
    {
        await using var node = NodeWith(tls);

        var login = await BackendConnectorTests.LogInAsync(node.Backend with { Tls = tls, TlsName = "localhost" });

        Assert.Equal(BackendFailure.TlsFailed, login.Failure);
        Assert.Null(node.Session.Credentials);
    }

    [Theory]
    [InlineData("NO not here", nameof(BackendFailure.StartTlsRefused))]
    [InlineData("BAD unknown command", nameof(BackendFailure.StartTlsRefused))]
    [InlineData("OK go ahead\r\n* OK but I speak on in the clear", nameof(BackendFailure.StartTlsInjected))]
    public async Task A_node_that_takes_STARTTLS_away_gets_nothing(string answer, string expected)
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await session.WriteLineAsync($"{NodeSession.Tag(await session.ReadLineAsync())} {answer}");
            await session.WriteLineAsync("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] in the clear");
            await session.ListenAsync();
        });

        var login = await BackendConnectorTests.LogInAsync(node.Backend with { Tls = BackendTls.StartTls });

        Assert.Equal(expected, login.Failure.ToString());
        Assert.DoesNotContain("AUTHENTICATE", node.Session.Heard);
    }

    [Fact]
    public async Task What_was_put_behind_the_answer_to_STARTTLS_ends_the_connection_and_is_not_obeyed()
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            // A man in the middle answers our next command before it is asked, in the same packet.
            await session.WriteLineAsync($"{NodeSession.Tag(await session.ReadLineAsync())} OK go\r\n* CAPABILITY AUTH=PLAIN\r\nD2 OK\r\nD3 OK [CAPABILITY IMAP4rev1] in");
            await session.ListenAsync();
        });

        var login = await BackendConnectorTests.LogInAsync(node.Backend with { Tls = BackendTls.StartTls, TlsFingerprint = _certificate.Fingerprint });

        Assert.Equal(BackendFailure.StartTlsInjected, login.Failure);
        Assert.DoesNotContain("AUTHENTICATE", node.Session.Heard);
    }

    private FakeImapNode NodeWith(BackendTls tls) => new(async session =>
    {
        if (tls == BackendTls.Implicit)
        {
            await session.SecureAsync(_certificate);
            await session.LogInAsync();
        }
        else
        {
            await session.WriteLineAsync("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready");
            await session.WriteLineAsync($"{NodeSession.Tag(await session.ReadLineAsync())} OK go");
            await session.SecureAsync(_certificate);
            await session.WriteLineAsync($"* CAPABILITY IMAP4rev1 SASL-IR ID AUTH=PLAIN\r\n{NodeSession.Tag(await session.ReadLineAsync())} OK done");
            await session.AnswerLoginAsync(NodeSession.LoggedIn);
        }
        await session.ListenAsync();
    });
}
