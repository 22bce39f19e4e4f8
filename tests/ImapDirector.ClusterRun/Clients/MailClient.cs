using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImapDirector.ClusterRun.Clients;

/// <summary>An IMAP connection that waits for everything for a bounded time.</summary>
internal sealed class MailClient : IAsyncDisposable
{
    private readonly NetworkStream _stream;
    private readonly PipeReader _reader;
    private readonly TimeSpan _patience;
    private int _tag;

    private MailClient(Socket socket, TimeSpan patience)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = PipeReader.Create(_stream);
        _patience = patience;
    }

    /// <summary>Connects from that address; the greeting is not read yet.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public static async Task<MailClient> ConnectAsync(IPEndPoint director, IPAddress from, TimeSpan patience)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(from, 0));
            using var time = new CancellationTokenSource(patience);
            await socket.ConnectAsync(director, time.Token);
            return new MailClient(socket, patience);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a command and reads its answer.</summary>
    /// <exception cref="IOException">The connection is closed, or broken.</exception>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    public async Task<Answer> AskAsync(string command)
    {
        var tag = await SendAsync(command);
        return await ReadAnswerAsync(tag);
    }

    /// <summary>Sends a command.</summary>
    /// <returns>Its tag.</returns>
    public async Task<string> SendAsync(string command)
    {
        var tag = $"t{++_tag}";
        await SendRawAsync($"{tag} {command}\r\n");
        return tag;
    }

    public async Task SendRawAsync(string text)
    {
        using var time = new CancellationTokenSource(_patience);
        await _stream.WriteAsync(Encoding.Latin1.GetBytes(text), time.Token);
    }

    /// <summary>Reads up to the tagged line; without a tag, one line. Literals are parts of their lines.</summary>
    public async Task<Answer> ReadAnswerAsync(string? tag)
    {
        using var time = new CancellationTokenSource(_patience);
        var lines = new List<string>();
        while (true)
        {
            var line = await ReadLineAsync(time.Token);
            lines.Add(line);
            if (tag is null || line.StartsWith(tag + " ", StringComparison.Ordinal)) return new Answer(line[((tag?.Length ?? 0) + 1)..], lines);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _reader.CompleteAsync();
        await _stream.DisposeAsync();
    }

    private async Task<string> ReadLineAsync(CancellationToken time)
    {
        var all = new StringBuilder();
        while (true)
        {
            var line = await TakeAsync(static buffer => buffer.PositionOf((byte)'\n') is { } end ? buffer.GetPosition(1, end) : null, time);
            line = line.TrimEnd('\r', '\n');
            all.Append(line);
            if (!line.EndsWith('}')) return all.ToString();
            var size = int.Parse(line.AsSpan(line.LastIndexOf('{') + 1)[..^1], CultureInfo.InvariantCulture);
            all.Append('\n').Append(await TakeAsync(buffer => buffer.Length >= size ? buffer.GetPosition(size) : null, time));
        }
    }

    private async Task<string> TakeAsync(Func<ReadOnlySequence<byte>, SequencePosition?> end, CancellationToken time)
    {
        while (true)
        {
            var read = await _reader.ReadAsync(time);
            if (end(read.Buffer) is { } position)
            {
                var text = Encoding.Latin1.GetString(read.Buffer.Slice(0, position));
                _reader.AdvanceTo(position);
                return text;
            }
            _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted) throw new EndOfStreamException("The connection is closed.");
        }
    }
}

/// <summary>An answer.</summary>
/// <param name="Text">Its last line behind the tag.</param>
/// <param name="Lines">All its lines.</param>
internal sealed record Answer(string Text, List<string> Lines)
{
    public bool IsOk => Text.StartsWith("OK", StringComparison.Ordinal);
}
