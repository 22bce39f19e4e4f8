using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>A client that sends and reads lines, and knows nothing more of IMAP than tags.</summary>
internal sealed class ImapClient : IAsyncDisposable
{
    // Only a test that fails waits for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private Stream _stream;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private int _tag;

    private ImapClient(Socket socket)
    {
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
    }

    public Socket Socket => _socket;

    public static async Task<ImapClient> ConnectAsync(IPEndPoint endPoint)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endPoint);
        return new ImapClient(socket);
    }

    public Task SendLineAsync(string line) => SendAsync(line + "\r\n");

    public async Task SendAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        await _stream.WriteAsync(Encoding.Latin1.GetBytes(text), patience.Token);
    }

    /// <summary>The next line without its CRLF; <c>null</c> at the end of the stream.</summary>
    public async Task<string?> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (true)
        {
            var end = Array.IndexOf(_buffer, (byte)'\n', _start, _end - _start);
            var count = (end < 0 ? _end : end + 1) - _start;
            line.Append(Encoding.Latin1.GetString(_buffer, _start, count));
            _start += count;
            if (end >= 0) return line.ToString().TrimEnd('\r', '\n');
            if (!await FillAsync()) return line.Length > 0 ? line.ToString() : null;
        }
    }

    /// <summary>Reads that many bytes.</summary>
    public async Task<byte[]> ReadBytesAsync(int count)
    {
        var bytes = new byte[count];
        for (var done = 0; done < count;)
        {
            if (_start == _end && !await FillAsync()) throw new EndOfStreamException();
            var taken = Math.Min(count - done, _end - _start);
            _buffer.AsSpan(_start, taken).CopyTo(bytes.AsSpan(done));
            _start += taken;
            done += taken;
        }
        return bytes;
    }

    /// <summary>Sends a command with a tag of its own.</summary>
    /// <returns>The lines of the answer, the tagged one last and without its tag.</returns>
    public async Task<List<string>> CommandAsync(string command)
    {
        var tag = $"t{++_tag}";
        await SendLineAsync($"{tag} {command}");
        return await ReadAnswerAsync(tag);
    }

    public async Task<List<string>> ReadAnswerAsync(string tag)
    {
        var lines = new List<string>();
        while (true)
        {
            var line = await ReadLineAsync() ?? throw new EndOfStreamException("Closed after: " + string.Join(" | ", lines));
            if (line.StartsWith(tag + " ", StringComparison.Ordinal))
            {
                lines.Add(line[(tag.Length + 1)..]);
                return lines;
            }
            lines.Add(line);
        }
    }

    /// <summary>Sends a command that has to succeed.</summary>
    /// <returns>The untagged lines of the answer.</returns>
    public async Task<List<string>> OkAsync(string command)
    {
        var lines = await CommandAsync(command);
        Assert.StartsWith("OK ", lines[^1], StringComparison.Ordinal);
        lines.RemoveAt(lines.Count - 1);
        return lines;
    }

    public async Task AppendAsync(string mailbox, string message, string options = "")
    {
        var size = Encoding.Latin1.GetByteCount(message);
        await SendAsync($"append APPEND {mailbox} {options}{{{size}+}}\r\n{message}\r\n");
        var lines = await ReadAnswerAsync("append");
        Assert.StartsWith("OK [APPENDUID ", lines[^1], StringComparison.Ordinal);
    }

    public async Task StartTlsAsync(Func<Stream, Task<Stream>> upgrade) => _stream = await upgrade(_stream);

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task<bool> FillAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        _start = 0;
        _end = 0;
        try
        {
            _end = await _stream.ReadAsync(_buffer, patience.Token);
        }
        catch (IOException)
        {
            // A reset is an end as well.
        }
        return _end > 0;
    }
}
