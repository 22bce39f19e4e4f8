using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls;
using ImapDirector.Operations.Metrics;
using Xunit;

namespace ImapDirector.Operations.Tests.Metrics;

public sealed class CertificateMetricsTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds());

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task The_page_tells_when_each_certificate_ends_and_follows_what_is_renewed()
    {
        await using var server = await RunningServer.StartAsync();
        var (first, further, other) = (Write("first", 10), Write("further", 20), Write("other", 30));
        using var certificate = ServerCertificate.Load(first, further: [further]);
        using var second = ServerCertificate.Load(other);
        new CertificateMetrics(Prometheus.Metrics.WithCustomRegistry(server.Registry)).Follow(server.Registry, [certificate, second]);
        Assert.Equal([Line(first, 10), Line(further, 20), Line(other, 30)], await LinesAsync(server));

        Write("further", 90);
        Assert.True(certificate.Reload());
        Assert.Equal([Line(first, 10), Line(further, 90), Line(other, 30)], await LinesAsync(server));
    }

    private static async Task<IEnumerable<string>> LinesAsync(RunningServer server) =>
        (await server.SendAsync("/metrics")).Body.Split('\n').Where(static line => line.StartsWith("imapdirector_certificate_", StringComparison.Ordinal)).Order();

    private static string Line(CertificatePair pair, int days) => $"imapdirector_certificate_expiry_timestamp_seconds{{file=\"{pair.CertificateFile}\"}} {Now.AddDays(days).ToUnixTimeSeconds()}";

    private CertificatePair Write(string name, int days)
    {
        var pair = new CertificatePair(Path.Combine(_directory.FullName, $"{name}.pem"), Path.Combine(_directory.FullName, $"{name}-key.pem"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256).CreateSelfSigned(Now.AddDays(-20), Now.AddDays(days));
        File.WriteAllText(pair.CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(pair.KeyFile, key.ExportPkcs8PrivateKeyPem());
        return pair;
    }
}
