using System.Diagnostics.CodeAnalysis;
using ImapDirector.Network;
using ImapDirector.Network.Polling;

namespace ImapDirector.Director.Relay;

/// <summary>One direction of a <see cref="LoopRelay"/>: passes on what is there, through the buffer that all sessions of the thread share, or through a pipe in the
/// kernel where much is to come. Only what the receiver does not take is kept, and nothing more is read until it has (limits R5). It is told of the events of
/// the socket it reads from, also of those that the other direction waits for, which writes there. Everything runs on the loop's thread, but what makes it ready to begin.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The socket is let go when both directions have ended, on the thread that uses it.")]
internal sealed class LoopPump(LoopRelay relay, Direction direction) : IPollTarget
{
    // Below this two calls through a pipe cost more than two with a copy.
    private const int WorthAPipe = 128 * 1024;

    // After so many turns others get theirs.
    private const int MostTurns = 8;

    private ResponseBoundary _boundary;
    private LoopSocket? _from;
    private KeptBytes _kept;
    private SplicePipe? _pipe;
    private long _bytes;
    private int _fullReads;
    private PumpEnd _end;
    private bool _isStopping;
    private bool _isAtEndOfStream;
    private bool _isFollowed;
    private bool _hasTurnToCome;

    /// <summary>Which it is.</summary>
    public Direction Direction => direction;

    /// <summary>How many bytes have been moved.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Whether a line of ours may be put behind the last byte moved, where responses are followed; read it when it has ended.</summary>
    public bool IsAtEndOfResponse => _boundary.IsAtEndOfResponse;

    /// <summary>Whether the last that was moved answers a LOGOUT, where responses are followed.</summary>
    public bool IsAnsweredLogout => _boundary.IsAnsweredLogout;

    public bool HasEnded => _end != PumpEnd.None;

    public int Descriptor => From.Descriptor;

    private LoopPump Opposite => relay.Opposite(this);

    private LoopSocket From => _from ?? throw new InvalidOperationException("The relay has not begun.");

    private LoopSocket To => Opposite.From;

    // Only a node's responses are: a line of ours goes to the client alone.
    private bool FollowsResponses => direction == Direction.ToClient;

    /// <summary>Whether it waits for the receiver.</summary>
    private bool IsHeldUp => !HasEnded && (!_kept.IsEmpty || _pipe is not null || To.HasUnsent);

    /// <summary>Whether it waits for the sender.</summary>
    private bool IsWaiting => !HasEnded && !IsHeldUp;

    /// <summary>Before it begins: takes the sender over.</summary>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public void Hold(Connection sender) => _from = LoopSocket.TakeOver(sender, this);

    /// <summary>Before it begins: what the login dialogues read beyond their own lines goes first (limits D3).</summary>
    public void TakeEarly(Connection sender)
    {
        if (!sender.Input.TryRead(out var early)) return;
        _isAtEndOfStream = early.IsCompleted;
        foreach (var piece in early.Buffer) _kept.Add(piece.Span);
        sender.Input.AdvanceTo(early.Buffer.End);
    }

    /// <summary>Begins to be told of the sender.</summary>
    /// <returns><c>false</c> when the loop has ended.</returns>
    public bool Begin() => From.Begin();

    /// <summary>Is told of the sender no more, and lets it go.</summary>
    public void LetGo() => _from?.Dispose();

    public void OnReady(PollEvents events)
    {
        From.Note(events);
        var (isLost, writer) = ((events & (PollEvents.Error | PollEvents.HangUp)) != 0, Opposite);
        if (isLost && !IsWaiting && !writer.IsHeldUp)
        {
            // Nobody waits for it, but it will never take anything any more. Where that was said already, the other side may be kept for a while yet.
            if (!writer.HasEnded) relay.End(writer, _end == PumpEnd.ReadFailed ? PumpEnd.Aborted : PumpEnd.WriteFailed);
            return;
        }
        if (writer.IsHeldUp && (isLost || (events & PollEvents.Writable) != 0)) writer.GoOn();
        if (!_hasTurnToCome) Move();
        EndWriterOfLost();
    }

    public void OnGivenUp() => relay.EndBoth();

    /// <summary>Ends it between two buffers, also before it has begun.</summary>
    public void Stop(bool hasBegun)
    {
        _isStopping = true;
        if (hasBegun && IsWaiting) relay.End(this, PumpEnd.Stopped);
    }

    /// <summary>Goes on where it has let others have their turn.</summary>
    public void TakeTurn()
    {
        _hasTurnToCome = false;
        GoOn();
        EndWriterOfLost();
    }

    /// <summary>Goes on where it was held up.</summary>
    public void GoOn()
    {
        if (HasEnded || !SendRest()) return;
        if (!_kept.IsEmpty)
        {
            var sent = Send(_kept.Memory.Span);
            if (HasEnded) return;
            _kept.Take(sent);
        }
        if (_pipe is not null && !Drain()) return;
        if (IsHeldUp) return;
        if (_isAtEndOfStream) EndOfStream();
        else if (_isStopping) relay.End(this, PumpEnd.Stopped);
        else Move();
    }

    // Passes on what has come.
    private void Move()
    {
        for (var turn = 0; From.HasMore && IsWaiting; turn++)
        {
            if (turn == MostTurns)
            {
                // Nothing more is told of what is there.
                if (_hasTurnToCome) return;
                _hasTurnToCome = true;
                relay.GoOnLater(this);
                return;
            }
            if (IsMuchToCome && relay.Loop.Pipes.TryRent() is { } pipe)
            {
                MoveThrough(pipe);
                continue;
            }
            var buffer = relay.Loop.Buffer;
            var count = From.Receive(buffer.AsSpan(0, MostAtOnce), out var isAll);
            if (count <= 0)
            {
                EndOfReading(count);
                continue;
            }
            var bytes = buffer.AsSpan(0, count);
            var sent = Send(bytes, IsFarewell(bytes));
            if (HasEnded) return;
            if (sent < count) _kept.Add(bytes[sent..]);
            _fullReads = isAll ? 0 : _fullReads + 1;
        }
    }

    /// <summary>While this direction is held up nothing is read from its sender, and nothing behind a client's end: that it is lost, which is told once, would be noticed by nobody. Who
    /// writes to it ends here.</summary>
    public void EndWriterOfLost()
    {
        var isUnread = IsHeldUp || (direction == Direction.ToNode && _end == PumpEnd.EndOfStream);
        if (From.IsLost && isUnread && Opposite is { HasEnded: false, IsHeldUp: false } writer) relay.End(writer, PumpEnd.WriteFailed);
    }

    /// <summary>Gives everything back; the first end is the one that counts.</summary>
    /// <returns>Whether it was this one.</returns>
    public bool End(PumpEnd end)
    {
        if (HasEnded) return false;
        _end = end;
        relay.NoteEnd(direction, end);
        _kept.Clear();
        if (_pipe is { } pipe) relay.Loop.Pipes.Return(pipe);
        _pipe = null;
        return true;
    }

    /// <summary>Its end, once: for whoever does what follows it.</summary>
    public PumpEnd? TakeFollowing()
    {
        if (_isFollowed) return null;
        _isFollowed = true;
        return _end;
    }

    /// <summary>Behind the announcement of a large literal its length is known; of the other direction it is guessed from what has come so far.</summary>
    private bool IsMuchToCome => From.IsPlain && To.IsPlain && (FollowsResponses ? _boundary.LiteralLeft >= WorthAPipe : _fullReads >= 2);

    /// <summary>Where a large literal goes into TLS, records are filled: a small one behind the full ones costs nearly as much as they do.</summary>
    private int MostAtOnce => FollowsResponses && !To.IsPlain && _boundary.LiteralLeft > PollLoop.BufferBytes ? LoopSocket.BytesInFullRecords : PollLoop.BufferBytes;

    private void MoveThrough(SplicePipe pipe)
    {
        // Not a byte beyond the literal: what is behind it has to be followed.
        var most = FollowsResponses ? (int)Math.Min(_boundary.LiteralLeft, int.MaxValue) : int.MaxValue;
        var count = From.ReceiveInto(pipe, most);
        if (count > 0)
        {
            _pipe = pipe;
            Drain();
            return;
        }
        relay.Loop.Pipes.Return(pipe);
        _fullReads = 0;
        EndOfReading(count);
    }

    /// <returns>Whether the pipe is empty.</returns>
    private bool Drain()
    {
        var pipe = _pipe!;
        while (pipe.Count > 0)
        {
            var count = pipe.Drain(To.Descriptor);
            if (LoopSocket.WasInterrupted(count)) continue;
            if (LoopSocket.WouldBlock(count)) return false;
            if (count <= 0)
            {
                relay.End(this, PumpEnd.WriteFailed);
                return false;
            }
            if (FollowsResponses) _boundary.SkipLiteral(count);
            Count(count);
        }
        _pipe = null;
        relay.Loop.Pipes.Return(pipe);
        return true;
    }

    private void EndOfReading(int result)
    {
        if (LoopSocket.WouldBlock(result) || LoopSocket.WasInterrupted(result)) return;
        if (result == 0) EndOfStream();
        else relay.End(this, PumpEnd.ReadFailed);
    }

    private void EndOfStream()
    {
        _isAtEndOfStream = true;
        relay.NoteEnd(direction, PumpEnd.EndOfStream);
        // To a client that is kept although its node has gone, something is still to be said.
        if (!FollowsResponses || !relay.KeepsClient) To.SayEnd();
        // Of a receiver that is lost already nothing is told any more: it has to be asked. Else it ends when that has been taken.
        if (SendRest()) relay.End(this, PumpEnd.EndOfStream);
    }

    // The answer to LOGOUT of a node that has closed behind it: it goes to the client together with the end.
    private bool IsFarewell(ReadOnlySpan<byte> bytes)
    {
        if (!FollowsResponses || !From.IsEnding) return false;
        var after = _boundary;
        after.Advance(bytes);
        return after.IsAnsweredLogout;
    }

    private int Send(ReadOnlySpan<byte> bytes, bool endFollows = false)
    {
        var sent = 0;
        while (sent < bytes.Length)
        {
            var count = To.Send(bytes[sent..], endFollows);
            if (LoopSocket.WasInterrupted(count)) continue;
            if (LoopSocket.WouldBlock(count)) break;
            if (count < 0)
            {
                relay.End(this, PumpEnd.WriteFailed);
                break;
            }
            if (FollowsResponses) _boundary.Advance(bytes.Slice(sent, count));
            Count(count);
            sent += count;
        }
        return sent;
    }

    private void Count(int count)
    {
        Volatile.Write(ref _bytes, _bytes + count);
        (direction == Direction.ToNode ? relay.Metrics.BytesToNode : relay.Metrics.BytesToClient).Inc(count);
        relay.Touch();
    }

    /// <returns>Whether nothing waits any more that the receiver's socket has taken.</returns>
    private bool SendRest()
    {
        var result = To.SendRest();
        if (result > 0) return true;
        if (!LoopSocket.WouldBlock(result)) relay.End(this, PumpEnd.WriteFailed);
        return false;
    }
}
