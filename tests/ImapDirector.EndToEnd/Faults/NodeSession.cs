using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImapDirector.EndToEnd.Faults;

/// <summary>A connection to a node alone that reads whole answers, with their literals.</summary>
internal sealed class NodeSession : IAsyncDisposable
{
    // Only a test that fails waits for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly BufferedStream _stream;
    private int _tag;

    private NodeSession(Socket socket) => _stream = new BufferedStream(new NetworkStream(socket, ownsSocket: true), 64 * 1024);

    /// <summary>Logs in, again and again while the node says that it cannot be now.</summary>
    public static async Task<NodeSession> LogInAsync(IPEndPoint imap, string user)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(imap);
        var session = new NodeSession(socket);
        await session.ReadLineAsync();
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var answer = await session.AskAsync($"AUTHENTICATE PLAIN {LoneNode.Credentials(user)}");
            if (answer.IsOk) return session;
            await Task.Delay(10);
        }
        throw new InvalidOperationException("The node does not take its users any more.");
    }

    /// <summary>Sends a command and reads the answer, which is OK, or NO with a response code.</summary>
    public async Task<NodeAnswer> AskAsync(string command)
    {
        var tag = $"t{++_tag}";
        await _stream.WriteAsync(Encoding.Latin1.GetBytes($"{tag} {command}\r\n"));
        await _stream.FlushAsync();
        var (lines, literals) = (new List<string>(), new List<byte[]>());
        while (true)
        {
            var line = await ReadLineAsync();
            if (line.StartsWith(tag + " ", StringComparison.Ordinal))
            {
                var isOk = line.StartsWith($"{tag} OK", StringComparison.Ordinal);
                if (!isOk && !line.StartsWith($"{tag} NO [", StringComparison.Ordinal)) throw new InvalidOperationException($"{command[..Math.Min(command.Length, 60)]}: {line}");
                lines.Add(line);
                return new NodeAnswer(isOk, lines, literals);
            }
            lines.Add(line);
            if (line.Length == 0 || line[^1] != '}') continue;
            var literal = new byte[int.Parse(line.AsSpan(line.LastIndexOf('{') + 1)[..^1], System.Globalization.CultureInfo.InvariantCulture)];
            await _stream.ReadExactlyAsync(literal).AsTask().WaitAsync(Patience);
            literals.Add(literal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
    }

    private async Task<string> ReadLineAsync()
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await _stream.ReadAsync(one).AsTask().WaitAsync(Patience) == 1)
        {
            if (one[0] == '\n') return line.ToString().TrimEnd('\r');
            line.Append((char)one[0]);
        }
        throw new IOException($"The node has closed the connection behind \"{line}\".");
    }
}

/// <summary>An answer.</summary>
/// <param name="IsOk">Whether it is OK.</param>
/// <param name="Lines">Its lines, the tagged one last.</param>
/// <param name="Literals">Its literals in order.</param>
internal sealed record NodeAnswer(bool IsOk, List<string> Lines, List<byte[]> Literals)
{
    /// <summary>The words of a response code behind its name.</summary>
    public string[] Code(string name)
    {
        var line = Lines.Single(line => line.Contains($"[{name} ", StringComparison.Ordinal));
        var code = line[(line.IndexOf('[', StringComparison.Ordinal) + 1)..];
        return code[..code.IndexOf(']', StringComparison.Ordinal)].Split(' ')[1..];
    }
}
