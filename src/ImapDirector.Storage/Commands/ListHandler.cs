using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>LIST, with its extensions (RFC 5258, RFC 5819, RFC 6154), and LSUB.</summary>
internal static class ListHandler
{
    private static readonly CommandResult PatternTooCostly = CommandResult.No("LIMIT", "The pattern is too costly.");

    public static async ValueTask<CommandResult> ListAsync(MailSession session, ListCommand command)
    {
        var output = session.Output;
        if (!command.Extended && command.Patterns is [""])
        {
            // Asks for the delimiter and the root of the reference (RFC 3501 section 6.3.8); all names here have the same empty root.
            output.Raw("* LIST (\\Noselect) \"/\" \"\"\r\n"u8);
            return CommandResult.Ok("List completed.");
        }
        var patterns = command.Patterns.Where(static pattern => pattern.Length > 0).Select(pattern => new ListPattern(command.Reference + pattern)).ToArray();
        var tree = await ReadAsync(session, patterns);
        var bySubscription = (command.Select & ListSelect.Subscribed) != 0;
        var bySpecialUse = (command.Select & ListSelect.SpecialUse) != 0;
        var recursive = (command.Select & ListSelect.RecursiveMatch) != 0;

        bool IsSelected(ListEntry entry) =>
            (bySubscription ? entry.Subscribed : entry.Mailbox is not null || tree.IsLevel(entry)) && (!bySpecialUse || entry.Mailbox?.SpecialUse is not null);

        var parents = recursive ? tree.ParentsOf(IsSelected) : [];
        foreach (var entry in tree.Entries)
        {
            var selected = IsSelected(entry);
            var childInfo = parents.Contains(entry.Name);
            if (!selected && !childInfo) continue;
            await session.Turns.NextAsync();
            switch (MatchesAny(patterns, entry.Name))
            {
                case null: return PatternTooCostly;
                case false: continue;
            }
            WriteEntry(session, entry, command.Extended, tree.HasChildren(entry.Name), bySubscription || (command.Return & ListReturn.Subscribed) != 0);
            if (childInfo) WriteChildInfo(output, bySubscription, bySpecialUse);
            output.EndLine();
            if (entry.Mailbox is { } listed) await WriteReturnsAsync(session, command, listed, selected, entry.Rights);
            await output.FlushIfLargeAsync();
        }
        return CommandResult.Ok("List completed.");
    }

    /// <summary>Writes what goes with a mailbox, as far as the user may know it.</summary>
    private static async ValueTask WriteReturnsAsync(MailSession session, ListCommand command, MailboxRecord listed, bool selected, MailboxRights rights)
    {
        if ((command.Return & ListReturn.MyRights) != 0) AclHandler.WriteMyRights(session, listed.Name, rights);
        if ((command.Return & (ListReturn.Status | ListReturn.Metadata)) == 0 || (rights & MailboxRights.Read) == 0) return;
        await using var access = await session.Mailboxes.FindAsync(listed.Name);
        if (access.Refuses(MailboxRights.Read) is not null) return;
        if ((command.Return & ListReturn.Status) != 0 && selected && access.Mail.FindStatus(access.Name) is { } status)
            StatusHandler.Write(session, listed.Name, access, status, command.StatusItems);
        if ((command.Return & ListReturn.Metadata) != 0)
            await MetadataHandler.WriteAsync(session, access, listed.Name, listed.Id, command.MetadataEntries, depth: 0, maxSize: null);
    }

    /// <summary>The user's own mailboxes, and those of others where a pattern may fit them.</summary>
    private static async ValueTask<MailboxTree> ReadAsync(MailSession session, ListPattern[] patterns)
    {
        var (mailboxes, namespaces) = (session.Mailboxes, session.Mailboxes.Namespaces);
        var own = session.Mail.Store.ListMailboxes().Where(mailbox => namespaces.Find(mailbox.Name, mailboxes.User).Owner == mailboxes.User);
        var subscriptions = session.Mail.Store.ListSubscriptions();
        var shared = new List<(MailboxRecord, MailboxRights)>();
        if (Array.Exists(patterns, static pattern => pattern.MayFitUnder(MailNamespaces.Others) || pattern.MayFitUnder(MailNamespaces.Shared)))
        {
            var known = subscriptions.Select(name => namespaces.Find(name, mailboxes.User).Owner).OfType<UserName>();
            await mailboxes.ReadSharedAsync(prefix => Array.Exists(patterns, pattern => pattern.MayFitUnder(prefix)), known, (prefix, visible) =>
            {
                // What its owner uses it for is not what others use it for.
                foreach (var (mailbox, rights) in visible) shared.Add((mailbox with { Name = new MailboxName(prefix + mailbox.Name.Value), SpecialUse = null }, rights));
            });
        }
        return new MailboxTree([.. own], subscriptions, shared);
    }

    public static async ValueTask<CommandResult> LsubAsync(MailSession session, LsubCommand command)
    {
        var output = session.Output;
        var tree = new MailboxTree(session.Mail.Store.ListMailboxes(), session.Mail.Store.ListSubscriptions(), shared: []);
        ListPattern[] pattern = [new ListPattern(command.Reference + command.Pattern)];
        // "%" is answered with the parents of subscribed names as well, marked \Noselect (RFC 3501 section 6.3.9).
        var parents = command.Pattern.Contains('%', StringComparison.Ordinal) ? tree.ParentsOf(static entry => entry.Subscribed) : [];
        foreach (var entry in tree.Entries)
        {
            if (!entry.Subscribed && !parents.Contains(entry.Name)) continue;
            await session.Turns.NextAsync();
            switch (MatchesAny(pattern, entry.Name))
            {
                case null: return PatternTooCostly;
                case false: continue;
            }
            output.Raw("* LSUB ("u8);
            if (!entry.Subscribed || entry.Mailbox is { Selectable: false }) output.Raw("\\Noselect"u8);
            output.Raw(") \"/\" "u8);
            output.Mailbox(new MailboxName(entry.Name), session.Enabled.Utf8Names);
            output.EndLine();
            await output.FlushIfLargeAsync();
        }
        return CommandResult.Ok("Lsub completed.");
    }

    private static bool? MatchesAny(ListPattern[] patterns, string name)
    {
        foreach (var pattern in patterns)
            if (pattern.Matches(name) is not false and var matches) return matches;
        return patterns.Sum(static pattern => pattern.Steps) > ListPattern.MaxStepsOfAll ? null : false;
    }

    private static void WriteEntry(MailSession session, ListEntry entry, bool extended, bool hasChildren, bool withSubscribed)
    {
        var output = session.Output;
        output.Raw("* LIST ("u8);
        // \NonExistent implies \Noselect (RFC 5258 section 3), which clients that do not know of it have to be told instead.
        if (entry.Mailbox is null) output.Raw(extended ? "\\NonExistent "u8 : "\\Noselect "u8);
        else if (!entry.Mailbox.Selectable) output.Raw("\\Noselect "u8);
        output.Raw(hasChildren ? "\\HasChildren"u8 : "\\HasNoChildren"u8);
        if (withSubscribed && entry.Subscribed) output.Raw(" \\Subscribed"u8);
        if (entry.Mailbox?.SpecialUse is { } use)
        {
            output.Raw(" "u8);
            output.Raw(Encoding.ASCII.GetBytes(use));
        }
        output.Raw(") \"/\" "u8);
        output.Mailbox(new MailboxName(entry.Name), session.Enabled.Utf8Names);
    }

    private static void WriteChildInfo(ResponseStream output, bool bySubscription, bool bySpecialUse)
    {
        output.Raw(" (\"CHILDINFO\" ("u8);
        if (bySubscription) output.Raw("\"SUBSCRIBED\""u8);
        if (bySubscription && bySpecialUse) output.Raw(" "u8);
        if (bySpecialUse) output.Raw("\"SPECIAL-USE\""u8);
        output.Raw("))"u8);
    }
}
