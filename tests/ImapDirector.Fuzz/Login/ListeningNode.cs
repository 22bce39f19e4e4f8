using System.Net;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Director;

namespace ImapDirector.Fuzz.Login;

/// <summary>A node that logs everybody in, says nothing more, and keeps what it hears.</summary>
internal sealed class ListeningNode : IDisposable
{
    /// <summary>What it offers who is logged in.</summary>
    public const string Capabilities = "IMAP4rev1 IDLE UIDPLUS";

    private const string Greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR ID AUTH=PLAIN] ready\r\n";
    private const string LoggedIn = $"OK [CAPABILITY {Capabilities}] in\r\n";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Lock _lock = new();
    private readonly List<string> _heard = [];
    private readonly Thread _serving;
    private int _accepted;

    public ListeningNode()
    {
        _listener.Start();
        Backend = new BackendNode
        {
            Name = "node1",
            Host = "127.0.0.1",
            ImapPort = ((IPEndPoint)_listener.LocalEndpoint).Port,
            MasterUser = "director",
            MasterPassword = Secrets.OfMaster,
        };
        _serving = new Thread(Serve) { IsBackground = true };
        _serving.Start();
    }

    public BackendNode Backend { get; }

    /// <summary>What came on each connection, Latin-1, since it was last asked; waits until they have ended.</summary>
    public IReadOnlyList<string> Take()
    {
        while (true)
        {
            lock (_lock)
            {
                if (_heard.Count == _accepted)
                {
                    string[] taken = [.. _heard];
                    _heard.Clear();
                    _accepted = 0;
                    return taken;
                }
            }
            Thread.Yield();
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _serving.Join();
    }

    private void Serve()
    {
        try
        {
            while (true)
            {
                using var socket = _listener.AcceptSocket();
                lock (_lock) _accepted++;
                var heard = Listen(socket);
                lock (_lock) _heard.Add(heard);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or InvalidOperationException)
        {
            // Disposed.
        }
    }

    private static string Listen(Socket socket)
    {
        var (heard, answered, lines) = (new StringBuilder(), 0, 0);
        var buffer = new byte[16 * 1024];
        try
        {
            socket.Send(Encoding.ASCII.GetBytes(Greeting));
            int count;
            while ((count = socket.Receive(buffer)) > 0)
            {
                heard.Append(Encoding.Latin1.GetString(buffer, 0, count));
                while (lines < 2 && heard.ToString().IndexOf('\n', answered) is var end and >= 0)
                {
                    var line = heard.ToString(answered, end - answered);
                    answered = end + 1;
                    var tag = line.Split(' ')[0];
                    socket.Send(Encoding.Latin1.GetBytes(lines++ == 0 ? $"* ID NIL\r\n{tag} OK thanks\r\n" : $"{tag} {LoggedIn}"));
                }
            }
        }
        catch (SocketException)
        {
            // The director has let it go.
        }
        return heard.ToString();
    }
}
