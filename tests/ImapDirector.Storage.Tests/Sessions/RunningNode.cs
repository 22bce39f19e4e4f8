using System.Net;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>A real node on free loopback ports, with a data directory of its own that is gone afterwards.</summary>
internal sealed class RunningNode : IAsyncDisposable
{
    public const string MasterPassword = "correct horse battery staple";
    public const string User = "alice@example.com";

    private readonly string _directory;
    private readonly bool _ownsDirectory;
    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();

    private RunningNode(string directory, bool ownsDirectory, Func<StorageNodeOptions, StorageNodeOptions>? change, ServerCertificate? certificate, ILoggerFactory loggers)
    {
        _directory = directory;
        _ownsDirectory = ownsDirectory;
        var options = new StorageNodeOptions
        {
            DataDirectory = directory,
            Imap = new IPEndPoint(IPAddress.Loopback, 0),
            Lmtp = new IPEndPoint(IPAddress.Loopback, 0),
            MasterPassword = MasterPassword,
            FailureDelay = TimeSpan.FromMilliseconds(1),
            // A slow machine would otherwise put "still at work" between the lines a test expects.
            ProgressInterval = TimeSpan.FromMinutes(10),
        };
        Node = new StorageNode(change?.Invoke(options) ?? options, certificate, Metrics.WithCustomRegistry(_registry), loggers);
    }

    public StorageNode Node { get; }

    public string DataDirectory => _directory;

    public static async Task<RunningNode> StartAsync(Func<StorageNodeOptions, StorageNodeOptions>? change = null, ServerCertificate? certificate = null,
        string? directory = null, ILoggerFactory? loggers = null)
    {
        var node = new RunningNode(directory ?? Directory.CreateTempSubdirectory("node-").FullName, directory is null, change, certificate,
            loggers ?? NullLoggerFactory.Instance);
        await node.Node.StartAsync(CancellationToken.None);
        return node;
    }

    /// <summary>A connection whose greeting has been read.</summary>
    public async Task<ImapClient> ConnectAsync()
    {
        var client = await ImapClient.ConnectAsync(Node.ImapEndPoint);
        Assert.StartsWith("* OK [CAPABILITY ", await client.ReadLineAsync(), StringComparison.Ordinal);
        return client;
    }

    /// <summary>A logged-in connection.</summary>
    public async Task<ImapClient> LogInAsync(string user = User)
    {
        var client = await ConnectAsync();
        await client.SendLineAsync($"login AUTHENTICATE PLAIN {Credentials(user)}");
        Assert.StartsWith("login OK ", await client.ReadLineAsync(), StringComparison.Ordinal);
        return client;
    }

    public static string Credentials(string user, string password = MasterPassword, string master = "director") =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}\0{master}\0{password}"));

    /// <summary>The directories of the users who have mail here.</summary>
    public string[] UserDirectories => [.. Directory.GetDirectories(Path.Combine(_directory, "users")).SelectMany(Directory.GetDirectories)];

    public async Task<string> MetricsTextAsync()
    {
        using var text = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        if (_ownsDirectory) Directory.Delete(_directory, recursive: true);
    }
}
