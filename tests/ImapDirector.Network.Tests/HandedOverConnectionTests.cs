using System.Net.Sockets;
using System.Text;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests;

/// <summary>A connection that a loop has taken over is a descriptor and no more, and everything that can be done with a connection can still be done.</summary>
[Collection(nameof(Descriptors))]
public sealed class HandedOverConnectionTests : IDisposable
{
    private readonly PollLoop _loop = new("handed over", NullLogger.Instance);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public async Task Bytes_go_both_ways_through_the_loop()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        await pair.Client.Socket.SendAsync("before"u8.ToArray());
        Assert.Equal("before", Encoding.ASCII.GetString((await pair.Server.Input.ReadAtLeastAsync(6)).Buffer.FirstSpan));
        var target = new LoopTarget();

        target.Socket = LoopSocket.TakeOver(pair.Server, target);
        await _loop.RunAsync(() => Assert.True(target.Socket.Begin()));
        await pair.Client.Socket.SendAsync("to us"u8.ToArray());
        Assert.Equal("to us", await target.Received.Task.WaitAsync(TimeSpan.FromMinutes(1)));
        await _loop.RunAsync(() => Assert.Equal(8, target.Socket.Send("to peers"u8)));
        Assert.Equal("to peers", await ReadAsync(pair.Client.Socket, 8));
        await _loop.RunAsync(target.Socket.Dispose);
    }

    [Fact]
    public async Task What_is_written_to_the_stream_arrives_however_little_the_system_takes_at_once()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        await HoldAndLetGoAsync(pair.Server);
        var bytes = new byte[32 << 20];
        Random.Shared.NextBytes(bytes);

        var writing = pair.Server.Stream.WriteAsync(bytes).AsTask();
        var received = new byte[bytes.Length];
        for (var count = 0; count < received.Length;) count += await pair.Client.Socket.ReceiveAsync(received.AsMemory(count));
        await writing;

        Assert.Equal(bytes, received);
    }

    [Fact]
    public async Task Its_last_words_arrive_with_its_end_although_something_was_not_read()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        await HoldAndLetGoAsync(pair.Server);
        await pair.Client.Socket.SendAsync("nobody reads this"u8.ToArray());
        await pair.Server.Stream.WriteAsync("last words"u8.ToArray());

        await pair.Server.DisposeAsync();

        Assert.Equal("last words", await ReadAsync(pair.Client.Socket, 100));
    }

    [Fact]
    public async Task Its_end_can_be_said_and_the_other_side_still_be_heard()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var target = new LoopTarget();
        target.Socket = LoopSocket.TakeOver(pair.Server, target);
        await _loop.RunAsync(() => Assert.True(target.Socket.Begin()));

        await pair.Server.CloseSendingAsync();
        Assert.Equal("", await ReadAsync(pair.Client.Socket, 100));
        await pair.Client.Socket.SendAsync("still here"u8.ToArray());

        Assert.Equal("still here", await target.Received.Task.WaitAsync(TimeSpan.FromMinutes(1)));
        await _loop.RunAsync(target.Socket.Dispose);
    }

    [Fact]
    public async Task That_the_peer_was_lost_before_is_known_to_whoever_takes_it_over()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var before = (LoopStream)pair.Server.Stream;
        pair.Client.Socket.Close(timeout: 0);
        using (var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1)))
            while (!before.IsEnding) await Task.Delay(10, patience.Token);
        var target = new LoopTarget();

        target.Socket = LoopSocket.TakeOver(pair.Server, target);
        await _loop.RunAsync(() => Assert.True(target.Socket.Begin()));

        Assert.True(target.Socket.IsLost);
        await _loop.RunAsync(target.Socket.Dispose);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_abort_is_a_reset_at_once_whoever_holds_it(bool isHeld)
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var target = new LoopTarget();
        target.Socket = LoopSocket.TakeOver(pair.Server, target);
        await _loop.RunAsync(() => Assert.True(target.Socket.Begin()));
        if (!isHeld) await _loop.RunAsync(target.Socket.Dispose);

        pair.Server.Abort();

        var lost = await Assert.ThrowsAsync<SocketException>(() => ReadAsync(pair.Client.Socket, 1));
        Assert.Equal(SocketError.ConnectionReset, lost.SocketErrorCode);
        // Its number is nobody else's before it is let go.
        if (isHeld) await _loop.RunAsync(() => Assert.True(LinuxCalls.Receive(target.Socket.Descriptor, new byte[1]) is 0 or < 0 and not -9));
        await _loop.RunAsync(target.Socket.Dispose);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pair.Server.Stream.WriteAsync("x"u8.ToArray()));
    }

    [Fact]
    public async Task Nobody_is_told_of_anything_once_the_loop_has_ended()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var target = new LoopTarget();
        target.Socket = LoopSocket.TakeOver(pair.Server, target);
        await PollLoop.LeaveAsync();
        _loop.Dispose();
        Assert.False(target.Socket.Begin());
    }

    [Fact]
    public async Task Whatever_happens_at_the_same_time_as_an_abort_no_descriptor_is_left()
    {
        var before = Descriptors.Count();
        for (var i = 0; i < 300; i++)
        {
            await using var pair = await SocketPair.ConnectAsync(loop: _loop);
            var target = new LoopTarget();
            using var together = new Barrier(2);
            var aborting = Task.Run(() =>
            {
                together.SignalAndWait();
                Thread.SpinWait(Random.Shared.Next(2000));
                pair.Server.Abort();
            });
            together.SignalAndWait();
            try
            {
                target.Socket = LoopSocket.TakeOver(pair.Server, target);
                await _loop.RunAsync(target.Socket.Dispose);
            }
            catch (ObjectDisposedException)
            {
                // The abort came first.
            }
            await aborting;
            Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => ReadAsync(pair.Client.Socket, 1))).SocketErrorCode);
            await pair.Server.DisposeAsync();
        }
        Assert.InRange(Descriptors.Count(), 0, before);
    }

    private async Task HoldAndLetGoAsync(Connection connection)
    {
        var target = new LoopTarget();
        target.Socket = LoopSocket.TakeOver(connection, target);
        await _loop.RunAsync(() =>
        {
            target.Socket.Begin();
            target.Socket.Dispose();
        });
    }

    private static async Task<string> ReadAsync(Socket socket, int most)
    {
        var (buffer, count) = (new byte[most], 0);
        while (count < most && await socket.ReceiveAsync(buffer.AsMemory(count)).AsTask().WaitAsync(TimeSpan.FromMinutes(1)) is > 0 and var more) count += more;
        return Encoding.ASCII.GetString(buffer, 0, count);
    }
}
