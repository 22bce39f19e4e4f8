using ImapDirector.Network;
using ImapDirector.Network.Polling;

namespace ImapDirector.Director.Relay;

/// <summary>A session whose bytes one thread moves, together with those of all of its other sessions: between two sockets, by the kernel's own calls. While it
/// idles it is this, its two directions and their sockets, and nothing else.</summary>
internal sealed class LoopRelay : SessionRelay
{
    private readonly LoopPump _toNode;
    private readonly LoopPump _toClient;
    private bool _isOver;
    // On the loop's thread. Until it has begun there everything is that of whoever begins it.
    private bool _isOnLoop;
    private bool _isAborted;

    /// <summary>Prepares it; both connections must be <see cref="Connection.IsDirect"/>, and nobody may be reading from them.</summary>
    public LoopRelay(PollLoop loop, Connection client, Connection node, RelayWatch watch, DirectorMetrics metrics, IRelayOwner owner) : base(client, node, watch, owner)
    {
        (Loop, Metrics) = (loop, metrics);
        _toNode = new LoopPump(this, Direction.ToNode);
        _toClient = new LoopPump(this, Direction.ToClient);
    }

    /// <summary>Its thread.</summary>
    public PollLoop Loop { get; }

    /// <summary>Where bytes are counted.</summary>
    public DirectorMetrics Metrics { get; }

    public override long BytesToNode => _toNode.Bytes;

    public override long BytesToClient => _toClient.Bytes;

    protected override bool IsAtEndOfResponse => _toClient.IsAtEndOfResponse;

    protected override bool IsAnsweredLogout => _toClient.IsAnsweredLogout;

    /// <summary>The other direction: it writes to where this one reads from.</summary>
    public LoopPump Opposite(LoopPump pump) => pump == _toNode ? _toClient : _toNode;

    /// <summary>Ends a direction; on the loop's thread. When both have ended, both sockets are let go.</summary>
    public void End(LoopPump pump, PumpEnd end)
    {
        if (!pump.End(end)) return;
        if (_toNode.HasEnded && _toClient.HasEnded) EndBoth();
        else FollowLater(pump);
    }

    /// <summary>Ends what has not ended; on the loop's thread.</summary>
    public void EndBoth()
    {
        _isOnLoop = true;
        if (_isOver) return;
        _isOver = true;
        _toNode.End(PumpEnd.Aborted);
        _toClient.End(PumpEnd.Aborted);
        _toNode.LetGo();
        _toClient.LetGo();
        // Whoever hears of it may close the sockets.
        FollowLater(_toNode);
        FollowLater(_toClient);
    }

    /// <summary>Has a direction go on when others of the thread have had their turn.</summary>
    public void GoOnLater(LoopPump pump) => Loop.Post(() => Do(pump.TakeTurn));

    protected override void BeginToPass()
    {
        try
        {
            _toNode.Hold(Client);
            _toClient.Hold(Node);
            _toNode.TakeEarly(Client);
            _toClient.TakeEarly(Node);
            // Nobody reads or writes through pipes from here on, and idle sessions are many.
            Client.ForgetPipes();
            Node.ForgetPipes();
        }
        catch (Exception gone)
        {
            // Closed meanwhile, or a fault of ours.
            if (gone is not ObjectDisposedException) NoteFault(gone);
            Loop.Post(EndBoth);
            return;
        }
        // On its thread already where it has waited for the node's last word.
        if (Loop.IsCurrent) Do(BeginHere);
        else Loop.Post(() => Do(BeginHere));
    }

    protected override void StopPassing()
    {
        // On the thread at once: what the peer does of it comes second.
        if (Loop.IsCurrent) StopHere();
        else Loop.Post(StopHere);
    }

    // What has not begun there yet ends when it does.
    protected override void AbortDirection(Direction direction) => Loop.Post(() =>
    {
        if (_isOnLoop) End(direction == Direction.ToNode ? _toNode : _toClient, PumpEnd.Aborted);
        else _isAborted = true;
    });

    private void StopHere()
    {
        _toNode.Stop(_isOnLoop);
        _toClient.Stop(_isOnLoop);
    }

    private void BeginHere()
    {
        if (_isAborted)
        {
            EndBoth();
            return;
        }
        _isOnLoop = true;
        if (!_toNode.Begin() || !_toClient.Begin())
        {
            EndBoth();
            return;
        }
        _toNode.GoOn();
        _toClient.GoOn();
        // What was told before it began is not told again.
        _toNode.EndWriterOfLost();
        _toClient.EndWriterOfLost();
    }

    // What no event has brought: a fault of ours ends this session alone, and does end it.
    private void Do(Action work)
    {
        try
        {
            work();
        }
        catch (Exception fault)
        {
            NoteFault(fault);
            EndBoth();
        }
    }

    private void FollowLater(LoopPump pump)
    {
        // Behind what is under way now: whatever follows may end the session.
        if (pump.TakeFollowing() is { } end) Loop.Post(() => _ = FollowAsync(pump.Direction, end));
    }
}
