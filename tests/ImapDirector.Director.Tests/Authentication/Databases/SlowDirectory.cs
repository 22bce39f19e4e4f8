using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace ImapDirector.Director.Tests.Authentication.Databases;

/// <summary>A directory with one connection, which answers every login once the test says so.</summary>
internal sealed class SlowDirectory : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Channel<string> _asked = Channel.CreateUnbounded<string>();
    private readonly Channel<byte> _answers = Channel.CreateUnbounded<byte>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _serving;

    public SlowDirectory()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public Uri Url => new($"ldap://{_listener.LocalEndpoint}");

    /// <summary>The name of the next login.</summary>
    public async Task<string> AskedAsync() => await _asked.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    /// <param name="result">A code of RFC 4511 section 4.1.9; 0 where the password is right.</param>
    public void Answer(byte result = 0) => _answers.Writer.TryWrite(result);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _stopping.Dispose();
    }

    private async Task ServeAsync()
    {
        using var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
        var message = new byte[256];
        while (true)
        {
            // LDAPMessage (RFC 4511 section 4.1.1) with a bind request, all of it short: 30 … 02 01 id 60 … 02 01 03 04 length name …
            await client.GetStream().ReadExactlyAsync(message.AsMemory(0, 2), _stopping.Token);
            await client.GetStream().ReadExactlyAsync(message.AsMemory(2, message[1]), _stopping.Token);
            await _asked.Writer.WriteAsync(Encoding.ASCII.GetString(message, 12, message[11]), _stopping.Token);
            var result = await _answers.Reader.ReadAsync(_stopping.Token);
            await client.GetStream().WriteAsync(new byte[] { 0x30, 12, 0x02, 1, message[4], 0x61, 7, 0x0a, 1, result, 0x04, 0, 0x04, 0 }, _stopping.Token);
        }
    }
}
