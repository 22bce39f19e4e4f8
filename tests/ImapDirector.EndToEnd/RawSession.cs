using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImapDirector.EndToEnd;

/// <summary>An IMAP connection that shows every line.</summary>
internal sealed class RawSession : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;

    private RawSession(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = new StreamReader(_stream, Encoding.Latin1);
    }

    public static async Task<RawSession> ConnectAsync(IPEndPoint imap)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(imap);
        var session = new RawSession(socket);
        await session.ReadToAsync("* OK");
        return session;
    }

    /// <summary>Connects from loopback, where a password may be sent without TLS.</summary>
    public static async Task<RawSession> LogInAsync(IPEndPoint imap, string user = Mail.Alice, string password = Mail.Password)
    {
        var session = await ConnectAsync(imap);
        await session.SendAsync($"a LOGIN {user} \"{password}\"");
        await session.ReadToAsync("a OK");
        return session;
    }

    public async Task SendAsync(string line) => await _stream.WriteAsync(Encoding.Latin1.GetBytes(line + "\r\n"));

    /// <summary>Reads on to a line that begins so, or with the tag of a command that did not succeed.</summary>
    public async Task<string> ReadToAsync(string beginning)
    {
        var read = new List<string>();
        while (await _reader.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal)) return line;
            read.Add(line);
            if (beginning[0] is not ('*' or '+') && line.StartsWith(beginning[..2], StringComparison.Ordinal)) break;
        }
        throw new InvalidOperationException($"No \"{beginning}\" came, but: {string.Join(" | ", read)}");
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();
}
