using System.Globalization;
using System.Net;
using ImapDirector.ClusterRun.Machines;
using ImapDirector.Director;
using ImapDirector.Tests.Shared;
using StackExchange.Redis;

namespace ImapDirector.ClusterRun.Servers;

/// <summary>Three directors, two bundled nodes, a Dovecot and a Cyrus where they are installed, and Redis.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    public const string Password = "correct horse";
    private const int Unavailable = 69, TimedOut = 124;
    public const int Imap = 1143, Lmtp = 1124, Imaps = 1993, Http = 1180;

    // The cheapest Argon2id there is: what is tried here is not how long a password check takes.
    private const string PasswordHash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$t5QLzMlfSPLMezb1X/hRw1bKTTpryM1JhqBpLyqseOw";

    private readonly string _program;
    private readonly List<ClusterProgram> _directors = [];
    private readonly List<ClusterProgram> _nodes = [];
    private readonly List<(string Name, IAsyncDisposable Server, string Configuration)> _foreign = [];
    private ConnectionMultiplexer? _redis;

    private TestCluster(TestNetwork network, string directory, string program) => (Network, RunDirectory, _program) = (network, directory, program);

    public TestNetwork Network { get; }

    /// <summary>Where everything is: configurations, logs, mail.</summary>
    public string RunDirectory { get; }

    public RedisServers Redis { get; private set; } = null!;

    public IReadOnlyList<ClusterProgram> Directors => _directors;

    /// <summary>The bundled ones.</summary>
    public IReadOnlyList<ClusterProgram> Nodes => _nodes;

    /// <param name="kind">How Redis is run.</param>
    /// <param name="isSpared">Whether no fault is Redis' own.</param>
    /// <param name="program">The imapdirector.dll to run.</param>
    /// <param name="directory">A directory of its own.</param>
    public static async Task<TestCluster> StartAsync(RedisKind kind, bool isSpared, string program, string directory)
    {
        var network = await TestNetwork.CreateAsync(["director1", "director2", "director3", "node1", "node2", .. RedisServers.HostsOf(kind)]);
        var cluster = new TestCluster(network, directory, program);
        try
        {
            cluster.Redis = await RedisServers.StartAsync(kind, isSpared, network, directory);
            await cluster.MakeKeyAsync();
            await cluster.AddForeignAsync();
            await File.WriteAllTextAsync(Path.Combine(directory, "token"), System.Security.Cryptography.RandomNumberGenerator.GetHexString(64));
            for (var i = 1; i <= 2; i++) await cluster.AddNodeAsync($"node{i}");
            for (var i = 1; i <= 3; i++) await cluster.AddDirectorAsync($"director{i}");
            await Task.WhenAll(cluster._nodes.Concat(cluster._directors).Select(static one => one.StartAsync()));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The bundled nodes as a director is told of them.</summary>
    public IReadOnlyList<BackendNode> BackendNodes => [.. _nodes.Select(static node => new BackendNode
    {
        Name = node.Name,
        Host = node.Host.Address.ToString(),
        ImapPort = Imap,
        LmtpPort = Lmtp,
        Http = new Uri($"http://{node.Host.Address}:{Http}"),
    })];

    /// <summary>Makes accounts, all with <see cref="Password"/>.</summary>
    /// <param name="users">Their names.</param>
    /// <param name="node">The node that all are assigned to; <c>null</c> for what the directors choose.</param>
    public async Task AddUsersAsync(IEnumerable<string> users, string? node = null)
    {
        _redis ??= await ConnectAsync();
        await Task.WhenAll(users.Select(async user =>
        {
            await SetAsync($"imapdirector:{{{user}}}:account", [new("password", PasswordHash), new("created", DateTimeOffset.UtcNow.ToUnixTimeSeconds())]);
            if (node is not null) await SetAsync($"imapdirector:{{{user}}}:assignment", [new("node", node), new("epoch", 1)]);
        }));
    }

    // A master whose replicas are behind for a moment takes nothing.
    private async Task SetAsync(string key, HashEntry[] fields)
    {
        for (var end = DateTime.UtcNow + TimeSpan.FromSeconds(60); ; await Task.Delay(200))
        {
            try
            {
                await _redis!.GetDatabase().HashSetAsync(key, fields);
                return;
            }
            catch (Exception away) when (away is RedisException or TimeoutException && DateTime.UtcNow < end)
            {
                // Once more.
            }
        }
    }

    /// <summary>The node that the map names for a user; <c>null</c> while nothing is known.</summary>
    public async Task<string?> NodeOfAsync(string user)
    {
        try
        {
            _redis ??= await ConnectAsync();
            return await _redis.GetDatabase().HashGetAsync($"imapdirector:{{{user}}}:assignment", "node");
        }
        catch (Exception away) when (away is RedisException or TimeoutException)
        {
            return null;
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync() => await ConnectionMultiplexer.ConnectAsync(Redis.ConnectionString + ",abortConnect=false");

    public IPEndPoint EndPointOf(int director, int port) => new(_directors[director].Host.Address, port);

    /// <summary>The others, by the software they are.</summary>
    public IEnumerable<string> ForeignNodes => _foreign.Select(static node => node.Name);

    /// <summary>The directory of a bundled node's mail.</summary>
    public string DataOf(ClusterProgram node) => Path.Combine(RunDirectory, node.Name + "-mail");

    /// <summary>Runs a command of the program, as an operator does.</summary>
    public Task<(int ExitCode, string Printed, string Error)> CommandAsync(params IEnumerable<string> arguments) =>
        Launcher.RunAsync("dotnet", ["exec", _program, .. arguments]);

    /// <summary>Runs a command that is about the cluster, on the first director's host whose director answers.</summary>
    public Task<(int ExitCode, string Printed, string Error)> OrderAsync(params IEnumerable<string> arguments) => OrderAsync(TimeSpan.FromSeconds(60), arguments);

    /// <summary>As above, for one that may take longer.</summary>
    public async Task<(int ExitCode, string Printed, string Error)> OrderAsync(TimeSpan limit, params IEnumerable<string> arguments)
    {
        var answer = (ExitCode: Unavailable, Printed: "", Error: "");
        foreach (var director in _directors)
        {
            // A director that is paused does not answer, and an operator would not wait for it.
            string[] command = [.. director.Host.Enter, "timeout", $"{(int)limit.TotalSeconds}", "dotnet", "exec", _program, .. arguments, "--config", ConfigurationOf(director.Name)];
            answer = await Launcher.RunAsync(command[0], command[1..]);
            if (answer.ExitCode is not (Unavailable or TimedOut)) break;
        }
        return answer;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in _directors.Concat(_nodes)) await program.DisposeAsync();
        foreach (var (_, server, _) in _foreign) await server.DisposeAsync();
        if (_redis is not null) await _redis.DisposeAsync();
        if (Redis is not null) await Redis.DisposeAsync();
        await Network.DisposeAsync();
    }

    /// <summary>Only in a sandbox, which ends them whatever happens to this process: they have processes of their own.</summary>
    private async Task AddForeignAsync()
    {
        if (!Sandbox.IsHere) return;
        if (InstalledPrograms.ReasonToSkip("dovecot") is null && File.Exists(DovecotServer.LmtpProgram))
        {
            var dovecot = await DovecotServer.StartAsync(null, Network.Router.Address);
            Add("dovecot", dovecot, dovecot.EndPoint, dovecot.LmtpEndPoint, DovecotServer.MasterUser, DovecotServer.MasterPassword);
        }
        if (File.Exists(CyrusServer.Program))
        {
            var cyrus = await CyrusServer.StartAsync(Network.Router.Address);
            Add("cyrus", cyrus, cyrus.EndPoint, cyrus.LmtpEndPoint, CyrusServer.MasterUser, CyrusServer.MasterPassword);
        }

        void Add(string name, IAsyncDisposable server, IPEndPoint imap, IPEndPoint lmtp, string user, string password) => _foreign.Add((name, server, $$"""
            { "Name": "{{name}}", "Host": "{{imap.Address}}", "ImapPort": {{imap.Port}}, "LmtpPort": {{lmtp.Port}}, "MasterUser": "{{user}}", "MasterPassword": "{{password}}", "Kind": "Generic", "Weight": 30 }
            """));
    }

    private string KeyDirectory => Path.Combine(RunDirectory, "keys");

    private async Task MakeKeyAsync()
    {
        var (exitCode, _, error) = await CommandAsync("keys", "new", "--directory", KeyDirectory);
        if (exitCode != 0) throw new InvalidOperationException($"keys new ended with {exitCode}: {error}");
    }

    private string ConfigurationOf(string name) => Path.Combine(RunDirectory, name + ".json");

    private async Task AddNodeAsync(string name)
    {
        var host = Network[name];
        await File.WriteAllTextAsync(ConfigurationOf(name), $$"""
            {
              "Name": "{{name}}",
              "DataDirectory": "{{RunDirectory}}/{{name}}-mail",
              "Imap": "{{host.Address}}:{{Imap}}", "Lmtp": "{{host.Address}}:{{Lmtp}}", "Http": "{{host.Address}}:{{Http}}",
              "AllowRemoteHttp": true,
              "TrustedNetworks": [ "{{Network.Everything}}" ], "RequireTls": false,
              "AssertionKeys": "{{KeyDirectory}}",
              "LogFormat": "Json"
            }
            """);
        _nodes.Add(Program(name, "node"));
    }

    private async Task AddDirectorAsync(string name)
    {
        var host = Network[name];
        await File.WriteAllTextAsync(ConfigurationOf(name), $$"""
            {
              "Name": "{{name}}",
              "Imap": "{{host.Address}}:{{Imap}}", "Imaps": "{{host.Address}}:{{Imaps}}", "Lmtp": "{{host.Address}}:{{Lmtp}}", "Http": "{{host.Address}}:{{Http}}",
              "AllowRemoteHttp": true, "ApiTokenFile": "{{RunDirectory}}/token", "AllowPlainTextLogin": true, "LmtpNetworks": [ "{{Network.Everything}}" ],
              "SelfSignedDirectory": "{{RunDirectory}}/{{name}}-tls",
              "Redis": "{{Redis.ConnectionString}}",
              "AssertionKeyFile": "{{Directory.GetFiles(KeyDirectory, "*.key").Single()}}",
              "DrainTimeout": "2s",
              "BackendConnectTimeout": "1s", "BackendLoginTimeout": "5s", "LoginTimeout": "{{LoginTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)}}s",
              "NodeCheckInterval": "500ms", "FailureDelay": "10ms", "Authentication": { "UpgradeHashes": false },
              "Nodes": [ {{string.Join(", ", _foreign.Select(static node => node.Configuration).Concat(_nodes.Select(node => $$"""
                { "Name": "{{node.Name}}", "Host": "{{node.Host.Address}}", "ImapPort": {{Imap}}, "LmtpPort": {{Lmtp}}, "Http": "http://{{node.Host.Address}}:{{Http}}" }
                """)))}} ]
            }
            """);
        _directors.Add(Program(name, "director"));
    }

    /// <summary>What the directors allow a login.</summary>
    public static TimeSpan LoginTimeout => TimeSpan.FromSeconds(15);

    private ClusterProgram Program(string name, string role) =>
        new(name, Network[name], RunDirectory, new IPEndPoint(Network[name].Address, Imap), ["dotnet", "exec", _program, role, "--config", ConfigurationOf(name)]);
}
