using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Prometheus;

namespace ImapDirector.Operations.Metrics;

/// <summary><c>/metrics</c>: one registry, in Prometheus' text format.</summary>
internal static class MetricsEndpoint
{
    public static void Map(IEndpointRouteBuilder endpoints, CollectorRegistry registry) =>
        endpoints.MapMetrics("/metrics", registry).WithMetadata(new HttpMethodMetadata(AllowedMethods.Read));
}
