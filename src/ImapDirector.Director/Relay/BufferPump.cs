using System.Buffers;
using System.Net.Sockets;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using Prometheus;

namespace ImapDirector.Director.Relay;

/// <summary>Moves bytes in one direction through a pooled buffer that exists only while there are bytes to move. It reads no more than it has
/// written, so a peer that does not read holds up one buffer and no more (limits R5). Where the connections are on a loop, all of it happens on its thread.</summary>
internal sealed class BufferPump(Connection from, Connection to, Counter.Child counter, SessionRelay session, bool followsResponses, PollLoop? loop)
{
    private const int BufferBytes = 32 * 1024;

    // Then the other sessions of the thread have theirs, as much as there may still be to move.
    private const int MostTurns = 32;

    private ResponseBoundary _boundary;
    private long _bytes;

    /// <summary>How many bytes have been moved.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Whether a line of ours may be put behind the last byte moved, where responses are followed; read it when it has stopped.</summary>
    public bool IsAtEndOfResponse => _boundary.IsAtEndOfResponse;

    /// <summary>Whether the last that was moved answers a LOGOUT, where responses are followed.</summary>
    public bool IsAnsweredLogout => _boundary.IsAnsweredLogout;

    /// <summary>Moves bytes until one side is done or <paramref name="stop"/> fires, which is heeded between two buffers.</summary>
    public async Task<PumpEnd> RunAsync(CancellationToken stop)
    {
        var isWriting = false;
        byte[]? buffer = null;
        var used = 0;
        var turns = 0u;
        try
        {
            // What the login dialogues read beyond their own lines goes first (limits D3).
            while (from.Input.TryRead(out var early))
            {
                isWriting = true;
                foreach (var piece in early.Buffer) await WriteAsync(piece);
                isWriting = false;
                from.Input.AdvanceTo(early.Buffer.End);
                if (early.IsCompleted) return PumpEnd.EndOfStream;
            }
            while (!stop.IsCancellationRequested)
            {
                if (buffer is null)
                {
                    await WaitForBytesAsync(stop);
                    buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
                }
                var count = await from.Stream.ReadAsync(buffer.AsMemory(0, BufferBytes), stop);
                if (count == 0) return PumpEnd.EndOfStream;
                used = Math.Max(used, count);
                isWriting = true;
                await WriteAsync(buffer.AsMemory(0, count));
                isWriting = false;
                // A full buffer promises more; anything less is most likely all there was.
                if (count < BufferBytes) Return(ref buffer, ref used);
                if (loop is not null && ++turns % MostTurns == 0) await loop.SwitchAsync();
            }
            return PumpEnd.Stopped;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return PumpEnd.Stopped;
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException)
        {
            return isWriting ? PumpEnd.WriteFailed : PumpEnd.ReadFailed;
        }
        finally
        {
            Return(ref buffer, ref used);
        }
    }

    // A read into nothing ends when there is something to read, and holds no buffer until then.
    private ValueTask<int> WaitForBytesAsync(CancellationToken stop) => from.Stream.ReadAsync(Memory<byte>.Empty, stop);

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        await to.Stream.WriteAsync(bytes);
        // Whoever has waited for its turn to write with TLS goes on elsewhere: beside the thread a read could meet the end of the same stream.
        if (loop is { IsCurrent: false }) await loop.SwitchAsync();
        if (followsResponses) _boundary.Advance(bytes.Span);
        Volatile.Write(ref _bytes, _bytes + bytes.Length);
        counter.Inc(bytes.Length);
        session.Touch();
    }

    private static void Return(ref byte[]? buffer, ref int used)
    {
        if (buffer is null) return;
        // Whoever rents it next, by a mistake elsewhere, must not find mail in it.
        buffer.AsSpan(0, used).Clear();
        ArrayPool<byte>.Shared.Return(buffer);
        (buffer, used) = (null, 0);
    }
}
