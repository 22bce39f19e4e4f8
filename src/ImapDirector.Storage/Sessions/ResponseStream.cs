using System.Buffers;
using System.IO.Pipelines;
using ImapDirector.Network;

namespace ImapDirector.Storage.Sessions;

/// <summary>Where a session writes: the connection's output, sent whenever a few tens of kilobytes have gathered, so that no answer is
/// ever held whole in memory, and given up when the peer takes nothing for too long.</summary>
internal sealed class ResponseStream(Connection connection, TimeSpan writeTimeout) : IBufferWriter<byte>, IDisposable
{
    /// <summary>What gathers before it is sent, in bytes.</summary>
    public const int FlushThreshold = 64 * 1024;

    private readonly CancellationTokenSource _stalled = new();
    private TimeSpan _writeTimeout = writeTimeout;
    private int _unflushed;

    /// <summary>The session's turns, once somebody has logged in: a peer that takes its time has none meanwhile.</summary>
    public WorkTurns? Turns { get; set; }

    /// <summary>Whether the bytes of an announced literal are still due, so that nothing else may be written.</summary>
    public bool InLiteral { get; set; }

    public void Advance(int count)
    {
        connection.Output.Advance(count);
        _unflushed += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => connection.Output.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => connection.Output.GetSpan(sizeHint);

    /// <summary>Sends what has gathered if it is worth sending.</summary>
    public ValueTask FlushIfLargeAsync() => _unflushed < FlushThreshold ? ValueTask.CompletedTask : FlushAsync();

    /// <summary>Sends what has gathered, waiting for the peer to take it.</summary>
    /// <exception cref="SessionEndedException">The peer is gone, or took nothing for the write time-out.</exception>
    public async ValueTask FlushAsync()
    {
        if (_unflushed == 0) return;
        _unflushed = 0;
        FlushResult result;
        _stalled.CancelAfter(_writeTimeout);
        try
        {
            var flushing = connection.Output.FlushAsync(_stalled.Token);
            var isTaken = flushing.IsCompleted;
            if (!isTaken) Turns?.End();
            result = await flushing;
            if (!isTaken) Turns?.Begin();
        }
        catch (OperationCanceledException stalled) when (_stalled.IsCancellationRequested)
        {
            connection.Abort();
            throw new SessionEndedException(SessionEnd.WriteStalled, stalled);
        }
        _stalled.CancelAfter(Timeout.InfiniteTimeSpan);
        if (result.IsCompleted) throw new SessionEndedException(SessionEnd.Disconnected);
    }

    /// <summary>From any thread: the peer has only so long left for all that is still to come.</summary>
    public void Hurry(TimeSpan time)
    {
        _writeTimeout = time;
        _stalled.CancelAfter(time);
    }

    public void Dispose() => _stalled.Dispose();
}
