using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>GETMETADATA and SETMETADATA (RFC 5464). What is /private of a mailbox is its owner's: others find none there and can keep none.</summary>
internal static class MetadataHandler
{
    public static async ValueTask<CommandResult> GetAsync(MailSession session, GetMetadataCommand command)
    {
        await using var access = await FindAsync(session, command.Mailbox);
        if (access.Refuses(MailboxRights.Read) is { } refused) return refused;
        if (!TryFind(access, command.Mailbox, out var id)) return CommandResult.NoSuchMailbox;
        var longest = await WriteAsync(session, access, command.Mailbox, id, command.Entries, command.Depth, command.MaxSize);
        return longest > command.MaxSize
            ? CommandResult.Ok("Getmetadata completed.", string.Create(CultureInfo.InvariantCulture, $"METADATA LONGENTRIES {longest}"))
            : CommandResult.Ok("Getmetadata completed.");
    }

    public static async ValueTask<CommandResult> SetAsync(MailSession session, SetMetadataCommand command)
    {
        await using var access = await FindAsync(session, command.Mailbox);
        if (access.Refuses(MailboxRights.Write) is { } refused) return refused;
        if (!access.IsOwn && command.Entries.Any(static entry => IsPrivate(entry.Key))) return CommandResult.NoPermission;
        if (!TryFind(access, command.Mailbox, out var id)) return CommandResult.NoSuchMailbox;
        if (command.Entries.Any(static entry => entry.Value?.Length > MetadataTable.MaxValueBytes))
            return CommandResult.No(string.Create(CultureInfo.InvariantCulture, $"METADATA MAXSIZE {MetadataTable.MaxValueBytes}"), "A value is too long.");
        try
        {
            session.Turns.Pause();
            await access.Mail.SetMetadataAsync(id, command.Entries);
            return CommandResult.Ok("Setmetadata completed.");
        }
        catch (TooManyEntriesException)
        {
            return CommandResult.No("METADATA TOOMANY", "There are too many entries.");
        }
    }

    /// <summary>Writes the entries of one mailbox, for LIST as well (RFC 9590).</summary>
    /// <returns>The length of the longest value; those longer than <paramref name="maxSize"/> are left out.</returns>
    public static async ValueTask<int> WriteAsync(MailSession session, MailboxAccess access, MailboxName? mailbox, long id, ImmutableArray<string> entries, int depth, uint? maxSize)
    {
        var output = session.Output;
        var longest = 0;
        // Each once, however often it is asked for: as itself, and as one below others.
        var found = new OrderedDictionary<string, byte[]?>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            await session.Turns.NextAsync();
            var values = access.IsOwn || !IsPrivate(entry) ? access.Mail.Store.FindMetadata(id, entry, depth) : [];
            foreach (var (name, value) in values)
            {
                longest = Math.Max(longest, value.Length);
                if (!(value.Length > maxSize)) found.TryAdd(name, value);
            }
            if (values.Count == 0 && depth == 0) found.TryAdd(entry, null);
        }
        if (found.Count == 0) return longest;
        output.Raw("* METADATA "u8);
        if (mailbox is { } named) output.Mailbox(named, session.Enabled.Utf8Names);
        else output.Raw("\"\""u8);
        output.Raw(" ("u8);
        var isFirst = true;
        foreach (var (name, content) in found)
        {
            if (!isFirst) output.Raw(" "u8);
            isFirst = false;
            output.AString(Encoding.ASCII.GetBytes(name));
            output.Raw(" "u8);
            if (content is { } value) output.String(value);
            else output.Raw("NIL"u8);
            await output.FlushIfLargeAsync();
        }
        output.Raw(")\r\n"u8);
        return longest;
    }

    private static bool IsPrivate(string entry) => entry == "/private" || entry.StartsWith("/private/", StringComparison.Ordinal);

    /// <summary>What is of the account is one's own.</summary>
    private static ValueTask<MailboxAccess> FindAsync(MailSession session, MailboxName? mailbox) =>
        mailbox is { } name ? session.Mailboxes.FindAsync(name) : ValueTask.FromResult(MailboxAccess.Own(session.Mail, default));

    private static bool TryFind(MailboxAccess access, MailboxName? mailbox, out long id)
    {
        id = MetadataTable.Account;
        if (mailbox is null) return true;
        if (access.Mail.Store.FindMailbox(access.Name) is not { } found) return false;
        id = found.Id;
        return true;
    }
}
