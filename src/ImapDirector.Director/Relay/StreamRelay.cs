using ImapDirector.Network;
using ImapDirector.Network.Polling;

namespace ImapDirector.Director.Relay;

/// <summary>A session whose bytes come through streams: on the thread pool, or all of it on a thread of the relay's.</summary>
internal sealed class StreamRelay : SessionRelay
{
    // Whose thread it all happens on; null where that is the thread pool.
    private readonly PollLoop? _loop;
    private readonly BufferPump _toNode;
    private readonly BufferPump _toClient;

    public StreamRelay(PollLoop? loop, Connection client, Connection node, RelayWatch watch, DirectorMetrics metrics, IRelayOwner owner) : base(client, node, watch, owner)
    {
        _loop = loop;
        _toNode = new BufferPump(client, node, metrics.BytesToNode, this, followsResponses: false, loop);
        _toClient = new BufferPump(node, client, metrics.BytesToClient, this, followsResponses: true, loop);
    }

    public override long BytesToNode => _toNode.Bytes;

    public override long BytesToClient => _toClient.Bytes;

    protected override bool IsAtEndOfResponse => _toClient.IsAtEndOfResponse;

    protected override bool IsAnsweredLogout => _toClient.IsAnsweredLogout;

    protected override PollLoop? StreamLoop => _loop;

    protected override void BeginToPass() => _ = PassBothAsync();

    // They wait for the token.
    protected override void StopPassing()
    {
    }

    protected override void AbortDirection(Direction direction) => (direction == Direction.ToNode ? Node : Client).Abort();

    private async Task PassBothAsync()
    {
        // Right here: behind a method of its own the rest might go on elsewhere, beside the loop's thread.
        if (_loop is not null) await _loop.SwitchAsync();
        await Task.WhenAll(PassAsync(Direction.ToNode, _toNode), PassAsync(Direction.ToClient, _toClient));
    }

    private async Task PassAsync(Direction direction, BufferPump pump)
    {
        PumpEnd end;
        try
        {
            end = await pump.RunAsync(Stopping);
        }
        catch (Exception fault)
        {
            Fail(fault);
            return;
        }
        await FollowAsync(direction, end);
    }
}
