using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace ImapDirector.Tests.Shared;

/// <summary>A client that sends what it is told and reads replies, and knows nothing more of LMTP than where a reply ends.</summary>
public sealed class LmtpClient : IAsyncDisposable
{
    // Only a test that fails waits for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>What stands for a reply where the server has closed.</summary>
    public const string Closed = "closed";

    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;

    private LmtpClient(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = new StreamReader(_stream, Encoding.Latin1);
    }

    /// <summary>Connects and reads the greeting.</summary>
    public static async Task<LmtpClient> ConnectAsync(IPEndPoint endPoint)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endPoint);
        var client = new LmtpClient(socket);
        var greeting = await client.ReplyAsync();
        // Killed between the accept and its first word, or told to end, a server has said nothing wrong.
        if (greeting == Closed || greeting.StartsWith("421 ", StringComparison.Ordinal)) throw new IOException("The server takes no more connections.");
        Assert.StartsWith("220 ", greeting, StringComparison.Ordinal);
        return client;
    }

    /// <summary>Connects, and goes as far as to the first recipient's turn.</summary>
    public static async Task<LmtpClient> BeginAsync(IPEndPoint endPoint, string mail = "MAIL FROM:<sender@example.net>")
    {
        var client = await ConnectAsync(endPoint);
        Assert.StartsWith("250-", await client.AskAsync("LHLO client.example.net"), StringComparison.Ordinal);
        Assert.Equal("250 2.1.0 Sender ok", await client.AskAsync(mail));
        return client;
    }

    /// <summary>Sends characters as the bytes of their codes.</summary>
    public async Task SendAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        await _stream.WriteAsync(Encoding.Latin1.GetBytes(text), patience.Token);
    }

    /// <summary>Sends a line and reads its reply.</summary>
    public async Task<string> AskAsync(string line)
    {
        await SendAsync(line + "\r\n");
        return await ReplyAsync();
    }

    /// <summary>The next reply, its lines divided by LF; <see cref="Closed"/> at the end of the stream.</summary>
    public async Task<string> ReplyAsync()
    {
        var reply = new StringBuilder();
        using var patience = new CancellationTokenSource(Patience);
        while (await _reader.ReadLineAsync(patience.Token) is { } line)
        {
            reply.Append(line);
            if (line.Length < 4 || line[3] != '-') return reply.ToString();
            reply.Append('\n');
        }
        return Closed;
    }

    /// <summary>So many replies.</summary>
    public async Task<string[]> RepliesAsync(int count)
    {
        var replies = new string[count];
        for (var i = 0; i < count; i++) replies[i] = await ReplyAsync();
        return replies;
    }

    /// <summary>Sends a message behind DATA, with its end, and reads the replies.</summary>
    public async Task<string[]> DataAsync(string stuffed, int recipients)
    {
        Assert.StartsWith("354 ", await AskAsync("DATA"), StringComparison.Ordinal);
        await SendAsync(stuffed + "\r\n.\r\n");
        return await RepliesAsync(recipients);
    }

    public async ValueTask DisposeAsync()
    {
        _reader.Dispose();
        await _stream.DisposeAsync();
    }
}
