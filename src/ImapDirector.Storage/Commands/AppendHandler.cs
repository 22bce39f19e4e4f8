using System.Globalization;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>APPEND, with APPENDUID (RFC 4315). What can be refused is refused before the client is asked for the message.</summary>
internal static class AppendHandler
{
    public static async ValueTask<CommandResult> RunAsync(MailSession session, AppendCommand command)
    {
        session.BeginWait();
        if (await RefuseAsync(session, command) is { } refused)
        {
            if (!await session.Reader.SkipLiteralAsync(command.Literal, session.ClientToken)) throw new SessionEndedException(SessionEnd.Misbehaved);
            return refused;
        }

        await using var spool = new MessageSpool(session.SpoolDirectory);
        var complete = await session.Reader.CopyLiteralAsync(command.Literal, (bytes, cancellationToken) =>
        {
            // The idle time-out counts from the last bytes that came, not from the first.
            session.BeginWait();
            return spool.WriteAsync(bytes, cancellationToken);
        }, session.ClientToken);
        if (!complete) throw new SessionEndedException(SessionEnd.Disconnected);
        session.AcknowledgeNow();
        var rest = await session.Reader.EndLiteralCommandAsync(session.ClientToken);
        if (rest.Kind == FrameKind.EndOfStream) throw new SessionEndedException(SessionEnd.Disconnected);
        if (rest.Kind != FrameKind.Command) throw new SessionEndedException(SessionEnd.Misbehaved);
        if (!rest.Bytes.IsEmpty) return CommandResult.Bad("One message at a time.");

        var date = command.Date ?? DateTimeOffset.UtcNow;
        if (await session.Mail.AppendAsync(command.Mailbox, spool, command.Flags, date, CancellationToken.None) is not { } appended)
            return CommandResult.TryCreate;
        return CommandResult.Ok("Append completed.",
            string.Create(CultureInfo.InvariantCulture, $"APPENDUID {appended.UidValidity} {appended.Message.Uid}"));
    }

    private static async ValueTask<CommandResult?> RefuseAsync(MailSession session, AppendCommand command)
    {
        if (session.Mail.FindStatus(command.Mailbox) is null) return CommandResult.TryCreate;
        if (command.Literal.Length > session.Options.MaxMessageBytes) return CommandResult.No("TOOBIG", "The message is too big.");
        if (command.Literal.Length == 0) return CommandResult.No("CANNOT", "The message is empty.");
        if (command.Literal.Binary) return CommandResult.Bad("Binary literals are not offered.");
        return await session.Mail.HasRoomForKeywordsAsync(command.Mailbox, command.Flags, CancellationToken.None) ? null : CommandResult.TooManyKeywords;
    }
}
