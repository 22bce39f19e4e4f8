using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace ImapDirector.Attacks.Target;

/// <summary>A connection of somebody who keeps to no rule. A peer that has closed, in whatever way, is the end of what can be read; everything else waits for a bounded time.</summary>
internal sealed class Wire : IAsyncDisposable
{
    /// <summary>Longer than any answer may take: whoever has not logged in is gone after a minute.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(75);

    // What no answer of the servers reaches: a wire that is read for longer is itself a finding.
    private const int MostToRead = 32 << 20;

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[4096];
    private Stream _stream;
    private string _lastSent = "";
    private int _begin, _end;

    private Wire(Socket socket) => (_socket, _stream) = (socket, new NetworkStream(socket, ownsSocket: true));

    /// <exception cref="SocketException">Nobody listens, or nobody is listened to any more.</exception>
    public static async Task<Wire> ConnectAsync(IPEndPoint server, IPAddress from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(from, 0));
            using var time = new CancellationTokenSource(Patience);
            await socket.ConnectAsync(server, time.Token);
            return new Wire(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects and logs in, in the clear, which is allowed on loopback.</summary>
    /// <returns><c>null</c> when it was refused.</returns>
    public static async Task<Wire?> LogInAsync(IPEndPoint imap, IPAddress from, string user, string password)
    {
        var wire = await ConnectAsync(imap, from);
        await wire.ReadLineAsync();
        if (IsOk(await wire.AskAsync($"l LOGIN {user} \"{password}\""))) return wire;
        await wire.DisposeAsync();
        return null;
    }

    public static bool IsOk(string? answer) => answer is not null && answer[(answer.LastIndexOf('\n') + 1)..].Split(' ') is [_, "OK", ..];

    /// <summary>Takes whatever certificate there is.</summary>
    public async Task StartTlsAsync()
    {
#pragma warning disable CA5359 // The certificate is self-signed, on loopback.
        var tls = new SslStream(_stream, leaveInnerStreamOpen: false, static (_, _, _, _) => true);
#pragma warning restore CA5359
        using var time = new CancellationTokenSource(Patience);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, time.Token);
        _stream = tls;
    }

    /// <summary>Sends characters as the bytes of their codes.</summary>
    /// <exception cref="IOException">The other side has closed.</exception>
    public async Task SendAsync(string text)
    {
        _lastSent = text[..Math.Min(60, text.Length)].TrimEnd();
        using var time = new CancellationTokenSource(Patience);
        await _stream.WriteAsync(Encoding.Latin1.GetBytes(text), time.Token);
    }

    /// <summary>Sends without caring whether anybody still listens: what came back shall be read all the same.</summary>
    public async Task ThrowAsync(string text)
    {
        try
        {
            await SendAsync(text);
        }
        catch (IOException)
        {
            // Closed already, as is the other side's right.
        }
    }

    /// <summary>Sends a command whose tag is its first word, and reads up to the answer of that tag.</summary>
    /// <returns>All lines; what there was when the connection was closed.</returns>
    public async Task<string> AskAsync(string command)
    {
        await SendAsync(command + "\r\n");
        return await ReadToAsync(command.Split(' ')[0] + " ");
    }

    /// <summary>Reads up to a line that begins so, or to the end.</summary>
    public async Task<string> ReadToAsync(string beginning)
    {
        var text = new StringBuilder();
        while (await ReadLineAsync() is { } line)
        {
            text.Append(text.Length == 0 ? "" : "\n").Append(line);
            if (line.StartsWith(beginning, StringComparison.Ordinal)) break;
        }
        return text.ToString();
    }

    /// <summary>Reads everything there is until the other side closes.</summary>
    public Task<string> ReadToEndAsync() => ReadToAsync("\0");

    /// <returns><c>null</c> at the end.</returns>
    /// <exception cref="TimeoutException">Nothing came for <see cref="Patience"/>.</exception>
    public async Task<string?> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (line.Length < MostToRead)
        {
            if (_begin == _end && !await FillAsync(Patience)) return line.Length == 0 ? null : line.ToString();
            var rest = _buffer.AsSpan(_begin, _end - _begin);
            var length = rest.IndexOf((byte)'\n');
            line.Append(Encoding.Latin1.GetString(length < 0 ? rest : rest[..length]));
            _begin += length < 0 ? rest.Length : length + 1;
            if (length >= 0) return line.ToString().TrimEnd('\r');
        }
        throw new TimeoutException("A line has no end.");
    }

    /// <summary>Whether the other side closes in time, whatever it says before.</summary>
    public async Task<bool> IsClosedWithinAsync(TimeSpan time)
    {
        var until = DateTime.UtcNow + time;
        try
        {
            while (DateTime.UtcNow < until)
                if (!await FillAsync(until - DateTime.UtcNow)) return true;
        }
        catch (TimeoutException)
        {
            // Not in time.
        }
        return false;
    }

    /// <summary>Leaves with a reset.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    /// <returns>Whether there is something to read.</returns>
    private async Task<bool> FillAsync(TimeSpan patience)
    {
        using var time = new CancellationTokenSource(patience > TimeSpan.Zero ? patience : TimeSpan.Zero);
        try
        {
            (_begin, _end) = (0, await _stream.ReadAsync(_buffer, time.Token));
        }
        catch (IOException)
        {
            (_begin, _end) = (0, 0);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Nothing came for {patience.TotalSeconds:F0} s behind {_lastSent}");
        }
        return _end > 0;
    }
}
