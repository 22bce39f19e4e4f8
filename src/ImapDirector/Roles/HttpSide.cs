using ImapDirector.Configuration;
using ImapDirector.Operations;
using ImapDirector.Operations.Health;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Roles;

/// <summary>The HTTP side of a role, where it is configured.</summary>
internal static class HttpSide
{
    /// <returns><c>null</c> when <c>Http</c> is unset.</returns>
    /// <exception cref="ConfigurationException">Its settings are out of their bounds.</exception>
    public static OperationsServer? Create(ProcessSettings settings, IReadOnlyList<NamedCheck> checks, IReadOnlyDictionary<string, Uri> nodes,
        CollectorRegistry registry, ILoggerFactory loggers)
    {
        if (settings.Http is null) return null;
        var options = new OperationsOptions { Http = settings.Http, AllowRemoteHttp = settings.AllowRemoteHttp, Checks = checks, Nodes = nodes };
        if (options.Validate() is { Count: > 0 } errors) throw new ConfigurationException(errors);
        return new OperationsServer(options, registry, loggers);
    }
}
