using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>GETMETADATA and SETMETADATA (RFC 5464). All mailboxes are the user's own: /private and /shared differ in name alone.</summary>
internal static class MetadataHandler
{
    public static async ValueTask<CommandResult> GetAsync(MailSession session, GetMetadataCommand command)
    {
        if (!TryFind(session, command.Mailbox, out var id)) return CommandResult.NoSuchMailbox;
        var longest = await WriteAsync(session, command.Mailbox, id, command.Entries, command.Depth, command.MaxSize);
        return longest > command.MaxSize
            ? CommandResult.Ok("Getmetadata completed.", string.Create(CultureInfo.InvariantCulture, $"METADATA LONGENTRIES {longest}"))
            : CommandResult.Ok("Getmetadata completed.");
    }

    public static async ValueTask<CommandResult> SetAsync(MailSession session, SetMetadataCommand command)
    {
        if (!TryFind(session, command.Mailbox, out var id)) return CommandResult.NoSuchMailbox;
        if (command.Entries.Any(static entry => entry.Value?.Length > MetadataTable.MaxValueBytes))
            return CommandResult.No(string.Create(CultureInfo.InvariantCulture, $"METADATA MAXSIZE {MetadataTable.MaxValueBytes}"), "A value is too long.");
        try
        {
            await session.Mail.SetMetadataAsync(id, command.Entries, CancellationToken.None);
            return CommandResult.Ok("Setmetadata completed.");
        }
        catch (TooManyEntriesException)
        {
            return CommandResult.No("METADATA TOOMANY", "There are too many entries.");
        }
    }

    /// <summary>Writes the entries of one mailbox, for LIST as well (RFC 9590).</summary>
    /// <returns>The length of the longest value; those longer than <paramref name="maxSize"/> are left out.</returns>
    public static async ValueTask<int> WriteAsync(MailSession session, MailboxName? mailbox, long id, ImmutableArray<string> entries, int depth, uint? maxSize)
    {
        var output = session.Output;
        var longest = 0;
        var found = new List<(string Name, byte[]? Value)>();
        foreach (var entry in entries)
        {
            var values = session.Mail.Store.FindMetadata(id, entry, depth);
            foreach (var (name, value) in values)
            {
                longest = Math.Max(longest, value.Length);
                if (!(value.Length > maxSize)) found.Add((name, value));
            }
            if (values.Count == 0 && depth == 0) found.Add((entry, null));
        }
        if (found.Count == 0) return longest;
        output.Raw("* METADATA "u8);
        if (mailbox is { } named) output.Mailbox(named, session.Enabled.Utf8Names);
        else output.Raw("\"\""u8);
        output.Raw(" ("u8);
        for (var i = 0; i < found.Count; i++)
        {
            if (i > 0) output.Raw(" "u8);
            output.AString(Encoding.ASCII.GetBytes(found[i].Name));
            output.Raw(" "u8);
            if (found[i].Value is { } value) output.String(value);
            else output.Raw("NIL"u8);
            await output.FlushIfLargeAsync();
        }
        output.Raw(")\r\n"u8);
        return longest;
    }

    private static bool TryFind(MailSession session, MailboxName? mailbox, out long id)
    {
        id = MetadataTable.Account;
        if (mailbox is not { } name) return true;
        if (session.Mail.Store.FindMailbox(name) is not { } found) return false;
        id = found.Id;
        return true;
    }
}
