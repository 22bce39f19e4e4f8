using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using ImapDirector.Network;
using ImapDirector.Network.Polling;

namespace ImapDirector.Director.Relay;

/// <summary>Passes bytes between a client and its node until one of them is done, the time is over or the session is kicked. Everything that does
/// not depend on how bytes are moved is here; while they are, nobody waits: what follows the end of a direction begins when it has ended.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Whoever tells it to stop may cancel the source at any moment; it has no timer and no link, so it holds nothing to give back.")]
internal abstract class SessionRelay
{
    // A side that has closed waits this long for what is still coming from the other.
    private static readonly TimeSpan HalfClosedPatience = TimeSpan.FromSeconds(30);
    private const int Running = -1;
    private const int ClientKept = 1;
    private const int ClientGone = 2;
    private const long NotAsked = -1;

    private readonly RelayWatch _watch;
    private readonly IRelayOwner _owner;
    // Only where somebody waits for it.
    private CancellationTokenSource? _stop;
    private Exception? _fault;
    private long _lastByteAt = Environment.TickCount64;
    // In ticks: for how long the client is kept behind its node.
    private long _clientKeptFor = NotAsked;
    // In milliseconds.
    private int _patience;
    private int _end = Running;
    private int _running = 2;
    // Whether the client is kept, and whether it has gone: both are told at once.
    private int _kept;
    private int _isStopping;
    private int _endWhenOverdue = (int)SessionEnd.Idle;
    private bool _isHurried;

    /// <summary>Prepares it; both connections stay the owner's to dispose of.</summary>
    protected SessionRelay(Connection client, Connection node, RelayWatch watch, IRelayOwner owner)
    {
        (Client, Node, _watch, _owner) = (client, node, watch, owner);
        _patience = (int)watch.IdleTimeout.TotalMilliseconds;
    }

    /// <summary>Prepares a relay.</summary>
    /// <param name="client">The client's.</param>
    /// <param name="node">The node's.</param>
    /// <param name="watch">Ends it when it is silent for too long.</param>
    /// <param name="metrics">Where bytes are counted.</param>
    /// <param name="owner">Whoever hears of its end, and disposes of the connections then.</param>
    public static SessionRelay Create(Connection client, Connection node, RelayWatch watch, DirectorMetrics metrics, IRelayOwner owner)
    {
        // Where both have been from their beginning, they stay.
        var loop = client.Loop == node.Loop ? client.Loop : null;
        return loop is not null && client.IsDirect && node.IsDirect
            ? new LoopRelay(loop, client, node, watch, metrics, owner)
            : new StreamRelay(loop, client, node, watch, metrics, owner);
    }

    /// <summary>Bytes passed to the node.</summary>
    public abstract long BytesToNode { get; }

    /// <summary>Bytes passed to the client.</summary>
    public abstract long BytesToClient { get; }

    /// <summary>Whether something is still to be said to the client although the node has closed its side. For how long it is kept is asked once, by whichever of
    /// the node's direction meets that end first: the thread that moves its bytes, or whoever follows it.</summary>
    public bool KeepsClient => ClientKeptFor() > TimeSpan.Zero;

    /// <summary>Whether its end has begun, so that it is looked at more often.</summary>
    public bool IsHurried => Volatile.Read(ref _isHurried);

    protected Connection Client { get; }

    protected Connection Node { get; }

    /// <summary>Whether a line of ours may be put behind the last byte that went to the client; asked when nothing is passed to it any more.</summary>
    protected abstract bool IsAtEndOfResponse { get; }

    /// <summary>Whether the last that went to the client answers a LOGOUT.</summary>
    protected abstract bool IsAnsweredLogout { get; }

    protected bool IsStopping => Volatile.Read(ref _isStopping) != 0;

    /// <summary>Fires when both directions are to stop.</summary>
    protected CancellationToken Stopping
    {
        get
        {
            var made = new CancellationTokenSource();
            var source = Interlocked.CompareExchange(ref _stop, made, null) ?? made;
            if (IsStopping) source.Cancel();
            return source.Token;
        }
    }

    /// <summary>Passes bytes on from here to the end; called once. Never throws: its owner is told.</summary>
    public void Begin()
    {
        _watch.Add(this);
        BeginToPass();
    }

    /// <summary>Ends the relay when nothing has moved for as long as it may be silent: first asking, then at once.</summary>
    public void EndIfOverdue(long now)
    {
        if (now - Volatile.Read(ref _lastByteAt) < Volatile.Read(ref _patience)) return;
        var end = (SessionEnd)Volatile.Read(ref _endWhenOverdue);
        if (IsStopping) Abort(end);
        else Stop(end);
    }

    /// <summary>Ends the session: with <c>* BYE</c> where that cannot land inside a response, else without a word. Also before it has begun.</summary>
    public void Kick() => Stop(SessionEnd.Kicked);

    /// <summary>Something has been passed on, in whichever direction.</summary>
    public void Touch() => Volatile.Write(ref _lastByteAt, Environment.TickCount64);

    /// <summary>A direction ends. A thread that moves the bytes of both says so as it happens, and before it tells the receiver: what that does then comes
    /// second, and what follows the two ends may be done in any order.</summary>
    public void NoteEnd(Direction direction, PumpEnd end)
    {
        SessionEnd? first = (end, direction) switch
        {
            (PumpEnd.EndOfStream, Direction.ToNode) => SessionEnd.ClientClosed,
            (PumpEnd.EndOfStream, Direction.ToClient) => SessionEnd.NodeClosed,
            (PumpEnd.ReadFailed, Direction.ToNode) or (PumpEnd.WriteFailed, Direction.ToClient) => SessionEnd.ClientLost,
            (PumpEnd.ReadFailed, Direction.ToClient) => SessionEnd.NodeLost,
            // How the node has ended is for the other direction to say.
            _ => null,
        };
        if (first is { } noted) NoteEnd(noted);
    }

    /// <summary>Begins to move bytes. Each direction ends with <see cref="FollowAsync"/> or <see cref="Fail"/>, once.</summary>
    protected abstract void BeginToPass();

    /// <summary>Asks both directions to end between two buffers; from any thread, again, and before they have begun.</summary>
    protected abstract void StopPassing();

    /// <summary>Ends a direction in the middle of anything; what is on its way is lost.</summary>
    protected abstract void AbortDirection(Direction direction);

    /// <summary>The thread that streams belong to, where they do.</summary>
    protected virtual PollLoop? StreamLoop => null;

    /// <summary>Does what follows the end of a direction.</summary>
    protected async Task FollowAsync(Direction direction, PumpEnd end)
    {
        try
        {
            await (direction == Direction.ToNode ? FollowToNodeAsync(end) : FollowToClientAsync(end));
        }
        catch (Exception fault)
        {
            Fail(fault);
            return;
        }
        EndDirection();
    }

    /// <summary>Something of ours went wrong.</summary>
    protected void NoteFault(Exception fault) => Interlocked.CompareExchange(ref _fault, fault, null);

    /// <summary>A direction is over by a fault of ours, which must not leave the other one behind.</summary>
    protected void Fail(Exception fault)
    {
        NoteFault(fault);
        try
        {
            Abort(SessionEnd.Fault);
        }
        finally
        {
            EndDirection();
        }
    }

    protected void Abort(SessionEnd end)
    {
        NoteEnd(end);
        AbortDirection(Direction.ToClient);
        AbortDirection(Direction.ToNode);
        Client.Abort();
        Node.Abort();
    }

    private void EndDirection()
    {
        if (Interlocked.Decrement(ref _running) > 0) return;
        _watch.Remove(this);
        // Never in the middle of what has ended it.
        if (PollLoop.Current is { } loop) loop.Post(TellOwner);
        else ThreadPool.UnsafeQueueUserWorkItem(static relay => relay.TellOwner(), this, preferLocal: true);
    }

    private void TellOwner() => _owner.OnEnded(_end == Running ? SessionEnd.Fault : (SessionEnd)_end, _fault);

    private void Stop(SessionEnd end, TimeSpan? patience = null)
    {
        NoteEnd(end);
        Hurry(patience ?? _watch.LastPatience, end);
        // In this order, and with a fence between: whoever begins to wait meanwhile asks afterwards.
        Interlocked.Exchange(ref _isStopping, 1);
        Volatile.Read(ref _stop)?.Cancel();
        StopPassing();
    }

    private async Task FollowToNodeAsync(PumpEnd end)
    {
        switch (end)
        {
            case PumpEnd.EndOfStream:
                await HalfCloseAsync(SessionEnd.ClientClosed, Node);
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

    private async Task FollowToClientAsync(PumpEnd end)
    {
        switch (end)
        {
            case PumpEnd.EndOfStream when ClientKeptFor() is var time && time > TimeSpan.Zero:
                await KeepClientAsync(time, SessionEnd.NodeClosed);
                break;
            case PumpEnd.EndOfStream:
            case PumpEnd.ReadFailed when IsAnsweredLogout:
                await HalfCloseAsync(SessionEnd.NodeClosed, Client);
                // Neither side has anything more to say (RFC 9051 section 6.1.3): the client's own end is not waited for.
                if (IsAnsweredLogout) Stop(SessionEnd.NodeClosed, HalfClosedPatience);
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

    private TimeSpan ClientKeptFor()
    {
        // A node that closes behind its client, or behind LOGOUT, is not lost.
        if (_clientKeptFor == NotAsked) _clientKeptFor = IsAnsweredLogout || Volatile.Read(ref _end) == (int)SessionEnd.ClientClosed ? 0 : _owner.KeepClient().Ticks;
        return new TimeSpan(_clientKeptFor);
    }

    /// <summary>A client that waits in silence is let go in its turn; one that sends something is told at once that nobody hears it, by the other direction.</summary>
    private async Task KeepClientAsync(TimeSpan time, SessionEnd end)
    {
        NoteEnd(end);
        if (time > TimeSpan.Zero && Interlocked.Or(ref _kept, ClientKept) != ClientGone)
        {
            await Task.Delay(time, Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // Right here: behind a method of its own the rest might go on elsewhere, beside the loop's thread.
            if (StreamLoop is { } loop) await loop.SwitchAsync();
        }
        Stop(end);
        await SayByeAsync();
    }

    private async Task SayByeAsync()
    {
        if (!IsAtEndOfResponse)
        {
            Abort(SessionEnd.Kicked);
            return;
        }
        try
        {
            await Client.Stream.WriteAsync("* BYE The session is closed, please connect again.\r\n"u8.ToArray());
            await Client.CloseSendingAsync();
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
        if (NoteEnd(end) || _clientKeptFor <= 0) Hurry(HalfClosedPatience, end);
        try
        {
            await other.CloseSendingAsync();
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException)
        {
            // What a node has said before it was lost is for the other direction to bring.
            if (other == Client) Abort(end);
        }
    }

    private void LoseNode()
    {
        AbortDirection(Direction.ToNode);
        Node.Abort();
    }

    /// <returns>Whether this is what happened first.</returns>
    private bool NoteEnd(SessionEnd end) => Interlocked.CompareExchange(ref _end, (int)end, Running) is var first && (first == Running || first == (int)end);

    private void Hurry(TimeSpan patience, SessionEnd end)
    {
        Touch();
        Volatile.Write(ref _endWhenOverdue, (int)end);
        Volatile.Write(ref _patience, Math.Min(Volatile.Read(ref _patience), (int)patience.TotalMilliseconds));
        Volatile.Write(ref _isHurried, true);
        _watch.Hurry(this);
    }
}
