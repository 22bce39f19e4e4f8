using System.Diagnostics.CodeAnalysis;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using Prometheus;

namespace ImapDirector.Director.Relay;

/// <summary>The two directions of a session whose bytes one thread moves, together with all of its other sessions: between two sockets, by the kernel's own
/// calls. In place of two <see cref="BufferPump"/>.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The sockets are let go when both directions have ended, on the thread that uses them.")]
internal sealed class LoopRelay
{
    private readonly PollLoop _loop;
    private readonly Connection _clientConnection;
    private readonly Connection _nodeConnection;
    private readonly LoopPump _toNode;
    private readonly LoopPump _toClient;
    private readonly Side _client;
    private readonly Side _node;
    private int _hasBegun;
    private bool _isOver;
    // On the loop's thread. Until it has begun there everything is that of whoever begins it.
    private bool _isOnLoop;
    private bool _isAborted;

    /// <summary>Prepares it; both connections must be <see cref="Connection.IsDirect"/>, and nobody may be reading from them.</summary>
    public LoopRelay(PollLoop loop, Connection client, Connection node, Counter.Child toNode, Counter.Child toClient, SessionRelay session)
    {
        (_loop, _clientConnection, _nodeConnection) = (loop, client, node);
        _toNode = new LoopPump(this, loop, toNode, session, followsResponses: false);
        _toClient = new LoopPump(this, loop, toClient, session, followsResponses: true);
        _client = new Side(this, reader: _toNode, writer: _toClient);
        _node = new Side(this, reader: _toClient, writer: _toNode);
    }

    /// <summary>Its two directions.</summary>
    public (IPump ToNode, IPump ToClient) Pumps => (_toNode, _toClient);

    /// <summary>Begins, once: the first pump that is asked to run begins both.</summary>
    public void Begin()
    {
        if (Interlocked.Exchange(ref _hasBegun, 1) != 0) return;
        try
        {
            _client.Hold(_loop, _clientConnection);
            _node.Hold(_loop, _nodeConnection);
            Prepare(_toNode, _clientConnection, _client, _node);
            Prepare(_toClient, _nodeConnection, _node, _client);
            ForgetPipes();
        }
        catch (ObjectDisposedException)
        {
            _loop.Post(EndBoth);
            return;
        }
        _loop.Post(Watch);
    }

    /// <summary>Ends a direction in the middle of anything; on the loop's thread. What has not begun there yet ends when it does.</summary>
    public void Abort(LoopPump pump)
    {
        if (_isOnLoop) End(pump, PumpEnd.Aborted);
        else _isAborted = true;
    }

    /// <summary>Ends a direction; on the loop's thread. When both have ended, both sockets are let go.</summary>
    public void End(LoopPump pump, PumpEnd end)
    {
        if (!pump.End(end)) return;
        if (!_toNode.HasEnded || !_toClient.HasEnded)
        {
            Rearm();
            pump.TellEnd();
            return;
        }
        Release();
        // Whoever hears of it may close the sockets.
        _toNode.TellEnd();
        _toClient.TellEnd();
    }

    private static void Prepare(LoopPump pump, Connection from, Side sender, Side receiver)
    {
        if (!from.Input.TryRead(out var early))
        {
            pump.Prepare(sender.Socket, receiver.Socket, default, isAll: false);
            return;
        }
        pump.Prepare(sender.Socket, receiver.Socket, early.Buffer, early.IsCompleted);
        from.Input.AdvanceTo(early.Buffer.End);
    }

    /// <summary>Nobody reads or writes through pipes from here on, and idle sessions are many.</summary>
    private void ForgetPipes()
    {
        _clientConnection.ForgetPipes();
        _nodeConnection.ForgetPipes();
    }

    private void Watch()
    {
        if (_isAborted)
        {
            EndBoth();
            return;
        }
        _isOnLoop = true;
        try
        {
            _client.Socket.Begin();
            _node.Socket.Begin();
        }
        catch (IOException)
        {
            // The system has no room for it: what the session hears is that its connection is lost.
            EndBoth();
            return;
        }
        _toNode.GoOn();
        _toClient.GoOn();
        Rearm();
    }

    private void EndBoth()
    {
        _isOnLoop = true;
        _toNode.End(PumpEnd.Aborted);
        _toClient.End(PumpEnd.Aborted);
        Release();
        _toNode.TellEnd();
        _toClient.TellEnd();
    }

    private void Rearm()
    {
        if (_isOver) return;
        _client.Rearm();
        _node.Rearm();
    }

    private void Release()
    {
        if (_isOver) return;
        _isOver = true;
        _client.Dispose();
        _node.Dispose();
    }

    /// <summary>One of the two sockets, with the direction that reads from it and the one that writes to it.</summary>
    private sealed class Side(LoopRelay relay, LoopPump reader, LoopPump writer) : IPollTarget, IDisposable
    {
        private LoopSocket? _socket;

        public LoopSocket Socket => _socket ?? throw new InvalidOperationException("The relay has not begun.");

        public int Descriptor => Socket.Descriptor;

        public void Hold(PollLoop loop, Connection connection) => _socket = new LoopSocket(loop, connection, this);

        public void Dispose() => _socket?.Dispose();

        public void Rearm() => Socket.Watch((reader.IsWaiting ? PollEvents.Readable : PollEvents.None) | (writer.IsHeldUp ? PollEvents.Writable : PollEvents.None));

        public void OnReady(PollEvents events)
        {
            var isLost = (events & (PollEvents.Error | PollEvents.HangUp)) != 0;
            if (isLost && Socket.Watched == PollEvents.None)
            {
                // Nobody waits for this side, but it will never take anything any more.
                if (!writer.HasEnded) writer.LoseReceiver();
                return;
            }
            if (writer.IsHeldUp && (isLost || (events & PollEvents.Writable) != 0)) writer.GoOn();
            if (reader.IsWaiting && (isLost || (events & PollEvents.Readable) != 0)) reader.Move();
            relay.Rearm();
        }

        public void OnGivenUp() => relay.EndBoth();
    }
}
