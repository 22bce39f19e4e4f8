using System.Buffers;
using System.IO.Pipelines;

namespace ImapDirector.Protocol.Lmtp;

/// <summary>Reads the bytes behind BDAT (RFC 3030 section 2), as many as it announced and not one more.</summary>
public static class LmtpChunkReader
{
    /// <summary>Copies the bytes as they come.</summary>
    /// <param name="input">Where they come from.</param>
    /// <param name="size">How many there are.</param>
    /// <param name="sink">Takes them, a piece at a time, each only during the call.</param>
    /// <param name="cancellationToken">The caller's time-out.</param>
    /// <returns><c>false</c> when the client has closed before the last of them.</returns>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async ValueTask<bool> CopyAsync(PipeReader input, long size, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> sink, CancellationToken cancellationToken)
    {
        for (var left = size; left > 0;)
        {
            var read = await input.ReadAsync(cancellationToken);
            if (read.IsCanceled)
            {
                input.AdvanceTo(read.Buffer.Start);
                throw new OperationCanceledException("The read was cancelled.");
            }
            var chunk = read.Buffer.Slice(0, Math.Min(left, read.Buffer.Length));
            foreach (var piece in chunk) await sink(piece, cancellationToken);
            left -= chunk.Length;
            input.AdvanceTo(chunk.End);
            if (left > 0 && read.IsCompleted) return false;
        }
        return true;
    }
}
