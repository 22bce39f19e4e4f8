using ImapDirector.Network.Tls;
using Prometheus;

namespace ImapDirector.Operations.Metrics;

/// <summary>Until when what this process shows, and what it looks up, is valid.</summary>
/// <param name="metrics">Where they are made.</param>
public sealed class CertificateMetrics(IMetricFactory metrics)
{
    /// <summary>When each certificate ends, by the file it was read from.</summary>
    public Gauge ExpiryTimestamp { get; } = metrics.CreateGauge("imapdirector_certificate_expiry_timestamp_seconds", "When the certificate in a file ends to be valid, in seconds since 1970.", ["file"]);

    /// <summary>When the first list in a file with lists of revoked certificates is out of date, by the file.</summary>
    public Gauge CrlExpiryTimestamp { get; } = metrics.CreateGauge("imapdirector_crl_expiry_timestamp_seconds", "When the first list of revoked certificates in a file is out of date, in seconds since 1970.", ["file"]);

    /// <summary>Has it shown on the page of a registry as it is when the page is asked for.</summary>
    /// <param name="registry">The one they were made in.</param>
    /// <param name="certificates">Those of the process.</param>
    public void Follow(CollectorRegistry registry, IReadOnlyList<ServerCertificate> certificates) => registry.AddBeforeCollectCallback(() =>
    {
        foreach (var (file, _, expires) in certificates.SelectMany(static one => one.All)) ExpiryTimestamp.WithLabels(file).Set(expires.ToUnixTimeSeconds());
        foreach (var (file, expires) in certificates.SelectMany(static one => one.RevocationLists)) CrlExpiryTimestamp.WithLabels(file).Set(expires.ToUnixTimeSeconds());
    });
}
