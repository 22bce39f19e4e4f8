using System.Runtime.CompilerServices;

namespace ImapDirector.Network.Polling;

/// <summary>The stream of a connection that a <see cref="PollLoop"/> watches from its beginning to its end: read and written by the kernel's own calls from any thread, one read and
/// one write at a time. Whoever has to wait goes on on the loop's thread, without a hop.</summary>
internal sealed class LoopStream : WaitingStream, IPollTarget
{
    // Whoever reads again and again without ever having to wait lets the thread's other sessions have their turn.
    private const int MostReadsInRow = 64;

    private readonly LoopSocket _socket;
    private readonly Readiness _readable;
    private readonly Readiness _writable;
    private bool _mayBeMore;
    private volatile bool _isEnding;
    private volatile bool _isLost;
    private int _readsInRow;

    /// <summary>Watches a connection.</summary>
    /// <param name="loop">Where; from any thread.</param>
    /// <param name="descriptor">The connection, or one that is being made.</param>
    /// <exception cref="IOException">The system refuses, or the loop has ended.</exception>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public LoopStream(PollLoop loop, SocketDescriptor descriptor)
    {
        (_readable, _writable) = (new Readiness(loop), new Readiness(loop));
        _socket = new LoopSocket(loop, descriptor, this);
        try
        {
            // Each once when it happens: what is there is read until there is less than was asked for, and only then waited for.
            _socket.Watch();
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>The thread that waits.</summary>
    public PollLoop Loop => _socket.Loop;

    /// <summary>Whether there may be something to be read, of which nothing more will be told; while nobody reads.</summary>
    public bool MayHaveMore => _mayBeMore || _isEnding || _readable.IsReady;

    /// <summary>Whether the end has been announced.</summary>
    public bool IsEnding => _isEnding;

    /// <summary>Whether it has been told that nothing is taken there any more.</summary>
    public bool IsLost => _isLost;

    int IPollTarget.Descriptor => _socket.Descriptor;

    /// <summary>Waits until a connection that is being made has been, or has not.</summary>
    public ValueTask WaitUntilMadeAsync(CancellationToken cancellationToken) => _writable.WaitAsync(cancellationToken);

    /// <summary>Has whoever waits from now on go on on the thread pool, or on the loop's thread again; while nobody waits.</summary>
    public void GoOnOnPool(bool does) => (_readable.GoesOnOnPool, _writable.GoesOnOnPool) = (does, does);

    /// <summary>Gives the socket to somebody else, who is told of its events instead as soon as they begin. Nothing may be being read or written, and nothing is read or written here any more.</summary>
    public LoopSocket Release(IPollTarget target)
    {
        _socket.Retarget(target);
        return _socket;
    }

    /// <summary>Leaves the loop: whoever waits is told that the connection is lost.</summary>
    public void Leave()
    {
        _socket.Dispose();
        _readable.Fail();
        _writable.Fail();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            // Asked each time: what has been told of before is found by the look that follows, and would be waited for in vain.
            var isTold = _readable.TryTake();
            // Behind the last bytes comes their end, which is not told once more.
            if (!_mayBeMore && !isTold && !_isEnding)
            {
                _readsInRow = 0;
                await _readable.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            _mayBeMore = true;
            if (buffer.IsEmpty) return 0;
            // TLS asks for more by itself where what came carries nothing.
            if (++_readsInRow % MostReadsInRow == 0)
            {
                await Loop.SwitchAsync();
                if (_readable.GoesOnOnPool) await PollLoop.LeaveAsync();
                cancellationToken.ThrowIfCancellationRequested();
            }
            // Before it is looked: beside the loop's thread an end may be announced behind the look, and then all that came before it is still to be read.
            var wasEnding = _isEnding;
            var count = _socket.ReceivePlain(buffer.Span);
            if (LoopSocket.WasInterrupted(count)) continue;
            if (LoopSocket.WouldBlock(count))
            {
                // An end that was announced is there by then.
                if (wasEnding) throw Lost(count);
                _mayBeMore = false;
                continue;
            }
            if (count < 0) throw Lost(count);
            // Less than asked for was all there was (epoll(7)).
            _mayBeMore = count == buffer.Length;
            return count;
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Nearly always the kernel takes it all, and what waiting needs is not made.
        var sent = Send(buffer.Span);
        return sent == buffer.Length ? ValueTask.CompletedTask : WriteRestAsync(buffer[sent..], cancellationToken);
    }

    void IPollTarget.OnReady(PollEvents events)
    {
        var isLost = (events & (PollEvents.Error | PollEvents.HangUp)) != 0;
        if (isLost) _isLost = true;
        if (isLost || (events & PollEvents.ReadHangUp) != 0) _isEnding = true;
        if (isLost || (events & PollEvents.Writable) != 0) _writable.Set();
        if (isLost || (events & (PollEvents.Readable | PollEvents.ReadHangUp)) != 0) _readable.Set();
    }

    void IPollTarget.OnGivenUp() => Leave();

    protected override void Dispose(bool disposing)
    {
        if (disposing) Leave();
        base.Dispose(disposing);
    }

    private async ValueTask WriteRestAsync(ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        while (!rest.IsEmpty)
        {
            await _writable.WaitAsync(cancellationToken).ConfigureAwait(false);
            rest = rest[Send(rest.Span)..];
        }
    }

    private int Send(ReadOnlySpan<byte> bytes)
    {
        var sent = 0;
        while (sent < bytes.Length)
        {
            var count = _socket.SendPlain(bytes[sent..]);
            if (LoopSocket.WasInterrupted(count)) continue;
            if (LoopSocket.WouldBlock(count)) break;
            if (count < 0) throw Lost(count);
            sent += count;
        }
        return sent;
    }

    private static IOException Lost(int error) => new($"The connection is lost: error {-error}.");
}
