using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using ImapDirector.Network.Polling;
using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>TLS of connections that a loop watches from their beginning.</summary>
public sealed class LoopTlsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private readonly PollLoop _loop = new("tls", NullLogger.Instance);

    public void Dispose()
    {
        _loop.Dispose();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task Bytes_of_any_number_travel_encrypted_both_ways_whichever_side_the_loop_is_on(bool isDirect, bool isClient)
    {
        using var certificate = LoadCertificate(isDirect);
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var (server, client) = isClient ? (pair.Client, pair.Server) : (pair.Server, pair.Client);
        await StartTlsAsync(certificate, server, client);
        Assert.Equal((isDirect, true), (server.IsDirect, server.IsSecure));
        Assert.Same(_loop, pair.Server.Loop);
        foreach (var length in (int[])[1, 5, 16 * 1024 + 1, 1_000_000])
        {
            var text = string.Concat(Enumerable.Range(0, length).Select(static i => (char)('a' + i % 26)));
            var both = await Task.WhenAll(PassAsync(client, server, text), PassAsync(server, client, text)).WaitAsync(TestBytes.Patience);
            Assert.All(both, heard => Assert.Equal(text, heard));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_read_in_TLS_is_gone_on_with_on_the_loop(bool isDirect)
    {
        using var certificate = LoadCertificate(isDirect);
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        await StartTlsAsync(certificate, pair.Server, pair.Client);
        var isWaiting = new TaskCompletionSource();
        var reading = Task.Run(() =>
        {
            var waiting = ReadAsync();
            isWaiting.SetResult();
            return waiting;
        });
        await isWaiting.Task;
        await pair.Client.SayAsync("hello");
        Assert.Same(_loop, await reading.WaitAsync(TestBytes.Patience));

        async Task<PollLoop?> ReadAsync()
        {
            await pair.Server.Input.ReadAsync();
            return PollLoop.Current;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_leaves_in_the_handshake_is_lost_and_who_says_the_end_is_heard(bool isDirect)
    {
        using var certificate = LoadCertificate(isDirect);
        await using (var leaving = await SocketPair.ConnectAsync(loop: _loop))
        {
            var shaking = leaving.Server.StartTlsServerAsync(certificate, CancellationToken.None);
            await leaving.Client.Socket.SendAsync(new byte[] { 22, 3, 1, 2, 0 });
            leaving.Client.Socket.Close();
            await Assert.ThrowsAnyAsync<IOException>(() => shaking.WaitAsync(TestBytes.Patience));
            Assert.False(leaving.Server.IsSecure);
        }
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        await StartTlsAsync(certificate, pair.Server, pair.Client);
        await pair.Client.SayAsync("bye");
        await pair.Client.CloseSendingAsync();
        Assert.Equal("bye", await pair.Server.HearAsync(3));
        Assert.True((await pair.Server.Input.ReadAsync()).IsCompleted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handshake_that_is_cancelled_ends(bool isDirect)
    {
        using var certificate = LoadCertificate(isDirect);
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        using var patience = new CancellationTokenSource();
        var shaking = pair.Server.StartTlsServerAsync(certificate, patience.Token);
        Assert.False(shaking.IsCompleted);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => shaking.WaitAsync(TestBytes.Patience));
    }

    [Fact]
    public async Task A_client_that_refuses_the_certificate_is_lost_on_the_loop()
    {
        using var certificate = LoadCertificate(isDirect: true);
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var serving = pair.Client.StartTlsServerAsync(certificate, CancellationToken.None);
        await Assert.ThrowsAsync<AuthenticationException>(() => pair.Server.StartTlsClientAsync(new SslClientAuthenticationOptions { TargetHost = "elsewhere.example.com" }, CancellationToken.None).WaitAsync(TestBytes.Patience));
        pair.Server.Abort();
        // Its own part may have been done before the client refused.
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await serving.WaitAsync(TestBytes.Patience);
            await pair.Client.HearAsync(1);
        });
    }

    [Fact]
    public async Task Once_the_loop_has_taken_over_records_go_both_ways_beginning_with_what_the_login_had_read()
    {
        using var certificate = LoadCertificate(isDirect: true);
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        await StartTlsAsync(certificate, pair.Server, pair.Client);
        await pair.Client.SayAsync("before");
        Assert.Equal("before", await pair.Server.HearAsync(6));
        pair.Server.ForgetPipes();
        var target = new LoopTarget();
        target.Socket = LoopSocket.TakeOver(pair.Server, target);
        Assert.False(target.Socket.IsPlain);
        await _loop.RunAsync(() =>
        {
            target.Socket.Begin();
            Assert.True(LoopSocket.WouldBlock(target.Socket.Receive(_loop.Buffer, out _)));
        });

        await pair.Client.SayAsync("to us");
        Assert.Equal("to us", await target.Received.Task.WaitAsync(TestBytes.Patience));
        await _loop.RunAsync(() => Assert.Equal(8, target.Socket.Send("to peers"u8)));
        Assert.Equal("to peers", await pair.Client.HearAsync(8));

        // And with its stream again, when the loop has let it go.
        await _loop.RunAsync(target.Socket.Dispose);
        await pair.Client.SayAsync("later");
        var buffer = new byte[5];
        await pair.Server.Stream.ReadExactlyAsync(buffer).AsTask().WaitAsync(TestBytes.Patience);
        Assert.Equal("later", Encoding.ASCII.GetString(buffer));
    }

    private ServerCertificate LoadCertificate(bool isDirect) => ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost", "127.0.0.1"], isDirect);

    private static Task StartTlsAsync(ServerCertificate certificate, Connection server, Connection client) => Task.WhenAll(
        server.StartTlsServerAsync(certificate, CancellationToken.None),
        client.StartTlsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
#pragma warning disable CA5359 // The certificate is the test's own.
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        }, CancellationToken.None)).WaitAsync(TestBytes.Patience);

    private static async Task<string> PassAsync(Connection from, Connection to, string text)
    {
        var saying = from.SayAsync(text);
        var heard = await to.HearAsync(text.Length);
        await saying;
        return heard;
    }
}
