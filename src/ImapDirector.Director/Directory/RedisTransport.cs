using System.Buffers;
using System.IO.Pipelines;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using RESPite.Transports;

// By this name the library says that transports may change with its version: that is pinned, and what is used of it has tests.
#pragma warning disable SER009

namespace ImapDirector.Director.Directory;

/// <summary>What the Redis library has in place of a socket: a connection that a loop watches. What is asked is written by whoever asks, what is answered is read on the loop's thread, and neither takes a thread of the pool.</summary>
/// <remarks>The library writes and flushes under a lock of its own, but for a last flush when it closes.</remarks>
internal sealed class RedisTransport(Connection connection, PollLoop loop) : DuplexTransport
{
    /// <summary>How much may wait for a Redis that takes nothing, in bytes (limits R8).</summary>
    internal const int MaxWaitingBytes = 16 * 1024 * 1024;

    private const int ReadBytes = 16 * 1024;
    private const int MostSentInRow = 8;

    private readonly Lock _lock = new();
    // Never pauses: how much waits is looked at here, where it can be refused. Its memory is of this connection alone: the library may still be writing into it while another thread of its closes and flushes.
    private readonly Pipe _questions = new(new PipeOptions(new OwnMemory(), pauseWriterThreshold: 0, useSynchronizationContext: false));
    private bool _isSending;
    private long _waiting;
    private int _isStarted;

    /// <inheritdoc />
    public override Memory<byte> GetMemory(int sizeHint = 0) => _questions.Writer.GetMemory(sizeHint);

    /// <inheritdoc />
    public override void Advance(int count)
    {
        _questions.Writer.Advance(count);
        Interlocked.Add(ref _waiting, count);
    }

    /// <summary>Has what was written sent, by this thread where no other does already.</summary>
    /// <returns><c>true</c>.</returns>
    /// <exception cref="IOException">Redis takes nothing. Where the connection is lost, the receiver is told.</exception>
    public override bool Flush()
    {
        if (Volatile.Read(ref _waiting) > MaxWaitingBytes)
        {
            connection.Abort();
            throw new IOException("Redis takes nothing: what it is asked waits.");
        }
        lock (_lock)
        {
            // Done at once: nothing pauses it.
            _ = _questions.Writer.FlushAsync().AsTask();
            if (_isSending) return true;
            _isSending = true;
        }
        _ = SendToEndAsync();
        return true;
    }

    /// <inheritdoc />
    public override void Start(TransportReceiver receiver)
    {
        if (Interlocked.Exchange(ref _isStarted, 1) == 0) _ = ReceiveAsync(receiver);
    }

    /// <summary>Closes with a reset; whoever reads lets the rest go.</summary>
    public override async ValueTask DisposeAsync()
    {
        connection.Abort();
        if (Interlocked.Exchange(ref _isStarted, 1) == 0) await connection.DisposeAsync();
    }

    // Where Redis takes nothing it waits: calls have their time, and the library gives a connection up on which nothing is answered.
    private async Task SendToEndAsync()
    {
        try
        {
            await SendAsync();
        }
        catch (Exception lost) when (lost is IOException or ObjectDisposedException)
        {
            // Whoever reads tells the library, on the loop.
            connection.Abort();
        }
    }

    private async ValueTask SendAsync()
    {
        for (var inRow = 1; ; inRow++)
        {
            ReadResult read;
            lock (_lock)
            {
                // In one hold with what is flushed: whoever comes behind it sends by itself.
                if (!_questions.Reader.TryRead(out read)) _isSending = false;
                if (!_isSending) return;
            }
            foreach (var piece in read.Buffer)
            {
                await connection.Stream.WriteAsync(piece);
                Interlocked.Add(ref _waiting, -piece.Length);
            }
            _questions.Reader.AdvanceTo(read.Buffer.End);
            // Who has asked is not to send what all others ask meanwhile, and the loop has answers to read between.
            if (inRow % MostSentInRow == 0) await loop.SwitchAsync();
        }
    }

    private async Task ReceiveAsync(TransportReceiver receiver)
    {
        Exception? fault = null;
        try
        {
            await loop.SwitchAsync();
            var (stream, buffer) = (connection.Stream, new byte[ReadBytes]);
            while (await stream.ReadAsync(buffer) is var count and > 0 && receiver.OnReceived(buffer.AsSpan(0, count))) receiver.OnBatchEnd();
        }
        catch (Exception lost)
        {
            // A connection that is lost is none of the library's faults.
            if (lost is not (IOException or ObjectDisposedException)) fault = lost;
        }
        try
        {
            receiver.OnClosed(fault);
        }
        finally
        {
            connection.Abort();
            await connection.DisposeAsync();
        }
    }

    /// <summary>Memory that nobody else has before or behind; one block is kept for the next time.</summary>
    private sealed class OwnMemory : MemoryPool<byte>
    {
        private const int BlockBytes = 4096;

        private Block? _spare;

        public override int MaxBufferSize => Array.MaxLength;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1) =>
            minBufferSize <= BlockBytes && Interlocked.Exchange(ref _spare, null) is { } spare ? spare : new Block(this, Math.Max(minBufferSize, BlockBytes));

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Block(OwnMemory home, int size) : IMemoryOwner<byte>
        {
            public Memory<byte> Memory { get; } = new byte[size];

            public void Dispose()
            {
                if (Memory.Length == BlockBytes) Volatile.Write(ref home._spare, this);
            }
        }
    }
}
