using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls;
using ImapDirector.Operations.Metrics;
using ImapDirector.Tests.Shared;
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
        Assert.Equal(CertificateReload.Renewed, certificate.Reload());
        Assert.Equal([Line(first, 10), Line(further, 90), Line(other, 30)], await LinesAsync(server));
    }

    [Fact]
    public async Task It_tells_when_lists_of_revoked_certificates_are_out_of_date()
    {
        await using var server = await RunningServer.StartAsync();
        using var authority = new ClientAuthority();
        var (clients, list) = (Path.Combine(_directory.FullName, "clients.pem"), Path.Combine(_directory.FullName, "list.crl"));
        File.WriteAllText(clients, authority.Pem);
        File.WriteAllBytes(list, authority.Revoke([], to: TimeSpan.FromDays(3)));
        using var certificate = ServerCertificate.Load(Write("cert", 10), clients: new ClientCertificateOptions(clients, CrlFiles: [list]));
        new CertificateMetrics(Prometheus.Metrics.WithCustomRegistry(server.Registry)).Follow(server.Registry, [certificate]);
        var line = (await server.SendAsync("/metrics")).Body.Split('\n').Single(static one => one.StartsWith("imapdirector_crl_", StringComparison.Ordinal));
        Assert.StartsWith($"imapdirector_crl_expiry_timestamp_seconds{{file=\"{list}\"}} ", line, StringComparison.Ordinal);
        Assert.InRange(long.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture), Now.AddDays(3).AddMinutes(-10).ToUnixTimeSeconds(), Now.AddDays(3).AddMinutes(10).ToUnixTimeSeconds());
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
