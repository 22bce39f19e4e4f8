using System.Globalization;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>APPEND (several messages at once: RFC 3502; put together from others: RFC 4469) and REPLACE (RFC 8508), with APPENDUID (RFC 4315). What can be refused is refused before the
/// client is asked for the message.</summary>
internal static class AppendHandler
{
    /// <summary>Messages of one command.</summary>
    private const int MaxMessages = 200;

    /// <summary>Literals and URLs of one command.</summary>
    private const int MaxParts = 1000;

    /// <summary>All messages of one command together, as a multiple of the largest one.</summary>
    private const int MaxTotal = 4;

    public static async ValueTask<CommandResult> AppendAsync(MailSession session, AppendCommand command)
    {
        await using var target = await session.Mailboxes.FindAsync(command.Mailbox);
        await using var messages = new ReceivedMessages(session, target, new AppendLimits(MaxMessages, MaxParts, MaxTotal * session.Options.MaxMessageBytes));
        if (await messages.ReceiveAsync(command.First) is { } refused) return refused;
        if (await target.Mail.AppendAsync(target.Name, messages.All, CancellationToken.None) is not { } appended) return CommandResult.TryCreate;
        return CommandResult.Ok("Append completed.", AppendUid(appended));
    }

    public static async ValueTask<CommandResult> ReplaceAsync(MailSession session, ReplaceCommand command)
    {
        await using var target = await session.Mailboxes.FindAsync(command.Mailbox);
        await using var messages = new ReceivedMessages(session, target, new AppendLimits(1, MaxParts, session.Options.MaxMessageBytes));
        CommandResult? early = null;
        uint uid = 0;
        if (session.Enabled.UidOnly && !command.ByUid) early = CommandResult.UidRequired;
        else if (session.Selected is not { } selected) early = CommandResult.NoMailboxSelected;
        else if (selected.ReadOnly) early = CommandResult.ReadOnly;
        else if (!selected.Allows(MailboxRights.DeleteMessages | MailboxRights.Expunge)) early = CommandResult.NoPermission;
        else if (selected.Resolve(command.Replaced, command.ByUid) is not [var (place, _)])
            early = command.ByUid ? CommandResult.No("NONEXISTENT", "There is no such message.") : CommandResult.InvalidMessageSet;
        else uid = selected.Uids[place];
        if (early is { } answer) return await messages.RefuseAsync(command.First.Announced, answer);

        if (await messages.ReceiveAsync(command.First) is { } refused) return refused;
        if (await ReplaceAsync(session.Selected!, uid, target, messages.All) is not { } replaced) return CommandResult.TryCreate;
        if (replaced.Messages.Count == 0) return CommandResult.No("EXPUNGEISSUED", "The message no longer exists.");
        // Before the EXPUNGE, so that the client knows what took its place (RFC 8508 section 3.3).
        session.Output.Status("*", ImapStatus.Ok, AppendUid(replaced), "Replaced.");
        return CommandResult.Ok("Replace completed.") with { TellsHighestModSeq = session.Enabled.QResync };
    }

    private static async ValueTask<(IReadOnlyList<MessageRecord> Messages, uint UidValidity)?> ReplaceAsync(SelectedMailbox selected, uint uid, MailboxAccess target,
        IReadOnlyList<NewMessage> messages)
    {
        if (target.Mail == selected.Mail) return await selected.Mail.ReplaceAsync(selected.Shared, uid, target.Name, messages[0]);
        // In two stores it cannot be one transaction: a crash between the two leaves both messages.
        if (selected.Shared.Find(uid) is null) return ([], 0);
        var added = await target.Mail.AppendAsync(target.Name, messages, CancellationToken.None);
        if (added is not null) await selected.Mail.RemoveAsync(selected.Shared, [uid]);
        return added;
    }

    private static string AppendUid((IReadOnlyList<MessageRecord> Messages, uint UidValidity) appended)
    {
        var text = new System.Buffers.ArrayBufferWriter<byte>();
        text.SequenceSet([.. appended.Messages.Select(static message => message.Uid)]);
        return string.Create(CultureInfo.InvariantCulture, $"APPENDUID {appended.UidValidity} {Encoding.ASCII.GetString(text.WrittenSpan)}");
    }
}
