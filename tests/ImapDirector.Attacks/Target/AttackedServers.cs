using ImapDirector.Tests.Shared;

namespace ImapDirector.Attacks.Target;

/// <summary>A director, a node and Redis, each a process of its own, with the limits that they are shipped with.</summary>
internal sealed class AttackedServers : IAsyncDisposable
{
    public const string Alice = "alice@example.com", Bob = "bob@example.com", Mallory = "mallory@example.com";
    public const string Password = "correct horse", MallorysPassword = "her own word";

    /// <summary>How many messages a user who is left alone has.</summary>
    public const int Messages = 5;

    private readonly TemporaryDirectory _directory = new();
    private RedisServer _redis = null!;

    public RunningProgram Director { get; private set; } = null!;

    public RunningProgram Node { get; private set; } = null!;

    public static async Task<AttackedServers> StartAsync()
    {
        var servers = new AttackedServers();
        try
        {
            servers._redis = await RedisServer.StartAsync();
            await servers.StartProgramsAsync();
            await servers.FillAsync();
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>What is in all mail of a user, and in nobody else's.</summary>
    public static string SecretOf(string user) => $"only-{user.Split('@')[0]}-may-read-this";

    public async ValueTask DisposeAsync()
    {
        if (Director is not null) await Director.DisposeAsync();
        if (Node is not null) await Node.DisposeAsync();
        if (_redis is not null) await _redis.DisposeAsync();
        _directory.Dispose();
    }

    private async Task StartProgramsAsync()
    {
        var keys = _directory.File("keys");
        await MustRunAsync("", "keys", "new", "--directory", keys);
        await File.WriteAllTextAsync(_directory.File("token"), "0123456789abcdef0123456789abcdef\n");
        var (imap, lmtp) = (FreePort.Next(), FreePort.Next());
        await File.WriteAllTextAsync(_directory.File("node.json"), $$"""
            { "Name": "node1", "DataDirectory": "{{_directory.File("mail")}}", "Imap": "127.0.0.1:{{imap}}", "Lmtp": "127.0.0.1:{{lmtp}}", "AssertionKeys": "{{keys}}", "LogLevel": "Error" }
            """);
        await File.WriteAllTextAsync(_directory.File("director.json"), $$"""
            {
              "Name": "director1",
              "Imap": "127.0.0.1:0", "Imaps": "127.0.0.1:0", "Lmtp": "127.0.0.1:0", "Http": "127.0.0.1:{{FreePort.Next()}}", "ApiTokenFile": "{{_directory.File("token")}}",
              "Redis": "{{_redis.ConnectionString}}", "RedisTimeout": "5s", "AssertionKeyFile": "{{Directory.GetFiles(keys, "*.key").Single()}}", "SelfSignedDirectory": "{{_directory.File("tls")}}", "LogLevel": "Error",
              "Nodes": [ { "Name": "node1", "Host": "127.0.0.1", "ImapPort": {{imap}}, "LmtpPort": {{lmtp}} } ]
            }
            """);
        Node = await RunningProgram.StartAsync("node", "--config", _directory.File("node.json"));
        Director = await RunningProgram.StartAsync("director", "--config", _directory.File("director.json"));
    }

    private async Task FillAsync()
    {
        foreach (var (user, password) in new[] { (Alice, Password), (Bob, Password), (Mallory, MallorysPassword) })
        {
            await MustRunAsync(password + "\n", "user", "add", user, "--config", _directory.File("director.json"));
            for (var i = 1; i <= Messages; i++)
            {
                await using var client = await LmtpClient.BeginAsync(Director.Lmtp);
                await client.AskAsync($"RCPT TO:<{user}>");
                var replies = await client.DataAsync($"From: sender@example.net\r\nTo: {user}\r\nSubject: {i}\r\n\r\n{SecretOf(user)}\r\n{new string('x', 70)}", 1);
                if (!replies[0].StartsWith("250 ", StringComparison.Ordinal)) throw new InvalidOperationException(replies[0]);
            }
        }
    }

    private static async Task MustRunAsync(string input, params string[] arguments)
    {
        var (exitCode, _, error) = await RunningProgram.RunAsync(input, arguments);
        if (exitCode != 0) throw new InvalidOperationException($"{string.Join(' ', arguments)} ended with {exitCode}: {error}");
    }
}
