using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Network.Tls;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

/// <summary>A storage node on a real socket that does with each connection what a test tells it to, and keeps what it was sent.</summary>
internal sealed class FakeImapNode : IAsyncDisposable
{
    public const string MasterUser = "director";
    public const string MasterPassword = "node secret";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<NodeSession, Task> _serve;
    private readonly Task _accepting;

    /// <param name="serve">What it does with a connection, which is closed afterwards; it may end with any exception of the network.</param>
    /// <param name="name">Its name.</param>
    public FakeImapNode(Func<NodeSession, Task> serve, string name = "node1")
    {
        _serve = serve;
        _listener.Start();
        Backend = new BackendNode
        {
            Name = name,
            Host = "127.0.0.1",
            ImapPort = ((IPEndPoint)_listener.LocalEndpoint).Port,
            MasterUser = MasterUser,
            MasterPassword = MasterPassword,
        };
        _accepting = AcceptAsync();
    }

    /// <summary>A node that logs everybody in and then listens until the end.</summary>
    public static FakeImapNode Ready(string name = "node1") => new(async session =>
    {
        await session.LogInAsync();
        await session.ListenAsync();
    }, name);

    /// <summary>A node that logs everybody in and says to each command that it is done, with as little as clients can live with.</summary>
    public static FakeImapNode Obliging() => new(async session =>
    {
        await session.LogInAsync();
        while (true)
        {
            var words = (await session.ReadLineAsync()).Split(' ');
            if (words[1] is "LIST" or "LSUB") await session.WriteLineAsync("* LIST (\\Noselect) \"/\" \"\"");
            if (words[1] is "CAPABILITY") await session.WriteLineAsync("* CAPABILITY IMAP4rev1");
            if (words[1] is "LOGOUT") await session.WriteLineAsync("* BYE");
            await session.WriteLineAsync($"{words[0]} OK done");
        }
    });

    public BackendNode Backend { get; }

    public ConcurrentQueue<NodeSession> Sessions { get; } = new();

    public NodeSession Session => Assert.Single(Sessions);

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        foreach (var session in Sessions) session.Close();
        await _accepting.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true) serving.Add(ServeAsync(new NodeSession(await _listener.AcceptSocketAsync())));
        }
        // Stopped between two of them, it is not listening.
        catch (Exception stopped) when (stopped is SocketException or InvalidOperationException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(NodeSession session)
    {
        Sessions.Enqueue(session);
        try
        {
            await _serve(session);
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
            session.Loss = lost;
        }
        finally
        {
            session.Close();
        }
    }
}

/// <summary>One connection of a <see cref="FakeImapNode"/>.</summary>
public sealed class NodeSession(Socket socket)
{
    public const string Greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR ID AUTH=PLAIN] ready";
    public const string LoggedIn = "OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] in";

    private readonly StringBuilder _heard = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _loggedIn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Stream _stream = new NetworkStream(socket);

    public Socket Socket { get; } = socket;

    public Stream Stream => _stream;

    /// <summary>Every byte it was sent so far, Latin-1.</summary>
    public string Heard
    {
        get { lock (_heard) return _heard.ToString(); }
    }

    /// <summary>The master login's message, taken out of its base64.</summary>
    public string? Credentials { get; private set; }

    /// <summary>How the connection was lost, if it was.</summary>
    public Exception? Loss { get; set; }

    /// <summary>Ends when this side is done with the connection.</summary>
    public Task Closed => _closed.Task.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Ends when the user has been logged in.</summary>
    public Task LoggedInNow => _loggedIn.Task.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>The next line without CRLF.</summary>
    public async Task<string> ReadLineAsync()
    {
        var line = new StringBuilder();
        var letter = new byte[1];
        while (await _stream.ReadAsync(letter) > 0)
        {
            Hear(letter);
            line.Append((char)letter[0]);
            if (letter[0] == '\n') return line.ToString().TrimEnd('\r', '\n');
        }
        throw new EndOfStreamException();
    }

    /// <summary>Waits for a line, whatever it is.</summary>
    public Task UntilHeardLineAsync() => ReadLineAsync();

    public async Task WriteAsync(string text) => await _stream.WriteAsync(Encoding.Latin1.GetBytes(text));

    public Task WriteLineAsync(string line) => WriteAsync(line + "\r\n");

    /// <summary>Greets, reads ID and AUTHENTICATE, and says that it is well.</summary>
    public async Task LogInAsync()
    {
        await WriteLineAsync(Greeting);
        await AnswerLoginAsync(LoggedIn);
    }

    /// <summary>Reads ID and AUTHENTICATE with its initial response; answers the first well and the second as told.</summary>
    public async Task AnswerLoginAsync(string answer)
    {
        var id = await ReadLineAsync();
        await WriteLineAsync($"* ID NIL\r\n{Tag(id)} OK thanks");
        var authenticate = await ReadLineAsync();
        Credentials = Encoding.UTF8.GetString(Convert.FromBase64String(authenticate[(authenticate.LastIndexOf(' ') + 1)..]));
        await WriteLineAsync($"{Tag(authenticate)} {answer}");
        _loggedIn.TrySetResult();
    }

    /// <summary>Reads until the other side closes.</summary>
    public async Task ListenAsync()
    {
        var buffer = new byte[16 * 1024];
        int count;
        while ((count = await _stream.ReadAsync(buffer)) > 0) Hear(buffer.AsSpan(0, count));
    }

    public async Task SecureAsync(ServerCertificate certificate)
    {
        var tls = new SslStream(_stream);
        await tls.AuthenticateAsServerAsync(certificate.ServerOptions);
        _stream = tls;
    }

    /// <summary>Waits until it has heard something.</summary>
    public async Task UntilHeardAsync(string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!Heard.Contains(text, StringComparison.Ordinal)) await Task.Delay(10, patience.Token);
    }

    public void Close()
    {
        _stream.Dispose();
        Socket.Dispose();
        _closed.TrySetResult();
    }

    /// <summary>Closes with a reset, as a machine that fails.</summary>
    public void Reset() => Socket.Close(0);

    public static string Tag(string line) => line[..line.IndexOf(' ', StringComparison.Ordinal)];

    private void Hear(ReadOnlySpan<byte> bytes)
    {
        lock (_heard) _heard.Append(Encoding.Latin1.GetString(bytes));
    }
}
