using System.Globalization;
using System.Text.Json;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Tests.Shared;
using StackExchange.Redis;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary>Directors, nodes that believe their assertions and take orders over HTTP, and a real Redis, each a process of its own.</summary>
internal sealed class MovingCluster : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly (int Imap, int Lmtp, int Http)[] _ports;
    private readonly RunningProgram?[] _nodes;
    private readonly RunningProgram?[] _directors;
    private readonly int _httpPort = FreePort.Next();
    private ConnectionMultiplexer? _connection;

    private MovingCluster(RedisServer redis, int nodes, int directors)
    {
        Redis = redis;
        _ports = [.. Enumerable.Range(0, nodes).Select(static _ => (FreePort.Next(), FreePort.Next(), FreePort.Next()))];
        _nodes = new RunningProgram?[nodes];
        _directors = new RunningProgram?[directors];
    }

    public RedisServer Redis { get; }

    public IDatabase Database => _connection!.GetDatabase();

    public string Configuration => _directory.File("director.json");

    public string KeyFile => _directory.File("key.pem");

    public RunningProgram Director => DirectorAt(0);

    /// <param name="users">Who has an account.</param>
    /// <param name="nodes">How many nodes; the last takes no new users.</param>
    /// <param name="directors">How many directors.</param>
    /// <param name="more">Settings of the directors, as JSON members with a comma behind each.</param>
    public static async Task<MovingCluster> StartAsync(string[] users, int nodes = 2, int directors = 1, string more = "")
    {
        var cluster = new MovingCluster(await RedisServer.StartAsync(), nodes, directors);
        try
        {
            await cluster.WriteConfigurationAsync(more);
            cluster._connection = await ConnectionMultiplexer.ConnectAsync(cluster.Redis.ConnectionString + ",abortConnect=false");
            await Task.WhenAll(Enumerable.Range(0, nodes).Select(cluster.StartNodeAsync));
            await cluster.StartDirectorAsync(0);
            // One is made by the program, the others are copies: a password's hash takes a while.
            foreach (var user in users.Take(1)) await RunningProgram.RunAsync(Mail.Password + "\n", "user", "add", user, "--config", cluster.Configuration);
            var account = await cluster.Database.HashGetAllAsync($"imapdirector:{{{users[0]}}}:account");
            foreach (var user in users.Skip(1)) await cluster.Database.HashSetAsync($"imapdirector:{{{user}}}:account", account);
            for (var number = 1; number < directors; number++) await cluster.StartDirectorAsync(number);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public RunningProgram Node(int number) => _nodes[number] ?? throw new InvalidOperationException($"Node {number} does not run.");

    public RunningProgram DirectorAt(int number) => _directors[number] ?? throw new InvalidOperationException($"Director {number} does not run.");

    public string DataOf(int number) => _directory.File($"node{number}");

    public Uri HttpOf(int number) => new($"http://127.0.0.1:{_ports[number].Http}");

    public int ImapPortOf(int number) => _ports[number].Imap;

    public async Task StartNodeAsync(int number) => _nodes[number] = await RunningProgram.StartAsync("node", "--set", $"Name=node{number}", "--set", $"DataDirectory={DataOf(number)}",
        "--set", $"Imap=127.0.0.1:{_ports[number].Imap}", "--set", $"Lmtp=127.0.0.1:{_ports[number].Lmtp}", "--set", $"Http=127.0.0.1:{_ports[number].Http}",
        "--set", $"AssertionKeys={_directory.File("public.pem")}", "--set", "FailureDelay=10ms");

    public async Task StartDirectorAsync(int number) => _directors[number] = await RunningProgram.StartAsync("director", "--config", Configuration, "--set", $"Name=director{number}", "--set", number == 0 ? $"Http=127.0.0.1:{_httpPort}" : "Http=127.0.0.1:0");

    public async Task KillNodeAsync(int number)
    {
        if (_nodes[number] is { } node) await node.DisposeAsync();
        _nodes[number] = null;
    }

    public async Task KillDirectorAsync(int number)
    {
        if (_directors[number] is { } director) await director.DisposeAsync();
        _directors[number] = null;
    }

    /// <summary>Runs a command with the directors' configuration.</summary>
    public Task<(int ExitCode, string Printed, string Error)> RunAsync(params string[] arguments) => RunningProgram.RunAsync("", [.. arguments, "--config", Configuration]);

    public async Task<string?> NodeOfAsync(string user) => await Database.HashGetAsync($"imapdirector:{{{user}}}:assignment", "node");

    /// <summary>What each node says of whom it holds, but for copies that wait.</summary>
    public async Task<List<(int Node, string User, string State, long Messages, long Epoch)>> HeldAsync()
    {
        using var http = new HttpClient();
        using var signer = AssertionSigner.Parse(await File.ReadAllTextAsync(KeyFile));
        var held = new List<(int, string, string, long, long)>();
        for (var number = 0; number < _nodes.Length; number++)
        {
            if (_nodes[number] is null) continue;
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(HttpOf(number), "/api/v1/users"));
            var now = DateTimeOffset.UtcNow;
            request.Headers.Add("Authorization", "Bearer " + signer.Sign(new Assertion
            {
                Issuer = "test",
                Audience = $"node{number}",
                SessionId = "list.0",
                Scope = AssertionScope.Control,
                IssuedAt = now,
                ExpiresAt = now.AddSeconds(30),
            }));
            using var answer = await http.SendAsync(request);
            Assert.True(answer.IsSuccessStatusCode, $"Node {number} answers {answer.StatusCode}.");
            foreach (var one in JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync()).EnumerateArray())
                held.Add((number, one.GetProperty("user").GetString()!, one.GetProperty("state").GetString()!, one.GetProperty("messages").GetInt64(), one.GetProperty("epoch").GetInt64()));
        }
        return held;
    }

    /// <summary>The step a user's move is at; <c>null</c> when there is none.</summary>
    public async Task<string?> StepAsync(string user) => await Database.HashGetAsync($"imapdirector:{{{user}}}:move", "step");

    /// <summary>Waits until a user's move is over.</summary>
    public async Task<string> EndOfMoveAsync(string user)
    {
        for (var end = Environment.TickCount64 + 120_000; ; await Task.Delay(50))
        {
            string? step;
            try
            {
                step = await StepAsync(user);
            }
            catch (Exception away) when (away is RedisException or TimeoutException)
            {
                step = null;
            }
            if (step is "done" or "failed") return step;
            Assert.True(Environment.TickCount64 < end, $"The move stays at {step}: {string.Join('\n', _directors.Select(static director => director?.Log))}");
        }
    }

    /// <summary>Orders a move and does not wait for it.</summary>
    public async Task OrderAsync(string user, string node)
    {
        var id = Guid.NewGuid().ToString("N");
        await Database.SortedSetAddAsync("imapdirector:{cluster}:moves", user, 1);
        await Database.HashSetAsync($"imapdirector:{{{user}}}:move",
            [new("id", id), new("from", await NodeOfAsync(user)), new("to", node), new("step", "ordered"), new("ordered", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds())]);
        await Database.PublishAsync(RedisChannel.Literal("imapdirector:cluster"), "");
    }

    public async ValueTask DisposeAsync()
    {
        for (var number = 0; number < _directors.Length; number++) await KillDirectorAsync(number);
        for (var number = 0; number < _nodes.Length; number++) await KillNodeAsync(number);
        if (_connection is not null) await _connection.DisposeAsync();
        await Redis.DisposeAsync();
        _directory.Dispose();
    }

    private async Task WriteConfigurationAsync(string more)
    {
        await File.WriteAllTextAsync(_directory.File("token"), "0123456789abcdef0123456789abcdef\n");
        using (var signer = AssertionSigner.Create())
        {
            await File.WriteAllTextAsync(KeyFile, signer.ExportPrivatePem());
            await File.WriteAllTextAsync(_directory.File("public.pem"), signer.ExportPublicPem());
        }
        var nodes = _ports.Select((ports, number) => string.Create(CultureInfo.InvariantCulture,
            $$"""{ "Name": "node{{number}}", "Host": "127.0.0.1", "ImapPort": {{ports.Imap}}, "LmtpPort": {{ports.Lmtp}}, "Http": "http://127.0.0.1:{{ports.Http}}", "Weight": {{(number == _ports.Length - 1 ? 0 : 100)}} }"""));
        await File.WriteAllTextAsync(Configuration, $$"""
            {
              "Imap": "127.0.0.1:0", "Imaps": "127.0.0.1:0", "Lmtp": "127.0.0.1:0", "Http": "127.0.0.1:{{_httpPort}}", "ApiTokenFile": "{{_directory.File("token")}}",
              "Redis": "{{Redis.ConnectionString}}", "RedisTimeout": "5s",
              "FailureDelay": "10ms", "BackendConnectTimeout": "5s",
              {{more}}
              "SelfSignedDirectory": "{{_directory.File("tls")}}",
              "AssertionKeyFile": "{{KeyFile}}",
              "Nodes": [ {{string.Join(",\n", nodes)}} ],
            }
            """);
    }
}
