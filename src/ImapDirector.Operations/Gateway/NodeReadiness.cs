using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace ImapDirector.Operations.Gateway;

/// <summary>What the gateway's own look at each node's <c>/readyz</c> has found.</summary>
internal sealed class NodeReadiness(IProxyStateLookup proxy)
{
    /// <returns><c>null</c> for a node without HTTP, or one that was not asked yet.</returns>
    public bool? Of(string node) => proxy.TryGetCluster(node, out var cluster) && cluster.Destinations.Values.FirstOrDefault() is { } destination
        ? destination.Health.Active switch { DestinationHealth.Healthy => true, DestinationHealth.Unhealthy => false, _ => null } : null;
}
