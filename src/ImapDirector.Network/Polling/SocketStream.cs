using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace ImapDirector.Network.Polling;

/// <summary>The stream of a socket. It waits as the runtime does, until it is moved to a <see cref="PollLoop"/>: from then on it is read, written and waited for on
/// that thread alone, and whoever waits goes on there, without a hop.</summary>
/// <remarks>One read and one write at a time.</remarks>
internal sealed class SocketStream(ConnectionSocket socket, bool isAtRest = false) : Stream, IPollTarget
{
    // Whoever reads again and again without ever having to wait lets the thread's other sessions have their turn.
    private const int MostReadsInRow = 64;

    // From the beginning: of a socket that has said its end there can be none. Behind a relay only for who has to wait.
    private NetworkStream? _network = isAtRest ? null : new(socket.Socket, ownsSocket: false);
    // From when it is moved to a loop.
    private Readiness _readable = null!;
    private Readiness _writable = null!;
    private PollLoop? _loop;
    private LoopSocket? _socket;
    private bool _hasLeft;
    private bool _isEnding;
    private int _readsInRow;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>The thread that it belongs to, or <c>null</c>.</summary>
    public PollLoop? Loop => _loop;

    int IPollTarget.Descriptor => _socket!.Descriptor;

    private NetworkStream Network => _network ??= new NetworkStream(socket.Socket, ownsSocket: false);

    /// <summary>Moves it to a loop, on whose thread this is called; nothing may be being read or written.</summary>
    /// <exception cref="IOException">The system refuses.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public void MoveTo(PollLoop loop)
    {
        (_readable, _writable) = (new Readiness(), new Readiness());
        _socket = new LoopSocket(loop, socket.Socket, this);
        _loop = loop;
        _socket.Begin();
        // Told once each time: what is there is read until there is less than was asked for, and only then waited for.
        _socket.Watch(PollEvents.Readable | PollEvents.Writable | PollEvents.ReadHangUp | PollEvents.Once);
    }

    /// <summary>Leaves the loop, on its thread: whoever waits is told that the connection is lost, and from now on nothing is waited for any more.</summary>
    public void Leave()
    {
        if (_hasLeft) return;
        _hasLeft = true;
        _socket?.Dispose();
        if (!socket.Socket.SafeHandle.IsClosed) socket.Socket.Blocking = false;
        _readable?.Fail();
        _writable?.Fail();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _loop is null ? Network.ReadAsync(buffer, cancellationToken) : ReadOnLoopAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Nearly always the kernel takes it all, and what waiting needs is not made.
        var sent = _loop is null ? socket.SendAtOnce(buffer.Span) : Send(buffer.Span);
        if (_loop is null && sent < buffer.Length) return Network.WriteAsync(buffer[sent..], cancellationToken);
        return sent == buffer.Length ? ValueTask.CompletedTask : WriteRestAsync(buffer[sent..], cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is read without waiting.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is written without waiting.");

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    void IPollTarget.OnReady(PollEvents events)
    {
        var isLost = (events & (PollEvents.Error | PollEvents.HangUp)) != 0;
        // Behind the last bytes comes their end, which is not told once more.
        _isEnding |= isLost || (events & PollEvents.ReadHangUp) != 0;
        if (isLost || (events & PollEvents.Writable) != 0) _writable.Set();
        if (isLost || (events & (PollEvents.Readable | PollEvents.ReadHangUp)) != 0) _readable.Set();
    }

    void IPollTarget.OnGivenUp() => Leave();

    protected override void Dispose(bool disposing)
    {
        if (disposing) _network?.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadOnLoopAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!_readable.IsSet)
            {
                DemandLoop();
                _readsInRow = 0;
                await _readable.WaitAsync(_loop!, cancellationToken);
            }
            if (buffer.IsEmpty) return 0;
            // TLS asks for more by itself where what came carries nothing.
            if (++_readsInRow % MostReadsInRow == 0 && !_hasLeft)
            {
                await _loop!.SwitchAsync();
                cancellationToken.ThrowIfCancellationRequested();
            }
            var count = Receive(buffer.Span);
            if (LoopSocket.WasInterrupted(count)) continue;
            if (LoopSocket.WouldBlock(count))
            {
                _readable.Clear();
                continue;
            }
            if (count < 0) throw Lost(count);
            // Less than asked for was all there was (epoll(7)).
            if (count < buffer.Length && !_isEnding) _readable.Clear();
            return count;
        }
    }

    private async ValueTask WriteRestAsync(ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        while (!rest.IsEmpty)
        {
            DemandLoop();
            await _writable.WaitAsync(_loop!, cancellationToken);
            rest = rest[Send(rest.Span)..];
        }
    }

    private int Send(ReadOnlySpan<byte> bytes)
    {
        var sent = 0;
        while (sent < bytes.Length)
        {
            var count = SendOnce(bytes[sent..]);
            if (LoopSocket.WasInterrupted(count)) continue;
            if (LoopSocket.WouldBlock(count))
            {
                _writable.Clear();
                break;
            }
            if (count < 0) throw Lost(count);
            sent += count;
        }
        return sent;
    }

    private void DemandLoop()
    {
        if (_hasLeft) throw new IOException("The connection is not waited for any more.");
    }

    // Beside the loop's thread an event could be lost, and with it the session: better that it ends at once.
    private void DemandThread()
    {
        if (!_hasLeft && !_loop!.IsCurrent) throw new InvalidOperationException("The stream is used beside the thread that it belongs to.");
    }

    // When it has left the loop, its descriptor may be another connection's by now: the socket itself knows.
    private int Receive(Span<byte> buffer)
    {
        DemandThread();
        if (!_hasLeft) return _socket!.ReceivePlain(buffer);
        var count = socket.Socket.Receive(buffer, SocketFlags.None, out var error);
        return error == SocketError.Success ? count : throw new IOException("The connection is lost.", new SocketException((int)error));
    }

    private int SendOnce(ReadOnlySpan<byte> bytes)
    {
        DemandThread();
        if (!_hasLeft) return _socket!.SendPlain(bytes);
        var count = socket.Socket.Send(bytes, SocketFlags.None, out var error);
        return error == SocketError.Success ? count : throw new IOException("The connection is lost.", new SocketException((int)error));
    }

    private static IOException Lost(int error) => new($"The connection is lost: error {-error}.");

    /// <summary>Whether something can be done without waiting, and the one that waits for it.</summary>
    private sealed class Readiness : IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _core;
        private PollLoop? _loop;
        private bool _isWaited;

        public bool IsSet { get; private set; } = true;

        public void Clear() => IsSet = false;

        public void Set()
        {
            IsSet = true;
            Complete(null);
        }

        public void Fail() => Complete(new IOException("The connection is not waited for any more."));

        public async ValueTask WaitAsync(PollLoop loop, CancellationToken cancellationToken)
        {
            if (IsSet) return;
            cancellationToken.ThrowIfCancellationRequested();
            _core.Reset();
            _loop = loop;
            _isWaited = true;
            var cancelling = cancellationToken.UnsafeRegister(static (waiter, token) => ((Readiness)waiter!).PostCancellation(token), this);
            try
            {
                await new ValueTask(this, _core.Version);
            }
            finally
            {
                // Not disposed of: that would wait for a cancellation that is being told, and go on on its thread.
                cancelling.Unregister();
            }
        }

        // Only the loop's thread may end a wait, and only the one that was meant.
        private void PostCancellation(CancellationToken token)
        {
            var version = _core.Version;
            _loop!.Post(() =>
            {
                if (_core.Version == version) Complete(new OperationCanceledException(token));
            });
        }

        void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

        void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);

        private void Complete(Exception? failure)
        {
            if (!_isWaited) return;
            _isWaited = false;
            if (failure is null) _core.SetResult(true);
            else _core.SetException(failure);
        }
    }
}
