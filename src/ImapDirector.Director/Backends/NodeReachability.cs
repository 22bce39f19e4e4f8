using ImapDirector.Network;

namespace ImapDirector.Director.Backends;

/// <summary>Whether at least one node's port accepts. The answer is kept for a moment, so that however often it is asked the nodes see few probes.</summary>
internal sealed class NodeReachability(Func<IReadOnlyList<BackendNode>> nodes, TimeProvider clock)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private Task<bool>? _last;
    private long _asked;

    /// <summary>Asks, or repeats a recent answer; ready within half a second.</summary>
    public Task<bool> IsAnyReachableAsync()
    {
        lock (_lock)
        {
            if (_last is null || (_last.IsCompleted && clock.GetElapsedTime(_asked) >= KeptFor))
            {
                _asked = clock.GetTimestamp();
                _last = ProbeAllAsync();
            }
            return _last;
        }
    }

    private async Task<bool> ProbeAllAsync()
    {
        using var limit = new CancellationTokenSource(ProbeTimeout);
        var probes = nodes().Select(node => ProbeAsync(node, limit.Token)).ToArray();
        var isAny = false;
        await foreach (var probe in Task.WhenEach(probes))
        {
            if (!await probe) continue;
            isAny = true;
            // The others need not be waited for, but their sockets are.
            await limit.CancelAsync();
        }
        return isAny;
    }

    private static async Task<bool> ProbeAsync(BackendNode node, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await Connection.ConnectAsync(BackendConnector.EndPointOf(node), cancellationToken);
            return true;
        }
        catch (Exception unreachable) when (unreachable is System.Net.Sockets.SocketException or OperationCanceledException)
        {
            return false;
        }
    }
}
