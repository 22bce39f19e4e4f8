using System.Net.Sockets;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests;

/// <summary>What goes through the stream of a connection on a loop.</summary>
public sealed class LoopStreamTests : IDisposable
{
    private static readonly TimeSpan LongPatience = TimeSpan.FromMinutes(2);

    private readonly PollLoop _loop = new("streams", NullLogger.Instance);

    public void Dispose() => _loop.Dispose();

    [Theory]
    [InlineData(1, 20_000)]
    [InlineData(100, 2_000_000)]
    [InlineData(50_000, 16_000_000)]
    public async Task Bytes_in_pieces_of_any_length_arrive_whole_both_ways(int longest, int length)
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var (up, down) = (SomeBytes(length), SomeBytes(length));
        var upwards = ReceiveAsync(pair.Server.Stream, length, longest * 2);
        var downwards = ReceiveAsync(pair.Client.Stream, length, longest * 2);
        await Task.WhenAll(SendAsync(pair.Client.Stream, up, longest), SendAsync(pair.Server.Stream, down, longest), upwards, downwards).WaitAsync(LongPatience);
        Assert.Equal(up, await upwards);
        Assert.Equal(down, await downwards);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whoever_writes_much_waits_for_a_slow_reader_and_all_of_it_arrives(bool isWrittenOnLoop)
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var (from, to) = isWrittenOnLoop ? (pair.Server.Stream, pair.Client.Stream) : (pair.Client.Stream, pair.Server.Stream);
        var bytes = SomeBytes(32 << 20);
        var writing = from.WriteAsync(bytes).AsTask();
        // Much more than two sockets take.
        Assert.False(writing.IsCompleted);

        var received = new byte[bytes.Length];
        var random = new Random(1);
        for (var count = 0; count < received.Length;)
        {
            var read = await to.ReadAsync(received.AsMemory(count, Math.Min(random.Next(1, 400_000), received.Length - count))).AsTask().WaitAsync(LongPatience);
            Assert.NotEqual(0, read);
            count += read;
            if (random.Next(10) == 0) await Task.Delay(1);
        }
        await writing.WaitAsync(LongPatience);
        Assert.True(received.AsSpan().SequenceEqual(bytes));
    }

    [Fact]
    public async Task A_read_of_nothing_waits_until_there_is_something_and_not_while_something_is_left()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var stream = pair.Server.Stream;
        for (var i = 0; i < 100; i++)
        {
            var waiting = stream.ReadAsync(Memory<byte>.Empty).AsTask();
            Assert.False(waiting.IsCompleted);
            await pair.Client.Socket.SendAsync("abc"u8.ToArray());
            Assert.Equal(0, await waiting.WaitAsync(TestBytes.Patience));
            for (var left = 3; left > 0; left--)
            {
                Assert.True(stream.ReadAsync(Memory<byte>.Empty).AsTask().IsCompletedSuccessfully);
                // A read of more than is left finds out that nothing is.
                Assert.Equal(1, await stream.ReadAsync(new byte[left == 1 ? 10 : 1]));
            }
        }
    }

    [Fact]
    public async Task A_read_never_waits_for_what_is_there_already()
    {
        const int rounds = 5000;
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        using var gone = new CancellationTokenSource(LongPatience);
        // Without the threads of the test's own, it goes on where the stream has it go on, and sometimes elsewhere.
        var answering = Task.Run(async () =>
        {
            var (random, buffer, stream) = (new Random(2), new byte[300], pair.Server.Stream);
            for (var round = 0; round < rounds; round++)
            {
                // The first byte says how many there are: all are read before the other side goes on, so that one that is waited for in vain is the end.
                for (var (left, isFirst) = (1, true); left > 0;)
                {
                    if (random.Next(3) == 0) await PollLoop.LeaveAsync();
                    if (random.Next(3) == 0) Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty, gone.Token));
                    var count = await stream.ReadAsync(buffer.AsMemory(0, isFirst ? 1 : random.Next(1, left * 2)), gone.Token);
                    Assert.InRange(count, 1, left);
                    left = isFirst ? buffer[0] - 1 : left - count;
                    isFirst = false;
                }
                await stream.WriteAsync("k"u8.ToArray(), gone.Token);
            }
        });
        await Task.Factory.StartNew(() =>
        {
            var (random, socket) = (new Random(3), pair.Client.Socket);
            socket.ReceiveTimeout = (int)LongPatience.TotalMilliseconds;
            Span<byte> bytes = stackalloc byte[40];
            for (var round = 0; round < rounds; round++)
            {
                var length = random.Next(1, bytes.Length);
                bytes[0] = (byte)length;
                for (var (sent, isByteByByte) = (0, random.Next(2) == 0); sent < length;) sent += socket.Send(bytes[sent..(isByteByByte ? sent + 1 : random.Next(sent + 1, length + 1))]);
                Assert.Equal(1, socket.Receive(bytes[..1]));
            }
        }, TaskCreationOptions.LongRunning);
        await answering.WaitAsync(LongPatience);
    }

    [Fact]
    public async Task A_read_that_is_cancelled_takes_no_byte_along_and_the_next_one_gets_it()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        var (stream, socket) = (pair.Server.Stream, pair.Client.Socket);
        var (read, cancelled) = (0, 0);
        for (var i = 0; i < 6000; i++)
        {
            using var cancelling = new CancellationTokenSource();
            var buffer = new byte[i % 4 + 1];
            var reading = stream.ReadAsync(buffer, cancelling.Token).AsTask();
            var delay = Random.Shared.Next(2000);
            // One first, or the other, or whichever comes first.
            var sending = i % 3 == 0 ? Task.CompletedTask : Task.Run(() => socket.Send([(byte)i]));
            if (i % 3 == 1) await reading.WaitAsync(TestBytes.Patience);
            else Thread.SpinWait(delay);
            await cancelling.CancelAsync();
            try
            {
                Assert.Equal(1, await reading.WaitAsync(TestBytes.Patience));
                Assert.NotEqual(0, i % 3);
                read++;
            }
            catch (OperationCanceledException stopped)
            {
                Assert.Equal(cancelling.Token, stopped.CancellationToken);
                Assert.NotEqual(1, i % 3);
                cancelled++;
                await sending;
                if (i % 3 == 0) socket.Send([(byte)i]);
                Assert.Equal(1, await stream.ReadAsync(buffer).AsTask().WaitAsync(TestBytes.Patience));
            }
            await sending;
            Assert.Equal((byte)i, buffer[0]);
        }
        Assert.InRange(read, 2000, 4000);
        Assert.InRange(cancelled, 2000, 4000);
    }

    [Fact]
    public async Task A_cancellation_that_comes_after_its_read_ends_no_other()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        for (var i = 0; i < 2000; i++)
        {
            using var late = new CancellationTokenSource();
            var first = pair.Server.Stream.ReadAsync(new byte[1], late.Token).AsTask();
            pair.Client.Socket.Send("a"u8);
            await first.WaitAsync(TestBytes.Patience);
            var second = pair.Server.Stream.ReadAsync(new byte[2]).AsTask();
            await late.CancelAsync();
            // Whatever it has posted is done by then.
            await _loop.RunAsync(static () => { });
            Assert.False(second.IsCompleted);
            pair.Client.Socket.Send("b"u8);
            Assert.Equal(1, await second.WaitAsync(TestBytes.Patience));
        }
    }

    [Fact]
    public async Task A_read_that_is_cancelled_already_reads_nothing_while_nothing_is_there()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pair.Server.Stream.ReadAsync(new byte[1], new CancellationToken(canceled: true)).AsTask());
        await pair.Client.Socket.SendAsync("a"u8.ToArray());
        Assert.Equal(1, await pair.Server.Stream.ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task A_write_that_waits_can_be_cancelled()
    {
        await using var pair = await SocketPair.ConnectAsync(loop: _loop);
        using var cancelling = new CancellationTokenSource();
        var writing = pair.Server.Stream.WriteAsync(new byte[32 << 20], cancelling.Token).AsTask();
        Assert.False(writing.IsCompleted);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(TestBytes.Patience));
    }

    private static byte[] SomeBytes(int length)
    {
        var bytes = new byte[length];
        Random.Shared.NextBytes(bytes);
        return bytes;
    }

    private static async Task SendAsync(Stream stream, byte[] bytes, int longest)
    {
        var random = new Random(4);
        for (var sent = 0; sent < bytes.Length;)
        {
            var count = Math.Min(random.Next(1, longest + 1), bytes.Length - sent);
            await stream.WriteAsync(bytes.AsMemory(sent, count)).ConfigureAwait(false);
            sent += count;
        }
    }

    private static async Task<byte[]> ReceiveAsync(Stream stream, int length, int longest)
    {
        var (random, received) = (new Random(5), new byte[length]);
        for (var count = 0; count < length;)
        {
            var read = await stream.ReadAsync(received.AsMemory(count, Math.Min(random.Next(1, longest + 1), length - count))).ConfigureAwait(false);
            if (read == 0) throw new EndOfStreamException();
            count += read;
        }
        return received;
    }
}
