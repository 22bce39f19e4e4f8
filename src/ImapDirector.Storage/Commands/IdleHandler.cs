using System.Buffers;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>IDLE (RFC 2177): tells of changes as they happen, until DONE.</summary>
internal static class IdleHandler
{
    public static async ValueTask<CommandResult> RunAsync(MailSession session)
    {
        session.Output.Raw("+ idling\r\n"u8);
        session.BeginWait();
        var line = session.Reader.ReadLineAsync(session.ClientToken).AsTask();
        try
        {
            await session.TellUntilAsync(line, everything: true);
        }
        catch
        {
            await session.AbandonAsync(line);
            throw;
        }
        var frame = await line;
        if (frame.Kind == FrameKind.EndOfStream) throw new SessionEndedException(SessionEnd.Disconnected);
        return frame.Kind == FrameKind.Command && IsDone(frame.Bytes) ? CommandResult.Ok("Idle completed.") : CommandResult.Bad("Expected DONE.");
    }

    private static bool IsDone(ReadOnlySequence<byte> line)
    {
        if (line.Length != 4) return false;
        Span<byte> word = stackalloc byte[4];
        line.CopyTo(word);
        return Ascii.EqualsIgnoreCase(word, "DONE"u8);
    }
}
