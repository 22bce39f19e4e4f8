using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImapDirector.Director.Tests.Delivery;

/// <summary>A node that answers LMTP as a test tells it to, on a real socket, and keeps what it was told.</summary>
internal sealed class ScriptedNode : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;

    public ScriptedNode(string name)
    {
        _listener.Start();
        Backend = new BackendNode { Name = name, Host = "127.0.0.1", LmtpPort = ((IPEndPoint)_listener.LocalEndpoint).Port, MasterPassword = "secret" };
        _serving = ServeAsync();
    }

    public BackendNode Backend { get; }

    public string Greeting { get; init; } = "220 node";

    public string Hello { get; init; } = "250-node\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 1000";

    /// <summary>An answer, or a greeting, that never comes.</summary>
    public const string Silence = "(silence)";

    /// <summary>How many recipients it hears before it answers all of them; again and again with the next number.</summary>
    public int[] RecipientRounds { get; init; } = [];

    /// <summary>The answer to a command, or <c>null</c> for the usual one; an empty answer closes the connection.</summary>
    public Func<string, string?> Answer { get; init; } = _ => null;

    /// <summary>The answers after the data, by recipient; <c>null</c> closes the connection.</summary>
    public Func<string, string?> AnswerData { get; init; } = _ => "250 2.0.0 Stored";

    public ConcurrentQueue<string> Commands { get; } = new();

    public ConcurrentQueue<string> Messages { get; } = new();

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _serving;
    }

    private async Task ServeAsync()
    {
        var sessions = new List<Task>();
        try
        {
            while (true) sessions.Add(SessionAsync(await _listener.AcceptTcpClientAsync()));
        }
        catch (Exception exception) when (exception is SocketException or InvalidOperationException)
        {
            await Task.WhenAll(sessions);
        }
    }

    private async Task SessionAsync(TcpClient client)
    {
        using var owned = client;
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        await using var writer = new StreamWriter(client.GetStream(), Encoding.Latin1) { NewLine = "\r\n", AutoFlush = true };
        var recipients = new List<string>();
        var rounds = new Queue<int>(RecipientRounds);
        var held = new List<string>();
        if (Greeting != Silence) await writer.WriteLineAsync(Greeting);
        while (await reader.ReadLineAsync() is { } command)
        {
            Commands.Enqueue(command);
            var answer = Answer(command) ?? command[..4] switch
            {
                "LHLO" => Hello,
                "DATA" => "354 Go",
                "QUIT" => "",
                _ => "250 2.1.0 Ok",
            };
            if (answer.Length == 0) return;
            if (answer == Silence) continue;
            held.Add(answer);
            if (!command.StartsWith("RCPT", StringComparison.Ordinal) || rounds.Count == 0 || held.Count == rounds.Peek())
            {
                if (command.StartsWith("RCPT", StringComparison.Ordinal)) rounds.TryDequeue(out _);
                await writer.WriteLineAsync(string.Join("\r\n", held));
                held.Clear();
            }
            if (command.StartsWith("RCPT", StringComparison.Ordinal) && answer[0] == '2') recipients.Add(command);
            if (command != "DATA" || answer[0] != '3') continue;

            var message = new StringBuilder();
            while (await reader.ReadLineAsync() is { } line && line != ".") message.Append(line).Append("\r\n");
            Messages.Enqueue(message.ToString());
            foreach (var recipient in recipients)
            {
                if (AnswerData(recipient) is not { } stored) return;
                await writer.WriteLineAsync(stored);
            }
        }
    }
}
