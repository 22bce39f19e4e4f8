using System.Buffers;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using Prometheus;

namespace ImapDirector.Director.Relay;

/// <summary>One direction of a <see cref="LoopRelay"/>: passes on what is there, through the buffer that all sessions of the thread share, or through a pipe in the
/// kernel where much is to come. Only what the receiver does not take is kept, and nothing more is read until it has (limits R5). Everything runs on
/// the loop's thread but <see cref="RunAsync"/> and <see cref="Abort"/>.</summary>
internal sealed class LoopPump(LoopRelay relay, PollLoop loop, Counter.Child counter, SessionRelay session, bool followsResponses) : IPump
{
    // Below this two calls through a pipe cost more than two with a copy.
    private const int WorthAPipe = 128 * 1024;

    // After so many turns others get theirs.
    private const int MostTurns = 8;

    private readonly TaskCompletionSource<PumpEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ResponseBoundary _boundary;
    private LoopSocket _from = null!;
    private LoopSocket _to = null!;
    private KeptBytes _kept;
    private SplicePipe? _pipe;
    private PumpEnd? _end;
    private bool _isStopping;
    private bool _isAtEndOfStream;
    private int _fullReads;
    private long _bytes;

    public long Bytes => Volatile.Read(ref _bytes);

    public bool IsAtEndOfResponse => _boundary.IsAtEndOfResponse;

    public bool IsAnsweredLogout => _boundary.IsAnsweredLogout;

    public bool HasEnded => _end is not null;

    /// <summary>Whether it waits for the receiver.</summary>
    public bool IsHeldUp => !HasEnded && (!_kept.IsEmpty || _pipe is not null || _to.HasUnsent);

    /// <summary>Whether it waits for the sender.</summary>
    public bool IsWaiting => !HasEnded && !IsHeldUp;

    public async Task<PumpEnd> RunAsync(CancellationToken stop)
    {
        relay.Begin();
        await using var stopping = stop.UnsafeRegister(static pump => ((LoopPump)pump!).PostStop(), this);
        return await _ended.Task;
    }

    public void Abort() => loop.Post(() => relay.Abort(this));

    /// <summary>Before it begins: what the login dialogues read beyond their own lines goes first (limits D3).</summary>
    /// <param name="from">The sender.</param>
    /// <param name="to">The receiver.</param>
    /// <param name="early">Those bytes.</param>
    /// <param name="isAll">Whether the sender has closed its side behind them.</param>
    public void Prepare(LoopSocket from, LoopSocket to, ReadOnlySequence<byte> early, bool isAll)
    {
        (_from, _to, _isAtEndOfStream) = (from, to, isAll);
        foreach (var piece in early) _kept.Add(piece.Span);
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
        // No event tells of it.
        else if (_from.HasMore) Move();
    }

    /// <summary>Passes on what has come.</summary>
    public void Move()
    {
        for (var turn = 0; (turn < MostTurns || _from.HasMore) && IsWaiting; turn++)
        {
            if (IsMuchToCome && loop.Pipes.TryRent() is { } pipe)
            {
                if (!MoveThrough(pipe)) return;
                continue;
            }
            var buffer = loop.Buffer;
            var count = _from.Receive(buffer, out var isAll);
            if (count <= 0)
            {
                EndOfReading(count);
                return;
            }
            var sent = Send(buffer.AsSpan(0, count));
            if (HasEnded) return;
            if (sent < count) _kept.Add(buffer.AsSpan(sent..count));
            if (isAll)
            {
                _fullReads = 0;
                if (!_from.HasMore) return;
            }
            else _fullReads++;
        }
    }

    /// <summary>The receiver is gone, although nothing is to be written to it now.</summary>
    public void LoseReceiver() => relay.End(this, PumpEnd.WriteFailed);

    /// <summary>Gives everything back; the first end is the one that counts.</summary>
    /// <returns>Whether it was this one.</returns>
    public bool End(PumpEnd end)
    {
        if (HasEnded) return false;
        _end = end;
        session.NoteEnd(this, end);
        _kept.Clear();
        if (_pipe is { } pipe) loop.Pipes.Return(pipe);
        _pipe = null;
        return true;
    }

    /// <summary>Tells whoever waits for it.</summary>
    public void TellEnd() => _ended.TrySetResult(_end!.Value);

    /// <summary>Behind the announcement of a large literal its length is known; of the other direction it is guessed from what has come so far.</summary>
    private bool IsMuchToCome => _from.IsPlain && _to.IsPlain && (followsResponses ? _boundary.LiteralLeft >= WorthAPipe : _fullReads >= 2);

    private void PostStop() => loop.Post(() =>
    {
        _isStopping = true;
        if (IsWaiting) relay.End(this, PumpEnd.Stopped);
    });

    private bool MoveThrough(SplicePipe pipe)
    {
        // Not a byte beyond the literal: what is behind it has to be followed.
        var most = followsResponses ? (int)Math.Min(_boundary.LiteralLeft, int.MaxValue) : int.MaxValue;
        var count = pipe.Fill(_from.Descriptor, most);
        if (count <= 0)
        {
            loop.Pipes.Return(pipe);
            _fullReads = 0;
            EndOfReading(count);
            return false;
        }
        _pipe = pipe;
        return Drain();
    }

    /// <returns>Whether the pipe is empty.</returns>
    private bool Drain()
    {
        var pipe = _pipe!;
        while (pipe.Count > 0)
        {
            var count = pipe.Drain(_to.Descriptor);
            if (LoopSocket.WasInterrupted(count)) continue;
            if (LoopSocket.WouldBlock(count)) return false;
            if (count <= 0)
            {
                relay.End(this, PumpEnd.WriteFailed);
                return false;
            }
            if (followsResponses) _boundary.SkipLiteral(count);
            Count(count);
        }
        _pipe = null;
        loop.Pipes.Return(pipe);
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
        session.NoteEnd(this, PumpEnd.EndOfStream);
        // To a client that is kept although its node has gone, something is still to be said.
        if (!followsResponses || !session.KeepsClient) _to.SayEnd();
        // Else it ends when that has been taken.
        if (!IsHeldUp) relay.End(this, PumpEnd.EndOfStream);
    }

    private int Send(ReadOnlySpan<byte> bytes)
    {
        var sent = 0;
        while (sent < bytes.Length)
        {
            var count = _to.Send(bytes[sent..]);
            if (LoopSocket.WasInterrupted(count)) continue;
            if (LoopSocket.WouldBlock(count)) break;
            if (count < 0)
            {
                relay.End(this, PumpEnd.WriteFailed);
                break;
            }
            if (followsResponses) _boundary.Advance(bytes.Slice(sent, count));
            Count(count);
            sent += count;
        }
        return sent;
    }

    private void Count(int count)
    {
        Volatile.Write(ref _bytes, _bytes + count);
        counter.Inc(count);
        session.Touch();
    }

    /// <returns>Whether nothing waits any more that the receiver's socket has taken.</returns>
    private bool SendRest()
    {
        var result = _to.SendRest();
        if (result > 0) return true;
        if (!LoopSocket.WouldBlock(result)) relay.End(this, PumpEnd.WriteFailed);
        return false;
    }
}
