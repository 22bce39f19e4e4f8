using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using ImapDirector.Network;
using ImapDirector.Network.Polling;

namespace ImapDirector.Director.Relay;

/// <summary>Passes bytes between a client and its node until one of them is done, the time is over or the session is kicked. Everything that does
/// not depend on how bytes are moved is here.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The watch may cancel the source at any moment; it has no timer and no link, so it holds nothing to give back.")]
internal sealed class SessionRelay
{
    // A side that has closed waits this long for what is still coming from the other.
    private static readonly TimeSpan HalfClosedPatience = TimeSpan.FromSeconds(30);
    private const int Running = -1;
    private const int ClientKept = 1;
    private const int ClientGone = 2;

    private readonly Connection _client;
    private readonly Connection _node;
    private readonly RelayWatch _watch;
    // How long the client is kept when the node has ended the session.
    private readonly Func<TimeSpan> _keepClient;
    // Where streams are moved to; null where they stay, or are not needed.
    private readonly PollLoop? _streamLoop;
    private readonly IPump _toNode;
    private readonly IPump _toClient;
    private readonly CancellationTokenSource _stop = new();
    private long _lastByteAt = Environment.TickCount64;
    private long _patience;
    private int _endWhenOverdue = (int)SessionEnd.Idle;
    private int _end = Running;
    private TimeSpan? _clientKeptFor;
    // Whether the client is kept, and whether it has gone: both are told at once.
    private int _kept;

    /// <summary>Prepares a relay; both connections stay the caller's to dispose.</summary>
    /// <param name="client">The client's.</param>
    /// <param name="node">The node's.</param>
    /// <param name="watch">Ends it when it is silent for too long.</param>
    /// <param name="metrics">Where bytes are counted.</param>
    /// <param name="loops">Threads that move bytes.</param>
    /// <param name="keepClient">Asked when the node ends the session: for how long its client is kept nevertheless, so that not all of a node's come again at once.</param>
    public SessionRelay(Connection client, Connection node, RelayWatch watch, DirectorMetrics metrics, RelayLoops loops, Func<TimeSpan> keepClient)
    {
        (_client, _node, _watch, _keepClient) = (client, node, watch, keepClient);
        _patience = (long)watch.IdleTimeout.TotalMilliseconds;
        var (toNode, toClient) = (metrics.RelayedBytes.WithLabels("to_node"), metrics.RelayedBytes.WithLabels("to_client"));
        var loop = loops.Next();
        if (loop is not null && client.IsDirect && node.IsDirect)
        {
            (_toNode, _toClient) = new LoopRelay(loop, client, node, toNode, toClient, this).Pumps;
            return;
        }
        _streamLoop = loop;
        _toNode = new BufferPump(client, node, toNode, this, followsResponses: false, loop);
        _toClient = new BufferPump(node, client, toClient, this, followsResponses: true, loop);
    }

    /// <summary>Bytes passed to the node.</summary>
    public long BytesToNode => _toNode.Bytes;

    /// <summary>Bytes passed to the client.</summary>
    public long BytesToClient => _toClient.Bytes;

    /// <summary>Passes bytes on until the end; called once. Never throws for what a peer did.</summary>
    /// <param name="kick">Ends the session: with <c>* BYE</c> where that cannot land inside a response, else without a word.</param>
    public async Task<SessionEnd> RunAsync(CancellationToken kick)
    {
        _watch.Add(this);
        try
        {
            await using var kicked = kick.UnsafeRegister(static relay => ((SessionRelay)relay!).Kick(), this);
            if (_streamLoop is not null)
            {
                // Right here: behind a method of its own the rest might go on elsewhere, beside the loop's thread.
                await _streamLoop.SwitchAsync();
                MoveStreams(_streamLoop);
            }
            await Task.WhenAll(OrEndBothAsync(PassToNodeAsync()), OrEndBothAsync(PassToClientAsync()));
            // What follows is not for the thread that moves bytes.
            if (_streamLoop is not null) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return _end == Running ? SessionEnd.Fault : (SessionEnd)_end;
        }
        finally
        {
            _watch.Remove(this);
        }
    }

    /// <summary>A fault of ours in one direction must not leave the other one behind.</summary>
    private async Task OrEndBothAsync(Task direction)
    {
        try
        {
            await direction;
        }
        catch
        {
            Abort(SessionEnd.Fault);
            throw;
        }
    }

    private void MoveStreams(PollLoop loop)
    {
        try
        {
            _client.MoveTo(loop);
            _node.MoveTo(loop);
        }
        catch (Exception refused) when (refused is IOException or ObjectDisposedException)
        {
            Abort(SessionEnd.Fault);
        }
    }

    /// <summary>Ends the relay when nothing has moved for as long as it may be silent: first asking, then at once.</summary>
    public void EndIfOverdue(long now)
    {
        if (now - Volatile.Read(ref _lastByteAt) < Volatile.Read(ref _patience)) return;
        var end = (SessionEnd)Volatile.Read(ref _endWhenOverdue);
        if (_stop.IsCancellationRequested) Abort(end);
        else Stop(end);
    }

    /// <summary>Ends the session: with <c>* BYE</c> where that cannot land inside a response, else without a word. Also before it has begun.</summary>
    public void Kick() => Stop(SessionEnd.Kicked);

    /// <summary>Something has been passed on, in whichever direction.</summary>
    public void Touch() => Volatile.Write(ref _lastByteAt, Environment.TickCount64);

    /// <summary>A pump ends. A thread that moves the bytes of both directions says so as it happens, and before it tells the receiver: what that does then comes
    /// second, and whoever waits for the pumps may hear of both in any order.</summary>
    public void NoteEnd(IPump pump, PumpEnd end)
    {
        SessionEnd? first = (end, pump == _toNode) switch
        {
            (PumpEnd.EndOfStream, true) => SessionEnd.ClientClosed,
            (PumpEnd.EndOfStream, false) => SessionEnd.NodeClosed,
            (PumpEnd.ReadFailed, true) or (PumpEnd.WriteFailed, false) => SessionEnd.ClientLost,
            (PumpEnd.ReadFailed, false) => SessionEnd.NodeLost,
            // How the node has ended is for the other direction to say.
            _ => null,
        };
        if (first is { } noted) NoteEnd(noted);
    }

    /// <summary>Whether something is still to be said to the client although the node has closed its side. For how long it is kept is asked once, by whichever of
    /// the node's direction meets that end first: the thread that moves its bytes, or whoever waits for it.</summary>
    public bool KeepsClient => ClientKeptFor() > TimeSpan.Zero;

    private void Stop(SessionEnd end)
    {
        NoteEnd(end);
        Hurry(_watch.LastPatience, end);
        _stop.Cancel();
    }

    private async Task PassToNodeAsync()
    {
        switch (await _toNode.RunAsync(_stop.Token))
        {
            case PumpEnd.EndOfStream:
                await HalfCloseAsync(SessionEnd.ClientClosed, _node);
                // One that is kept behind its node, and goes, is waited for no longer.
                if (Interlocked.Or(ref _kept, ClientGone) == ClientKept) Stop(SessionEnd.ClientClosed);
                break;
            case PumpEnd.ReadFailed:
                Abort(SessionEnd.ClientLost);
                break;
            case PumpEnd.WriteFailed:
                // The node may have closed behind its last words, such as the answer to LOGOUT: the other direction brings them.
                Hurry(_watch.LastPatience, SessionEnd.NodeLost);
                break;
        }
    }

    private async Task PassToClientAsync()
    {
        switch (await _toClient.RunAsync(_stop.Token))
        {
            case PumpEnd.EndOfStream when ClientKeptFor() is var time && time > TimeSpan.Zero:
                await KeepClientAsync(time, SessionEnd.NodeClosed);
                break;
            case PumpEnd.EndOfStream:
                await HalfCloseAsync(SessionEnd.NodeClosed, _client);
                break;
            case PumpEnd.ReadFailed:
                await KeepClientAsync(ClientKeptFor(), SessionEnd.NodeLost);
                break;
            case PumpEnd.WriteFailed:
                Abort(SessionEnd.ClientLost);
                break;
            case PumpEnd.Stopped:
                await SayByeAsync();
                break;
        }
    }

    // A node that closes behind its client, or behind LOGOUT, is not lost.
    private TimeSpan ClientKeptFor() => _clientKeptFor ??= _toClient.IsAnsweredLogout || Volatile.Read(ref _end) == (int)SessionEnd.ClientClosed ? TimeSpan.Zero : _keepClient();

    /// <summary>A client that waits in silence is let go in its turn; one that sends something is told at once that nobody hears it, by the other direction.</summary>
    private async Task KeepClientAsync(TimeSpan time, SessionEnd end)
    {
        NoteEnd(end);
        if (time > TimeSpan.Zero && Interlocked.Or(ref _kept, ClientKept) != ClientGone)
        {
            await Task.Delay(time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_streamLoop is not null) await _streamLoop.SwitchAsync();
        }
        Stop(end);
        await SayByeAsync();
    }

    private async Task SayByeAsync()
    {
        if (!_toClient.IsAtEndOfResponse)
        {
            Abort(SessionEnd.Kicked);
            return;
        }
        try
        {
            await _client.Stream.WriteAsync("* BYE The session is closed, please connect again.\r\n"u8.ToArray());
            await _client.CloseSendingAsync();
            LoseNode();
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException)
        {
            Abort(SessionEnd.ClientLost);
        }
    }

    private async Task HalfCloseAsync(SessionEnd end, Connection other)
    {
        // The other side has closed before; but it may be a node's, whose client is kept for longer.
        if (NoteEnd(end) || _clientKeptFor is not { Ticks: > 0 }) Hurry(HalfClosedPatience, end);
        try
        {
            await other.CloseSendingAsync();
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException)
        {
            Abort(end);
        }
    }

    private void Abort(SessionEnd end)
    {
        NoteEnd(end);
        _toClient.Abort();
        _toNode.Abort();
        _client.Abort();
        _node.Abort();
    }

    private void LoseNode()
    {
        _toNode.Abort();
        _node.Abort();
    }

    /// <returns>Whether this is what happened first.</returns>
    private bool NoteEnd(SessionEnd end) => Interlocked.CompareExchange(ref _end, (int)end, Running) is var first && (first == Running || first == (int)end);

    private void Hurry(TimeSpan patience, SessionEnd end)
    {
        Touch();
        Volatile.Write(ref _endWhenOverdue, (int)end);
        Volatile.Write(ref _patience, Math.Min(Volatile.Read(ref _patience), (long)patience.TotalMilliseconds));
    }
}
