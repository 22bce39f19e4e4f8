using System.Net;
using ImapDirector.Configuration;
using ImapDirector.Director;
using ImapDirector.Network.Tls;
using ImapDirector.Operations;
using ImapDirector.Operations.Api;
using ImapDirector.Operations.Health;
using ImapDirector.Operations.Metrics;
using ImapDirector.Standalone;
using ImapDirector.Storage;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Roles;

/// <summary><c>imapdirector standalone</c>: a director, two nodes and an embedded Redis in one process, talking to each other over loopback as they would over a network.</summary>
internal sealed class StandaloneRole(StandaloneOptions options, ProcessSettings settings, ILoggerFactory loggers) : IRole
{
    private readonly CollectorRegistry _registry = ProcessMetrics.NewRegistry();
    private readonly List<StorageNode> _nodes = [];
    private StandaloneData? _data;
    private ServerCertificate? _certificate;
    private EmbeddedRedis? _redis;
    private DirectorServer? _director;
    private OperationsServer? _operations;
    private (string Name, string? MadeUpPassword)? _firstUser;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        NodeRole.MakeRoomForCommits();
        _data = StandaloneData.Open(options.DataDirectory);
        _certificate = ServerCertificate.LoadOrCreateSelfSigned(_data.MakePrivate("tls"), ["localhost", "127.0.0.1", "::1", options.Address.ToString()]);
        new CertificateMetrics(Metrics.WithCustomRegistry(_registry)).Follow(_registry, Certificates);
        await StartRedisAsync(_data, cancellationToken);
        var (key, publicKeys) = _data.EnsureAssertionKey();
        foreach (var name in StandaloneSecrets.NodeNames) await StartNodeAsync(_data, name, publicKeys, cancellationToken);

        var director = DirectorOptions(key);
        if (director.Validate() is { Count: > 0 } errors) throw new ConfigurationException(errors);
        _director = new DirectorServer(director, _certificate, Metrics.WithCustomRegistry(_registry), loggers);
        _operations = HttpSide.Create(settings, [new NamedCheck("director", _director.NotReadyReasonAsync),
            .. StandaloneSecrets.NodeNames.Zip(_nodes, static (name, node) => new NamedCheck(name, node.NotReadyReasonAsync))], _director, ApiToken.Load(_data.ApiTokenFile), _registry, loggers);
        if (_operations is not null)
        {
            await _operations.StartAsync(cancellationToken);
            _data.Save(_data.Secrets with { HttpPort = _operations.EndPoint.Port });
        }
        await _director.StartAsync(cancellationToken);
        // Last: a password that is made up must be shown, and a start that fails shows nothing.
        _firstUser = await FirstUser.EnsureAsync(options, _director.Accounts, cancellationToken);
    }

    public IEnumerable<string> Describe()
    {
        yield return $"ImapDirector stand-alone: a director, {_nodes.Count} nodes and a Redis-compatible server, data in {_data!.Directory}";
        yield return "";
        yield return $"  IMAP   {_director!.ImapEndPoint}   STARTTLS; without TLS from this machine only";
        yield return $"  IMAPS  {_director.ImapsEndPoint}   self-signed certificate, SHA-256 {_certificate!.Fingerprint}";
        yield return $"  LMTP   {_director.LmtpEndPoint}   mail comes in here, from this machine only";
        if (_operations is not null) yield return $"  HTTP   http://{_operations.EndPoint}/metrics   also /livez and /readyz; what it takes orders with is in {_data.ApiTokenFile}";
        yield return $"  Redis  127.0.0.1:{_redis!.Port}   its password is in {Path.Combine(_data.Directory, "standalone.json")}";
        yield return "";
        if (_firstUser is { } user)
        {
            yield return $"  User      {user.Name}";
            if (user.MadeUpPassword is { } password) yield return $"  Password  {password}   shown this once";
            yield return "";
        }
    }

    public IReadOnlyList<ServerCertificate> Certificates => _certificate is null ? [] : [_certificate];

    public async Task DrainAsync(TimeSpan timeout)
    {
        // The director first: what it still passes on, the nodes still take.
        if (_director is not null) await _director.DrainAsync(timeout);
        await Task.WhenAll(_nodes.Select(node => node.DrainAsync(timeout)));
    }

    public async ValueTask DisposeAsync()
    {
        if (_director is not null) await _director.DisposeAsync();
        foreach (var node in _nodes) await node.DisposeAsync();
        if (_operations is not null) await _operations.DisposeAsync();
        if (_redis is not null) await _redis.DisposeAsync();
        _certificate?.Dispose();
        _data?.Dispose();
    }

    private async Task StartRedisAsync(StandaloneData data, CancellationToken cancellationToken)
    {
        _redis = new EmbeddedRedis(data.MakePrivate("redis"), options.RedisPort, data.Secrets.RedisPassword, loggers);
        // Before it starts: a crash in between must not leave accounts behind that nobody has the password for.
        data.Save(data.Secrets with { RedisPort = options.RedisPort });
        await _redis.StartAsync(cancellationToken);
        data.Save(data.Secrets with { RedisPort = _redis.Port });
    }

    private async Task StartNodeAsync(StandaloneData data, string name, string publicKeys, CancellationToken cancellationToken)
    {
        var free = new IPEndPoint(IPAddress.Loopback, 0);
        var node = new StorageNode(new StorageNodeOptions
        {
            Name = name,
            DataDirectory = Path.Combine(data.Directory, name),
            Imap = free,
            Lmtp = free,
            AssertionKeys = publicKeys,
        }, certificate: null, Metrics.WithCustomRegistry(_registry).WithLabels(new Dictionary<string, string> { ["node"] = name }), loggers);
        _nodes.Add(node);
        await node.StartAsync(cancellationToken);
    }

    private DirectorOptions DirectorOptions(string assertionKey) => new()
    {
        Name = "standalone",
        Imap = new IPEndPoint(options.Address, options.ImapPort),
        Imaps = new IPEndPoint(options.Address, options.ImapsPort),
        Lmtp = new IPEndPoint(options.Address, options.LmtpPort),
        Redis = _redis!.ConnectionString,
        // It is in this very process: when it is slow, the whole machine is, and a refusal would help nobody.
        RedisTimeout = TimeSpan.FromSeconds(5),
        AssertionKeyFile = assertionKey,
        Nodes = [.. StandaloneSecrets.NodeNames.Zip(_nodes, (name, node) => new BackendNode
        {
            Name = name,
            Host = "127.0.0.1",
            ImapPort = node.ImapEndPoint.Port,
            LmtpPort = node.LmtpEndPoint.Port,
        })],
    };
}
