using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

public sealed class ServerCertificateTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    private string CertificateFile => Path.Combine(_directory.FullName, "cert.pem");

    private string KeyFile => Path.Combine(_directory.FullName, "key.pem");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void A_self_signed_pair_is_made_once_and_carries_the_names()
    {
        using var made = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["mail.example.com", "127.0.0.1", "::1"]);
        using var loaded = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["other.example.com"]);
        Assert.Equal(made.Fingerprint, loaded.Fingerprint);
        Assert.Matches("^[0-9A-F]{64}$", made.Fingerprint);
        var names = made.Leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["mail.example.com"], names.EnumerateDnsNames());
        Assert.Equal(["127.0.0.1", "::1"], names.EnumerateIPAddresses().Select(address => address.ToString()));
        Assert.Equal(["cert.pem", "key.pem"], _directory.EnumerateFiles().Select(file => file.Name).Order());
    }

    [Fact]
    public void Only_its_owner_may_read_the_key()
    {
        using var made = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"]);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
    }

    [Fact]
    public void A_pair_that_lost_a_file_or_is_about_to_expire_is_made_anew()
    {
        string first;
        using (var made = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"])) first = made.Fingerprint;
        File.Delete(CertificateFile);
        string second;
        using (var made = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"])) second = made.Fingerprint;
        Assert.NotEqual(first, second);

        using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            var request = new CertificateRequest("CN=old", key, HashAlgorithmName.SHA256);
            using var old = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-100), DateTimeOffset.UtcNow.AddDays(3));
            File.WriteAllText(CertificateFile, old.ExportCertificatePem());
            File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        }
        using var third = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"]);
        Assert.True(third.Leaf.NotAfter > DateTime.Now.AddDays(100));
    }

    [Fact]
    public void What_cannot_be_used_is_named_with_the_fix_and_without_the_key()
    {
        using (ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"]))
        {
            // Only the files are wanted.
        }
        var absent = Path.Combine(_directory.FullName, "absent.pem");
        Assert.Contains(absent, Assert.Throws<InvalidDataException>(() => ServerCertificate.Load(new CertificatePair(absent, KeyFile))).Message, StringComparison.Ordinal);
        Assert.Contains(absent, Assert.Throws<InvalidDataException>(() => ServerCertificate.Load(new CertificatePair(CertificateFile, absent))).Message, StringComparison.Ordinal);

        var empty = Path.Combine(_directory.FullName, "empty.pem");
        File.WriteAllText(empty, "nothing");
        Assert.Contains("no certificate", Assert.Throws<InvalidDataException>(() => ServerCertificate.Load(new CertificatePair(empty, KeyFile))).Message, StringComparison.Ordinal);

        var foreign = Path.Combine(_directory.FullName, "foreign.pem");
        using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256)) File.WriteAllText(foreign, key.ExportPkcs8PrivateKeyPem());
        var mismatch = Assert.Throws<InvalidDataException>(() => ServerCertificate.Load(new CertificatePair(CertificateFile, foreign)));
        Assert.Contains(foreign, mismatch.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", mismatch.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Renewed_files_are_shown_from_then_on_and_broken_ones_never()
    {
        using var certificate = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"]);
        var (fingerprint, options, expires) = (certificate.Fingerprint, certificate.ServerOptions, certificate.Expires);
        Assert.Equal(CertificateReload.Unchanged, certificate.Reload());
        Assert.Same(options, certificate.ServerOptions);

        // A renewal in the middle: the certificate is there, its key is not yet.
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var renewed = new CertificateRequest("CN=new", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(90));
        File.WriteAllText(CertificateFile, renewed.ExportCertificatePem());
        Assert.Equal(CertificateReload.Kept, certificate.Reload());
        Assert.Contains(KeyFile, Assert.Single(certificate.Faults), StringComparison.Ordinal);
        Assert.Equal((fingerprint, expires), (certificate.Fingerprint, certificate.Expires));
        Assert.Same(options, certificate.ServerOptions);
        Assert.Equal(CertificateReload.Unchanged, certificate.Reload());

        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Equal(renewed.GetCertHashString(HashAlgorithmName.SHA256), certificate.Fingerprint);
        Assert.NotSame(options, certificate.ServerOptions);
        Assert.Empty(certificate.Faults);
        File.Delete(KeyFile);
        Assert.Equal(CertificateReload.Kept, certificate.Reload());
        Assert.Equal(CertificateReload.Unchanged, certificate.Reload());
        Assert.Contains(KeyFile, Assert.Single(certificate.Faults), StringComparison.Ordinal);
        Assert.Equal(renewed.GetCertHashString(HashAlgorithmName.SHA256), certificate.Fingerprint);
    }
}
