using System.Net;
using System.Net.Sockets;
using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class ConnectionTests
{
    [Fact]
    public async Task Bytes_pass_both_ways()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await pair.Client.SayAsync("hello");
        Assert.Equal("hello", await pair.Server.HearAsync(5));
        await pair.Server.SayAsync("world");
        Assert.Equal("world", await pair.Client.HearAsync(5));
    }

    [Fact]
    public async Task Ids_are_of_one_form_and_differ()
    {
        await using var pair = await SocketPair.ConnectAsync();
        Assert.Matches("^[A-Za-z0-9_-]{16}$", pair.Server.Id);
        Assert.NotEqual(pair.Server.Id, pair.Client.Id);
    }

    [Fact]
    public async Task A_remote_address_is_never_an_IPv4_address_in_IPv6_clothes()
    {
        await using var pair = await SocketPair.ConnectAsync();
        pair.Server.RemoteEndPoint = new IPEndPoint(IPAddress.Parse("::ffff:192.0.2.7"), 4711);
        Assert.Equal(new IPEndPoint(IPAddress.Parse("192.0.2.7"), 4711), pair.Server.RemoteEndPoint);
    }

    [Fact]
    public async Task Nagles_algorithm_is_off_on_both_ends()
    {
        await using var pair = await SocketPair.ConnectAsync();
        Assert.True(pair.Server.Socket.NoDelay);
        Assert.True(pair.Client.Socket.NoDelay);
    }

    [Fact]
    public async Task An_abort_from_another_thread_ends_a_pending_read()
    {
        await using var pair = await SocketPair.ConnectAsync();
        var reading = pair.Server.Input.ReadAsync().AsTask();
        await Task.Run(pair.Server.Abort);
        await Assert.ThrowsAnyAsync<Exception>(() => reading.WaitAsync(TestBytes.Patience));
    }

    [Theory]
    [InlineData(1023, 1023)]
    [InlineData(1024, 1024)]
    [InlineData(1025, 1024)]
    [InlineData(50_000, 1024)]
    public async Task P3_no_more_is_read_ahead_than_was_said(int sent, int expected)
    {
        await using var pair = await SocketPair.ConnectAsync(readAhead: 1024);
        await pair.Client.SayAsync(new string('x', sent));
        await TestBytes.UntilAsync(() => pair.Server.Socket.Available == sent);

        var read = await pair.Server.Input.ReadAsync();
        Assert.Equal(expected, read.Buffer.Length);
        pair.Server.Input.AdvanceTo(read.Buffer.GetPosition(100));

        // The rest is not fetched by looking at what there is.
        Assert.True(pair.Server.Input.TryRead(out var kept));
        Assert.Equal(expected - 100, kept.Buffer.Length);
        Assert.Equal(sent - expected, pair.Server.Socket.Available);
    }

    [Fact]
    public async Task Last_words_reach_a_client_that_has_sent_more_than_was_read()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await pair.Client.SayAsync(new string('x', 100_000));
        Assert.Equal("xxx", await pair.Server.HearAsync(3));
        await pair.Server.SayAsync("* BYE\r\n");
        await pair.Server.DisposeAsync();
        Assert.Equal("* BYE\r\n", await pair.Client.HearAsync(7));
    }

    [Fact]
    public async Task A_close_does_not_wait_for_a_client_that_takes_nothing()
    {
        await using var pair = await SocketPair.ConnectAsync();
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (true) await pair.Server.Output.WriteAsync(new byte[256 * 1024], stop.Token);
        });
        await pair.Server.DisposeAsync().AsTask().WaitAsync(TestBytes.Patience);
    }

    [Fact]
    public async Task Nobody_listening_is_a_socket_error()
    {
        var failure = await Assert.ThrowsAsync<SocketException>(() => Connection.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 1), CancellationToken.None));
        Assert.Equal(SocketError.ConnectionRefused, failure.SocketErrorCode);
    }
}
