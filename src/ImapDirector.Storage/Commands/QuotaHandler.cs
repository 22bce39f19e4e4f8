using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>GETQUOTA and GETQUOTAROOT (RFC 9208): one root for all of a user's mailboxes, where the node has limits.</summary>
internal static class QuotaHandler
{
    private const string Root = "User quota";

    // STORAGE is counted in units of 1024 bytes.
    private const int StorageUnit = 1024;

    public static ValueTask<CommandResult> GetAsync(MailSession session, GetQuotaCommand command)
    {
        if (command.Root != Root || !session.Mail.Store.Quota.IsSet)
            return ValueTask.FromResult(CommandResult.No("NONEXISTENT", "There is no such quota root."));
        Write(session);
        return ValueTask.FromResult(CommandResult.Ok("Getquota completed."));
    }

    public static ValueTask<CommandResult> GetRootAsync(MailSession session, GetQuotaRootCommand command)
    {
        if (session.Mail.Store.FindMailbox(command.Mailbox) is null) return ValueTask.FromResult(CommandResult.NoSuchMailbox);
        var output = session.Output;
        output.Raw("* QUOTAROOT "u8);
        output.Mailbox(command.Mailbox, session.Enabled.Utf8Names);
        if (session.Mail.Store.Quota.IsSet) output.Raw(" \"User quota\""u8);
        output.EndLine();
        if (session.Mail.Store.Quota.IsSet) Write(session);
        return ValueTask.FromResult(CommandResult.Ok("Getquotaroot completed."));
    }

    private static void Write(MailSession session)
    {
        var (limits, usage, output) = (session.Mail.Store.Quota, session.Mail.Store.Usage(), session.Output);
        output.Raw("* QUOTA \"User quota\" ("u8);
        if (limits.Bytes > 0) Resource(output, "STORAGE "u8, (usage.Bytes + StorageUnit - 1) / StorageUnit, limits.Bytes / StorageUnit);
        if (limits is { Bytes: > 0, Messages: > 0 }) output.Raw(" "u8);
        if (limits.Messages > 0) Resource(output, "MESSAGE "u8, usage.Messages, limits.Messages);
        output.Raw(")\r\n"u8);
    }

    private static void Resource(ResponseStream output, ReadOnlySpan<byte> name, long used, long limit)
    {
        output.Raw(name);
        output.Number((ulong)used);
        output.Raw(" "u8);
        output.Number((ulong)limit);
    }
}
