using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Network.Tls;

namespace ImapDirector.Director.Tests.Login;

/// <summary>A proxy with a certificate of its own between one client and a director: it ends TLS on either side, where both want to begin it, and passes everything on.</summary>
internal sealed class ManInTheMiddle : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ServerCertificate _certificate = TestCertificate.Create();
    private readonly StringBuilder _heard = new();
    private readonly Task _serving;

    /// <param name="director">Where the client wanted to go.</param>
    /// <param name="isImplicitTls">Whether TLS comes first; else it is STARTTLS.</param>
    public ManInTheMiddle(IPEndPoint director, bool isImplicitTls)
    {
        _listener.Start();
        _serving = ServeAsync(director, isImplicitTls);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What the client has said behind TLS, and what is in its base64.</summary>
    public string Heard
    {
        get
        {
            lock (_heard)
            {
                var said = _heard.ToString();
                var decoded = said.Split(' ', '\r', '\n').Where(word => word.Length % 4 == 0 && Convert.TryFromBase64String(word, new byte[word.Length], out _));
                return said + string.Join('\n', decoded.Select(word => Encoding.Latin1.GetString(Convert.FromBase64String(word))));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _serving.WaitAsync(TimeSpan.FromSeconds(30));
        _certificate.Dispose();
    }

    private async Task ServeAsync(IPEndPoint director, bool isImplicitTls)
    {
        try
        {
            using var client = await _listener.AcceptTcpClientAsync();
            using var server = new TcpClient();
            await server.ConnectAsync(director);
            if (!isImplicitTls) await RelayUntilStartTlsAsync(client.GetStream(), server.GetStream());
            await using var front = new SslStream(client.GetStream());
            await front.AuthenticateAsServerAsync(_certificate.ServerOptions);
            await using var back = new SslStream(server.GetStream(), false, (_, certificate, _, _) => certificate is not null);
            await back.AuthenticateAsClientAsync("localhost");
            await Task.WhenAny(PassOnAsync(front, back), back.CopyToAsync(front));
        }
        // One side has gone, or nobody has come.
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException)
        {
            lock (_heard) _heard.Append(lost.GetType().Name);
        }
    }

    private async Task PassOnAsync(SslStream front, SslStream back)
    {
        var buffer = new byte[16 * 1024];
        int count;
        while ((count = await front.ReadAsync(buffer)) > 0)
        {
            lock (_heard) _heard.Append(Encoding.Latin1.GetString(buffer, 0, count));
            await back.WriteAsync(buffer.AsMemory(0, count));
        }
    }

    private static async Task RelayUntilStartTlsAsync(NetworkStream client, NetworkStream server)
    {
        await client.WriteAsync(Encoding.Latin1.GetBytes(await ReadLineAsync(server)));
        while (true)
        {
            var command = await ReadLineAsync(client);
            await server.WriteAsync(Encoding.Latin1.GetBytes(command));
            var tag = command.Split(' ')[0] + " ";
            string answer;
            do
            {
                answer = await ReadLineAsync(server);
                await client.WriteAsync(Encoding.Latin1.GetBytes(answer));
            }
            while (!answer.StartsWith(tag, StringComparison.Ordinal));
            if (command.Contains("STARTTLS", StringComparison.OrdinalIgnoreCase)) return;
        }
    }

    private static async Task<string> ReadLineAsync(NetworkStream stream)
    {
        var line = new StringBuilder();
        var letter = new byte[1];
        do
        {
            await stream.ReadExactlyAsync(letter);
            line.Append((char)letter[0]);
        }
        while (letter[0] != '\n');
        return line.ToString();
    }
}
