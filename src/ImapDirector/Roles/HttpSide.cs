using ImapDirector.Configuration;
using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Network.Tls;
using ImapDirector.Operations;
using ImapDirector.Operations.Api;
using ImapDirector.Operations.Health;
using ImapDirector.Operations.Https;
using ImapDirector.Storage;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Roles;

/// <summary>The HTTP side of a role, where it is configured.</summary>
internal static class HttpSide
{
    /// <summary>That of a director: the gateway reaches the nodes that there are, as they come and go.</summary>
    /// <returns><c>null</c> when <c>Http</c> is unset.</returns>
    /// <exception cref="ConfigurationException">Its settings are out of their bounds.</exception>
    public static OperationsServer? Create(ProcessSettings settings, IReadOnlyList<NamedCheck> checks, DirectorServer director, ApiToken? token, CollectorRegistry registry, ILoggerFactory loggers, ServerCertificate? https = null)
    {
        if (settings.Http is null) return null;
        var server = Create(new OperationsOptions { Http = settings.Http, AllowRemoteHttp = settings.AllowRemoteHttp, Checks = checks, Nodes = PagesOf(director.Nodes), Director = director, ApiToken = token, Https = HttpsOf(settings, https) }, registry, loggers);
        director.NodesChanged += nodes => server.UpdateNodes(PagesOf(nodes));
        return server;
    }

    /// <summary>That of a node.</summary>
    /// <returns><c>null</c> when <c>Http</c> is unset.</returns>
    /// <exception cref="ConfigurationException">Its settings are out of their bounds.</exception>
    public static OperationsServer? Create(ProcessSettings settings, IReadOnlyList<NamedCheck> checks, CollectorRegistry registry, ILoggerFactory loggers, StorageNode node, ServerCertificate? https) => settings.Http is null
        ? null : Create(new OperationsOptions { Http = settings.Http, AllowRemoteHttp = settings.AllowRemoteHttp, Checks = checks, Node = node, Https = HttpsOf(settings, https) }, registry, loggers);

    private static HttpsOptions? HttpsOf(ProcessSettings settings, ServerCertificate? certificate) =>
        settings.Https is { } https && certificate is not null ? new HttpsOptions(https.Address, certificate, https.Operators) : null;

    private static OperationsServer Create(OperationsOptions options, CollectorRegistry registry, ILoggerFactory loggers) =>
        options.Validate() is { Count: > 0 } errors ? throw new ConfigurationException(errors) : new OperationsServer(options, registry, loggers);

    private static Dictionary<string, Uri> PagesOf(NodeSet nodes) => nodes.Reachable.Where(static node => node.Http is not null).ToDictionary(static node => node.Name, static node => node.Http!);
}
