using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;

namespace ImapDirector.Operations.Gateway;

/// <summary>The routes of the gateway: an immutable snapshot made from the list of nodes, swapped as a whole.</summary>
/// <remarks>Each path that may be reached is a route of its own with a constant path at the node, so nothing a client writes gets into a node's request line.</remarks>
internal sealed class NodeRoutes : IProxyConfigProvider
{
    private static readonly string[] Reachable = ["/metrics", "/livez", "/readyz"];

    /// <summary>A node that sends nothing for this long is given up.</summary>
    private static readonly TimeSpan ActivityTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A whole answer may take this long: Prometheus' own default time-out for a scrape.</summary>
    private static readonly TimeSpan TotalTimeout = TimeSpan.FromSeconds(10);

    private Snapshot _current;

    public NodeRoutes(IReadOnlyDictionary<string, Uri> nodes) => _current = new Snapshot(nodes);

    public IProxyConfig GetConfig() => Volatile.Read(ref _current);

    /// <summary>From now on these nodes and no others.</summary>
    public void Update(IReadOnlyDictionary<string, Uri> nodes) => Interlocked.Exchange(ref _current, new Snapshot(nodes)).Expire();

    private sealed class Snapshot : IProxyConfig
    {
        public Snapshot(IReadOnlyDictionary<string, Uri> nodes)
        {
            // Never disposed: whoever still reads this snapshot may register with its token after it expired, and it holds no timer.
            var expiry = new CancellationTokenSource();
            ChangeToken = new CancellationChangeToken(expiry.Token);
            Expire = expiry.Cancel;
            Routes = [.. from node in nodes.Keys from path in Reachable select Route(node, path)];
            Clusters = [.. nodes.Select(static node => Cluster(node.Key, node.Value))];
        }

        public IReadOnlyList<RouteConfig> Routes { get; }

        public IReadOnlyList<ClusterConfig> Clusters { get; }

        public IChangeToken ChangeToken { get; }

        /// <summary>Says to whoever listens that there is a newer one.</summary>
        public Action Expire { get; }

        private static RouteConfig Route(string node, string path) => new RouteConfig
        {
            RouteId = node + path,
            ClusterId = node,
            Match = new RouteMatch { Path = $"/nodes/{node}{path}", Methods = AllowedMethods.Read },
            Timeout = TotalTimeout,
        }.WithTransformPathSet(path);

        private static ClusterConfig Cluster(string node, Uri address) => new()
        {
            ClusterId = node,
            Destinations = new Dictionary<string, DestinationConfig> { [node] = new() { Address = address.AbsoluteUri } },
            HttpRequest = new ForwarderRequestConfig { ActivityTimeout = ActivityTimeout, Version = new Version(1, 1), VersionPolicy = HttpVersionPolicy.RequestVersionExact },
        };
    }
}
