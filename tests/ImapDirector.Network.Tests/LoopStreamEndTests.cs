using System.Net.Sockets;
using System.Text;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests;

/// <summary>How the stream of a connection on a loop ends.</summary>
[Collection(nameof(Descriptors))]
public sealed class LoopStreamEndTests : IDisposable
{
    private readonly PollLoop _loop = new("ends", NullLogger.Instance);

    public void Dispose() => _loop.Dispose();

    [Theory]
    [InlineData(false, 5)]
    [InlineData(false, 100)]
    [InlineData(false, 2)]
    [InlineData(true, 5)]
    [InlineData(true, 100)]
    [InlineData(true, 2)]
    public async Task The_end_that_comes_with_the_last_bytes_is_seen_behind_them(bool isWaitedFor, int atOnce)
    {
        for (var i = 0; i < 50; i++)
        {
            await using var pair = await SocketPair.ConnectAsync(loop: _loop);
            var reading = isWaitedFor ? ReadToEndAsync(pair.Server.Stream, atOnce) : null;
            await pair.Client.Socket.SendAsync("words"u8.ToArray());
            pair.Client.Socket.Shutdown(SocketShutdown.Send);
            // Both are told in one event.
            if (!isWaitedFor) await _loop.RunAsync(static () => { });
            Assert.Equal("words", await (reading ?? ReadToEndAsync(pair.Server.Stream, atOnce)).WaitAsync(TestBytes.Patience));
            // It stays the end, and can be answered.
            Assert.Equal(0, await pair.Server.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(TestBytes.Patience));
            await pair.Server.Stream.WriteAsync("answer"u8.ToArray());
            Assert.Equal("answer", await pair.Client.HearAsync(6));
        }
    }

    [Fact]
    public async Task The_end_that_comes_later_is_seen()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        await pair.Client.Socket.SendAsync("words"u8.ToArray());
        var buffer = new byte[100];
        Assert.Equal(5, await pair.Server.Stream.ReadAsync(buffer).AsTask().WaitAsync(TestBytes.Patience));
        var reading = pair.Server.Stream.ReadAsync(buffer).AsTask();
        Assert.False(reading.IsCompleted);
        pair.Client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await reading.WaitAsync(TestBytes.Patience));
    }

    [Fact]
    public async Task An_end_that_comes_while_a_read_beside_the_loop_looks_is_an_end_behind_all_bytes()
    {
        // As of whoever has left the loop for a handshake: it looks while the loop is told.
        for (var i = 0; i < 2000; i++)
        {
            await using var pair = await SocketPair.ConnectAsync(loop: _loop);
            var (stream, socket) = (pair.Server.Stream, pair.Client.Socket);
            using var together = new Barrier(2);
            var reading = Task.Run(async () =>
            {
                socket.Send("a"u8);
                // Exactly what is there, so that the next read looks by itself.
                await stream.ReadExactlyAsync(new byte[1]);
                await PollLoop.LeaveAsync();
                together.SignalAndWait();
                Thread.SpinWait(Random.Shared.Next(1000));
                return await ReadToEndAsync(stream, 10);
            });
            var ending = Task.Run(() =>
            {
                together.SignalAndWait();
                Thread.SpinWait(Random.Shared.Next(200));
                socket.Send("b"u8);
                socket.Shutdown(SocketShutdown.Send);
            });
            Assert.Equal("b", await reading.WaitAsync(TestBytes.Patience));
            await ending;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reset_is_a_lost_connection(bool isWaitedFor)
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var reading = isWaitedFor ? pair.Server.Stream.ReadAsync(new byte[1]).AsTask() : null;
        pair.Client.Abort();
        if (!isWaitedFor) await _loop.RunAsync(static () => { });
        await Assert.ThrowsAsync<IOException>(() => (reading ?? pair.Server.Stream.ReadAsync(new byte[1]).AsTask()).WaitAsync(TestBytes.Patience));
        await Assert.ThrowsAsync<IOException>(async () => await pair.Server.Stream.WriteAsync(new byte[1]));
    }

    [Fact]
    public async Task A_reset_ends_a_write_that_waits()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var writing = pair.Server.Stream.WriteAsync(new byte[32 << 20]).AsTask();
        Assert.False(writing.IsCompleted);
        pair.Client.Abort();
        await Assert.ThrowsAsync<IOException>(() => writing.WaitAsync(TestBytes.Patience));
    }

    [Fact]
    public async Task An_abort_from_another_thread_ends_what_waits_in_both_directions()
    {
        for (var i = 0; i < 100; i++)
        {
            await using var pair = await SocketPair.ConnectAsync(loop: _loop);
            var reading = pair.Server.Stream.ReadAsync(new byte[1]).AsTask();
            var writing = i % 10 == 0 ? pair.Server.Stream.WriteAsync(new byte[32 << 20]).AsTask() : null;
            Assert.False(reading.IsCompleted);
            Assert.NotEqual(true, writing?.IsCompleted);
            await Task.Run(pair.Server.Abort);
            await Assert.ThrowsAsync<IOException>(() => reading.WaitAsync(TestBytes.Patience));
            if (writing is not null) await Assert.ThrowsAsync<IOException>(() => writing.WaitAsync(TestBytes.Patience));
        }
    }

    [Fact]
    public async Task When_the_loop_ends_whoever_waits_is_lost_and_nobody_comes_any_more()
    {
        await using var reader = await SocketPair.ConnectAsync(loop: _loop);
        await using var writer = await SocketPair.ConnectAsync(loop: _loop);
        var reading = reader.Server.Stream.ReadAsync(new byte[1]).AsTask();
        var writing = writer.Server.Stream.WriteAsync(new byte[32 << 20]).AsTask();
        Assert.False(reading.IsCompleted || writing.IsCompleted);
        await PollLoop.LeaveAsync();
        _loop.Dispose();
        await Assert.ThrowsAsync<IOException>(() => reading.WaitAsync(TestBytes.Patience));
        await Assert.ThrowsAsync<IOException>(() => writing.WaitAsync(TestBytes.Patience));
        await Assert.ThrowsAsync<IOException>(() => writer.Server.Stream.ReadAsync(new byte[1]).AsTask().WaitAsync(TestBytes.Patience));
        await Assert.ThrowsAsync<IOException>(() => SocketPair.ConnectAsync(loop: _loop));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whoever_still_has_the_stream_of_a_closed_connection_reaches_nobody_elses(bool isAborted)
    {
        var pair = await SocketPair.ConnectAsync(loop: _loop);
        var (stream, number) = (pair.Server.Stream, ((IPollTarget)pair.Server.Stream).Descriptor);
        // Its end was told, so that a read does not wait.
        pair.Client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await stream.ReadAsync(new byte[1]));
        if (isAborted) pair.Server.Abort();
        await pair.Server.DisposeAsync();
        await pair.Client.DisposeAsync();
        // Among so many there is one that has its number.
        var others = new List<SocketPair>();
        while (others.Count < 20) others.Add(await SocketPair.ConnectAsync());
        Assert.Contains(others, other => other.Server.Socket.Handle == number || other.Client.Socket.Handle == number);

        await Assert.ThrowsAsync<IOException>(async () => await stream.WriteAsync("x"u8.ToArray()));
        foreach (var other in others)
        {
            other.Client.Socket.Send("y"u8);
            other.Server.Socket.Send("y"u8);
        }
        await Assert.ThrowsAsync<IOException>(() => stream.ReadAsync(new byte[1]).AsTask());
        foreach (var other in others)
        {
            Assert.Equal("y", await other.Server.HearAsync(1));
            Assert.Equal("y", await other.Client.HearAsync(1));
            await other.DisposeAsync();
        }
    }

    private static async Task<string> ReadToEndAsync(Stream stream, int atOnce)
    {
        var (buffer, heard) = (new byte[atOnce], new StringBuilder());
        while (await stream.ReadAsync(buffer) is > 0 and var count) heard.Append(Encoding.ASCII.GetString(buffer, 0, count));
        return heard.ToString();
    }
}
