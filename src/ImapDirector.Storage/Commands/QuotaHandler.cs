using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>GETQUOTA and GETQUOTAROOT (RFC 9208): one root for all mailboxes of an owner, where the node has limits. That of others is told to whoever may read
/// one of their mailboxes, since it is what may refuse a copy there.</summary>
internal static class QuotaHandler
{
    private const string Own = "User quota";

    /// <summary>In front of the owner's name.</summary>
    private const string Others = "User quota/";

    // STORAGE is counted in units of 1024 bytes.
    private const int StorageUnit = 1024;

    public static async ValueTask<CommandResult> GetAsync(MailSession session, GetQuotaCommand command)
    {
        if (session.Mail.Store.Quota.IsSet)
        {
            if (command.Root == Own)
            {
                Write(session.Output, Own, session.Mail.Store);
                return CommandResult.Ok("Getquota completed.");
            }
            if (command.Root.StartsWith(Others, StringComparison.Ordinal) && UserName.TryCreate(command.Root.AsSpan(Others.Length), null, out var owner)
                && command.Root.EndsWith(owner.Value, StringComparison.Ordinal) && owner != session.Mail.Store.User)
            {
                await using var lease = await session.Mailboxes.OpenReadableAsync(owner);
                if (lease is not null)
                {
                    Write(session.Output, command.Root, lease.Mail.Store);
                    return CommandResult.Ok("Getquota completed.");
                }
            }
        }
        return CommandResult.No("NONEXISTENT", "There is no such quota root.");
    }

    public static async ValueTask<CommandResult> GetRootAsync(MailSession session, GetQuotaRootCommand command)
    {
        await using var access = await session.Mailboxes.FindAsync(command.Mailbox);
        if (access.Refuses(MailboxRights.Read) is { } refused) return refused;
        var store = access.Mail.Store;
        if (store.FindMailbox(access.Name) is null) return CommandResult.NoSuchMailbox;
        var output = session.Output;
        output.Raw("* QUOTAROOT "u8);
        output.Mailbox(command.Mailbox, session.Enabled.Utf8Names);
        var root = access.IsOwn ? Own : Others + store.User.Value;
        if (store.Quota.IsSet)
        {
            output.Raw(" "u8);
            output.String(Encoding.ASCII.GetBytes(root));
        }
        output.EndLine();
        if (store.Quota.IsSet) Write(output, root, store);
        return CommandResult.Ok("Getquotaroot completed.");
    }

    private static void Write(ResponseStream output, string root, UserStore store)
    {
        var (limits, usage) = (store.Quota, store.Usage());
        output.Raw("* QUOTA "u8);
        output.String(Encoding.ASCII.GetBytes(root));
        output.Raw(" ("u8);
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
