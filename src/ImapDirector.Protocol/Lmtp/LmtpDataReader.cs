using System.Buffers;
using System.IO.Pipelines;

namespace ImapDirector.Protocol.Lmtp;

/// <summary>Reads the message behind DATA (RFC 5321 section 4.5.2), to its end and not beyond it.</summary>
public static class LmtpDataReader
{
    private const int ChunkBytes = 16 * 1024;

    /// <summary>Copies the message, un-stuffed, as it comes.</summary>
    /// <param name="input">Where it comes from.</param>
    /// <param name="sink">Takes the message, a piece at a time, each only during the call.</param>
    /// <param name="cancellationToken">The caller's time-out.</param>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async ValueTask<LmtpDataEnd> CopyAsync(PipeReader input, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> sink, CancellationToken cancellationToken)
    {
        var decoder = new DotDecoder();
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(cancellationToken);
                if (read.IsCanceled)
                {
                    input.AdvanceTo(read.Buffer.Start);
                    throw new OperationCanceledException("The read was cancelled.");
                }
                var rest = read.Buffer;
                while (!rest.IsEmpty && !decoder.IsEnded)
                {
                    // A CR that the last piece withheld may come out with this one: one byte more than goes in.
                    var piece = rest.First.Span;
                    piece = piece[..Math.Min(piece.Length, chunk.Length - 1)];
                    var taken = decoder.Decode(piece, chunk, out var written);
                    rest = rest.Slice(taken);
                    if (written > 0) await sink(chunk.AsMemory(0, written), cancellationToken);
                }
                input.AdvanceTo(rest.Start, decoder.IsEnded ? rest.Start : rest.End);
                if (decoder.IsEnded) return decoder.HasBareLineEnd ? LmtpDataEnd.BareLineEnd : LmtpDataEnd.Complete;
                if (read.IsCompleted) return LmtpDataEnd.EndOfStream;
            }
        }
        finally
        {
            // Cleared, because the next to rent it may be another user's session.
            ArrayPool<byte>.Shared.Return(chunk, clearArray: true);
        }
    }
}

/// <summary>How a message behind DATA ended.</summary>
public enum LmtpDataEnd
{
    /// <summary>With CRLF dot CRLF.</summary>
    Complete,
    /// <summary>With CRLF dot CRLF; but on the way there was a CR without LF or an LF without CR, which another server may have taken for a
    /// line end (limits L1): the message is to be refused.</summary>
    BareLineEnd,
    /// <summary>Not at all: the client has closed, and what came is no message.</summary>
    EndOfStream,
}
