using ImapDirector.Director;
using ImapDirector.Operations.Metrics;
using ImapDirector.Storage;
using Prometheus;
using Xunit;

namespace ImapDirector.Operations.Tests.Metrics;

/// <summary>Every metric of both roles and of the process, found by reflection so that a new one cannot be left out.</summary>
internal static class DeclaredMetrics
{
    public static IReadOnlyList<Collector> MakeAll(IMetricFactory factory) => [.. Of(new DirectorMetrics(factory)), .. Of(new StorageMetrics(factory)), .. Of(new CertificateMetrics(factory))];

    public static IReadOnlyList<Collector> All { get; } = MakeAll(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));

    private static IEnumerable<Collector> Of(object metrics) =>
        metrics.GetType().GetProperties().Where(property => property.PropertyType.IsAssignableTo(typeof(Collector))).Select(property => (Collector)property.GetValue(metrics)!);
}
