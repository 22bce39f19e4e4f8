using System.Buffers;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>Sends a section as a literal, a piece at a time, as the peer takes it.</summary>
internal static class LiteralCopy
{
    private const int PieceBytes = 32 * 1024;

    /// <exception cref="StoreException">The content ended too soon: the announced literal cannot be completed.</exception>
    public static async ValueTask SendAsync(SectionBytes section, Stream content, ResponseStream output)
    {
        output.LiteralHeader(section.Length);
        output.InLiteral = true;
        foreach (var range in section.Ranges)
        {
            content.Position = range.Start;
            for (var left = range.Length; left > 0;)
            {
                var memory = output.GetMemory((int)Math.Min(left, PieceBytes));
                if (memory.Length > left) memory = memory[..(int)left];
                var read = await content.ReadAsync(memory);
                if (read == 0) throw new StoreException("A message is shorter than it should be.");
                // No literal may carry a NUL (RFC 3501 section 4.3); Dovecot sends 0x80 in its place as well.
                memory.Span[..read].Replace((byte)0, (byte)0x80);
                output.Advance(read);
                left -= read;
                await output.FlushIfLargeAsync();
            }
        }
        output.Write(section.Suffix.Span);
        output.InLiteral = false;
    }
}
