using ImapDirector.EndToEnd.Faults;
using ImapDirector.Tests.Shared;
using MailKit.Net.Imap;

namespace ImapDirector.EndToEnd;

/// <summary>A director, two nodes and a real Redis, each a process of its own, configured by files, variables and the command line.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly (int Imap, int Lmtp)[] _ports = [(FreePort.Next(), FreePort.Next()), (FreePort.Next(), FreePort.Next())];
    private readonly RunningProgram?[] _nodes = new RunningProgram?[2];

    private Cluster(RedisServer redis) => Redis = redis;

    public RedisServer Redis { get; }

    public RunningProgram Director { get; private set; } = null!;

    public string Configuration => _directory.File("director.json");

    public static async Task<Cluster> StartAsync(params string[] users)
    {
        var cluster = new Cluster(await RedisServer.StartAsync());
        try
        {
            await cluster.WriteConfigurationAsync();
            await Task.WhenAll(cluster.StartNodeAsync(0), cluster.StartNodeAsync(1));
            cluster.Director = await RunningProgram.StartAsync("director", "--config", cluster.Configuration);
            foreach (var user in users) await RunningProgram.RunAsync(Mail.Password + "\n", "user", "add", user, "--config", cluster.Configuration);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public RunningProgram Node(int number) => _nodes[number] ?? throw new InvalidOperationException($"Node {number} does not run.");

    /// <summary>The data directory of a node.</summary>
    public string DataOf(int number) => _directory.File($"node{number}");

    public async Task StartNodeAsync(int number) => _nodes[number] = await RunningProgram.StartAsync(
        new Dictionary<string, string> { ["IMAPDIRECTOR__MasterPassword"] = LoneNode.MasterPassword, ["IMAPDIRECTOR__Imap"] = "127.0.0.1:1" },
        "node", "--config", _directory.File("node.json"), "--set", $"Name=node{number}", "--set", $"DataDirectory={DataOf(number)}",
        "--set", $"Imap=127.0.0.1:{_ports[number].Imap}", "--set", $"Lmtp=127.0.0.1:{_ports[number].Lmtp}");

    public async Task KillNodeAsync(int number)
    {
        await Node(number).DisposeAsync();
        _nodes[number] = null;
    }

    /// <summary>What <c>user show</c> says in the line of that name.</summary>
    public async Task<string> ShowAsync(string user, string line)
    {
        var (_, shown, _) = await RunningProgram.RunAsync("", "user", "show", user, "--config", Configuration);
        return shown.Split('\n').Single(text => text.StartsWith(line + " ", StringComparison.Ordinal))[line.Length..].Trim();
    }

    /// <summary>Logs a user in, again and again as long as they are refused.</summary>
    public async Task<ImapClient> LogInWithinAsync(TimeSpan patience, string user)
    {
        for (var end = Environment.TickCount64 + (long)patience.TotalMilliseconds; ; await Task.Delay(200))
        {
            try
            {
                return await Mail.LogInAsync(Director.Imaps, user);
            }
            catch (MailKit.Security.AuthenticationException) when (Environment.TickCount64 < end)
            {
                // Its node counts as away.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Director is not null) await Director.DisposeAsync();
        foreach (var node in _nodes)
            if (node is not null) await node.DisposeAsync();
        await Redis.DisposeAsync();
        _directory.Dispose();
    }

    private async Task WriteConfigurationAsync()
    {
        await File.WriteAllTextAsync(_directory.File("password"), LoneNode.MasterPassword + "\n");
        await File.WriteAllTextAsync(_directory.File("token"), "0123456789abcdef0123456789abcdef\n");
        await File.WriteAllTextAsync(_directory.File("node.json"), """
            {
              // The environment says otherwise, and the command line has the last word.
              "Imap": "127.0.0.1:2",
              "Lmtp": "127.0.0.1:2",
              "FailureDelay": "10ms"
            }
            """);
        await File.WriteAllTextAsync(Configuration, $$"""
            {
              // Any port will do.
              "Name": "director1",
              "Imap": "127.0.0.1:0", "Imaps": "127.0.0.1:0", "Lmtp": "127.0.0.1:0",
              "Http": "127.0.0.1:{{FreePort.Next()}}", "ApiTokenFile": "{{_directory.File("token")}}",
              "NodeNetworks": ["127.0.0.0/8"], "MasterPasswordFile": "{{_directory.File("password")}}",
              "Redis": "{{Redis.ConnectionString}}",
              "RedisTimeout": "5s",
              "FailureDelay": "10ms",
              "BackendConnectTimeout": "5s",
              "SelfSignedDirectory": "{{_directory.File("tls")}}",
              "Nodes": [
                { "Name": "node0", "Host": "127.0.0.1", "ImapPort": {{_ports[0].Imap}}, "LmtpPort": {{_ports[0].Lmtp}}, "MasterPasswordFile": "{{_directory.File("password")}}" },
                { "Name": "node1", "Host": "127.0.0.1", "ImapPort": {{_ports[1].Imap}}, "LmtpPort": {{_ports[1].Lmtp}}, "MasterPasswordFile": "{{_directory.File("password")}}" },
              ],
            }
            """);
    }
}
