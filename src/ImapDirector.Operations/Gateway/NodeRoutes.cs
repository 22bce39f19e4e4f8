using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Transforms;

namespace ImapDirector.Operations.Gateway;

/// <summary>The routes of the gateway: an immutable snapshot made from the list of nodes, swapped as a whole.</summary>
/// <remarks>Each path that may be reached is a route of its own with a constant path at the node, so nothing a client writes gets into a node's request line.</remarks>
internal sealed class NodeRoutes : IProxyConfigProvider
{
    private static readonly string[] Reachable = ["/metrics", "/livez", "/readyz"];

    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    /// <summary>A node that sends nothing for this long is given up.</summary>
    private static readonly TimeSpan ActivityTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A whole answer may take this long: Prometheus' own default time-out for a scrape.</summary>
    private static readonly TimeSpan TotalTimeout = TimeSpan.FromSeconds(10);

    private readonly TimeSpan _probeInterval;
    private Snapshot _current;

    /// <param name="nodes">Names and HTTP addresses.</param>
    /// <param name="probeInterval">How often each node's <c>/readyz</c> is asked; zero for never.</param>
    public NodeRoutes(IReadOnlyDictionary<string, Uri> nodes, TimeSpan probeInterval) => (_probeInterval, _current) = (probeInterval, new Snapshot(nodes, probeInterval));

    public IProxyConfig GetConfig() => Volatile.Read(ref _current);

    /// <summary>From now on these nodes and no others.</summary>
    public void Update(IReadOnlyDictionary<string, Uri> nodes) => Interlocked.Exchange(ref _current, new Snapshot(nodes, _probeInterval)).Expire();

    private sealed class Snapshot : IProxyConfig
    {
        public Snapshot(IReadOnlyDictionary<string, Uri> nodes, TimeSpan probeInterval)
        {
            // Never disposed: whoever still reads this snapshot may register with its token after it expired, and it holds no timer.
            var expiry = new CancellationTokenSource();
            ChangeToken = new CancellationChangeToken(expiry.Token);
            Expire = expiry.Cancel;
            Routes = [.. from node in nodes.Keys from path in Reachable select Route(node, path)];
            Clusters = [.. nodes.Select(node => Cluster(node.Key, node.Value, probeInterval))];
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

        private static ClusterConfig Cluster(string node, Uri address, TimeSpan probeInterval) => new()
        {
            ClusterId = node,
            Destinations = new Dictionary<string, DestinationConfig> { [node] = new() { Address = address.AbsoluteUri } },
            HttpRequest = new ForwarderRequestConfig { ActivityTimeout = ActivityTimeout, Version = new Version(1, 1), VersionPolicy = HttpVersionPolicy.RequestVersionExact },
            HealthCheck = probeInterval == TimeSpan.Zero ? null : new HealthCheckConfig
            {
                // Whoever asks why a node is not ready has to reach it all the same.
                AvailableDestinationsPolicy = HealthCheckConstants.AvailableDestinations.HealthyOrPanic,
                Active = new ActiveHealthCheckConfig { Enabled = true, Interval = probeInterval, Timeout = ProbeTimeout, Policy = HealthCheckConstants.ActivePolicy.ConsecutiveFailures, Path = "/readyz" },
            },
        };
    }
}
