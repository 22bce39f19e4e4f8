using ImapDirector.Configuration;
using ImapDirector.Network.Tls;
using ImapDirector.Operations;
using ImapDirector.Operations.Health;
using ImapDirector.Operations.Metrics;
using ImapDirector.Storage;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Roles;

/// <summary><c>imapdirector node</c>.</summary>
internal sealed class NodeRole : IRole
{
    // Commits to disk hold a thread each: without a floor, a pool sized for two cores would make everybody else wait for them.
    private const int MostCommits = 64;

    private readonly StorageNode _node;
    private readonly ServerCertificate? _certificate;
    private readonly ServerCertificate? _https;
    private readonly OperationsServer? _operations;

    /// <exception cref="ConfigurationException">The certificate or the HTTP settings cannot be used.</exception>
    public NodeRole(NodeSettings settings, ILoggerFactory loggers)
    {
        MakeRoomForCommits();
        var registry = ProcessMetrics.NewRegistry();
        _certificate = settings.Process.LoadCertificate(settings.Node.Name);
        _https = settings.Process.LoadHttpsCertificate();
        new CertificateMetrics(Metrics.WithCustomRegistry(registry)).Follow(registry, Certificates);
        _node = new StorageNode(settings.Node, _certificate, Metrics.WithCustomRegistry(registry), loggers);
        _operations = HttpSide.Create(settings.Process, [new NamedCheck("node", _node.NotReadyReasonAsync)], registry, loggers, _node, _https);
    }

    /// <summary>Lets the pool have more threads than there are cores without waiting. Whoever keeps no mail does without: each thread that is woken for nothing costs.</summary>
    public static void MakeRoomForCommits() => ThreadPool.SetMinThreads(MostCommits, MostCommits);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_operations is not null) await _operations.StartAsync(cancellationToken);
        await _node.StartAsync(cancellationToken);
    }

    public IEnumerable<string> Describe()
    {
        yield return $"IMAP   {_node.ImapEndPoint}";
        yield return $"LMTP   {_node.LmtpEndPoint}";
        if (_operations is not null) yield return $"HTTP   http://{_operations.EndPoint}/metrics";
        if (_operations?.HttpsEndPoint is { } https) yield return $"HTTPS  https://{https}/metrics";
    }

    public IReadOnlyList<ServerCertificate> Certificates => [.. new[] { _certificate, _https }.OfType<ServerCertificate>()];

    public Task DrainAsync(TimeSpan timeout) => _node.DrainAsync(timeout);

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        if (_operations is not null) await _operations.DisposeAsync();
        _certificate?.Dispose();
        _https?.Dispose();
    }
}
