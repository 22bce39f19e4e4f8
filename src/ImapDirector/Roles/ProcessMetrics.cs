using Prometheus;

namespace ImapDirector.Roles;

/// <summary>The metrics of this process: the roles' own, and what .NET says of memory, threads and processor time.</summary>
internal static class ProcessMetrics
{
    public static CollectorRegistry NewRegistry()
    {
        var registry = Metrics.NewCustomRegistry();
        DotNetStats.Register(registry);
        return registry;
    }
}
