using System.Buffers;
using System.IO.Pipelines;

namespace ImapDirector.Protocol.Lmtp;

/// <summary>A message as DATA carries it (RFC 5321 section 4.5.2): a dot before each line that begins with one, and CRLF dot CRLF at the end.
/// Only CRLF ends a line (limits L1).</summary>
public static class DotStuffing
{
    private const int ChunkBytes = 16 * 1024;

    /// <summary>Writes the whole message and its end; the last bytes are not flushed.</summary>
    /// <exception cref="IOException">The message cannot be read, or the receiver is gone.</exception>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public static async Task WriteAsync(Stream message, PipeWriter output, CancellationToken cancellationToken)
    {
        var state = LineState.AtStart;
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            int read;
            while ((read = await message.ReadAsync(chunk, cancellationToken)) > 0)
            {
                Stuff(chunk.AsSpan(0, read), output, ref state);
                await output.FlushAsync(cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk, clearArray: true);
        }
        output.Write(state == LineState.AtStart ? ".\r\n"u8 : "\r\n.\r\n"u8);
    }

    private static void Stuff(ReadOnlySpan<byte> chunk, PipeWriter output, ref LineState state)
    {
        // At worst every byte needs a dot before it.
        var stuffed = output.GetSpan(chunk.Length * 2);
        var written = 0;
        foreach (var current in chunk)
        {
            if (current == '.' && state == LineState.AtStart) stuffed[written++] = (byte)'.';
            stuffed[written++] = current;
            state = current switch
            {
                (byte)'\r' => LineState.AfterCr,
                (byte)'\n' when state == LineState.AfterCr => LineState.AtStart,
                _ => LineState.Inside,
            };
        }
        output.Advance(written);
    }

    private enum LineState
    {
        AtStart,
        AfterCr,
        Inside,
    }
}
