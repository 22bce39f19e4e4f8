using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

/// <summary>An IMAP client that sends what a test tells it to, byte for byte. Every step has an end of patience.</summary>
public sealed class ImapConversation : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TcpClient _client;
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    public ImapConversation(TcpClient client)
    {
        client.NoDelay = true;
        _client = client;
        Stream = client.GetStream();
    }

    public Stream Stream { get; private set; }

    public Socket Socket => _client.Client;

    public static async Task<ImapConversation> ConnectAsync(IPEndPoint endPoint)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(endPoint);
        return new ImapConversation(client);
    }

    /// <summary>Connects and reads the greeting.</summary>
    public static async Task<ImapConversation> GreetedAsync(IPEndPoint endPoint)
    {
        var conversation = await ConnectAsync(endPoint);
        Assert.StartsWith("* OK ", await conversation.ReadLineAsync());
        return conversation;
    }

    /// <summary>Shakes hands, trusting whoever is there, and shows a certificate.</summary>
    public async Task SecureAsync(X509Certificate2 certificate)
    {
        var tls = new SslStream(Stream);
        Stream = tls;
        using var limit = new CancellationTokenSource(Patience);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
            ClientCertificateContext = SslStreamCertificateContext.Create(certificate, [], offline: true),
        }, limit.Token);
    }

    /// <summary>Shakes hands, trusting whoever is there.</summary>
    public async Task SecureAsync(params SslApplicationProtocol[] protocols)
    {
        var tls = new SslStream(Stream);
        Stream = tls;
        using var limit = new CancellationTokenSource(Patience);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            ApplicationProtocols = protocols.Length == 0 ? null : [.. protocols],
        }, limit.Token);
    }

    /// <summary>Says that nothing more comes. With TLS nothing may be being read: SslStream lets OpenSSL do both at once on one session, which tears its memory.</summary>
    public async Task CloseSendingAsync()
    {
        if (Stream is SslStream tls) await tls.ShutdownAsync();
        Socket.Shutdown(SocketShutdown.Send);
    }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(byte[] bytes)
    {
        using var limit = new CancellationTokenSource(Patience);
        await Stream.WriteAsync(bytes, limit.Token);
    }

    /// <summary>The next line without its CRLF; <c>null</c> when the server has closed.</summary>
    public async Task<string?> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (await FillAsync())
        {
            var newline = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            var length = newline < 0 ? _end - _start : newline + 1;
            line.Append(Encoding.Latin1.GetString(_buffer, _start, length));
            _start += length;
            if (newline < 0) continue;
            Assert.EndsWith("\r\n", line.ToString());
            return line.ToString(0, line.Length - 2);
        }
        Assert.Equal("", line.ToString());
        return null;
    }

    /// <summary>Lines up to the first that begins with <paramref name="tag"/>, which is the last.</summary>
    public async Task<IReadOnlyList<string>> ReadUntilAsync(string tag)
    {
        var lines = new List<string>();
        while (lines.Count == 0 || !lines[^1].StartsWith(tag + " ", StringComparison.Ordinal))
            lines.Add(await ReadLineAsync() ?? throw new EndOfStreamException($"No answer to {tag}, only: {string.Join(" / ", lines)}"));
        return lines;
    }

    /// <summary>Sends a command and reads its tagged answer.</summary>
    public async Task<string> AskAsync(string command)
    {
        await SendAsync(command + "\r\n");
        return (await ReadUntilAsync(command[..command.IndexOf(' ', StringComparison.Ordinal)]))[^1];
    }

    /// <summary>Sends a line in the midst of an exchange, and reads one.</summary>
    public async Task<string> SayAsync(string line)
    {
        await SendAsync(line + "\r\n");
        return (await ReadLineAsync())!;
    }

    public async Task<byte[]> ReadExactlyAsync(int count)
    {
        var bytes = new byte[count];
        var read = 0;
        while (read < count)
        {
            if (!await FillAsync()) throw new EndOfStreamException();
            var length = Math.Min(count - read, _end - _start);
            _buffer.AsSpan(_start, length).CopyTo(bytes.AsSpan(read));
            _start += length;
            read += length;
        }
        return bytes;
    }

    /// <summary>Everything up to the end of the stream.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        while (await FillAsync())
        {
            text.Append(Encoding.Latin1.GetString(_buffer, _start, _end - _start));
            _start = _end;
        }
        return text.ToString();
    }

    /// <summary>Plays a script: <c>C: </c> sends a line, <c>S: </c> expects one (a last <c>…</c> stands for any rest), <c>END</c> expects the end.</summary>
    public async Task PlayAsync(params string[] script)
    {
        foreach (var step in script)
        {
            if (step == "END")
            {
                Assert.Null(await ReadLineAsync());
                continue;
            }
            var text = step[3..];
            if (step.StartsWith("C: ", StringComparison.Ordinal))
            {
                await SendAsync(text + "\r\n");
                continue;
            }
            var line = await ReadLineAsync();
            if (text.EndsWith('…')) Assert.StartsWith(text[..^1], line ?? "(the server has closed)");
            else Assert.Equal(text, line);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        _client.Dispose();
    }

    private async ValueTask<bool> FillAsync()
    {
        if (_start < _end) return true;
        using var limit = new CancellationTokenSource(Patience);
        _start = 0;
        _end = await Stream.ReadAsync(_buffer, limit.Token);
        return _end > 0;
    }
}
