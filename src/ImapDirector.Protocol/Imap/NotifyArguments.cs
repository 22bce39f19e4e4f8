using System.Collections.Immutable;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of NOTIFY (RFC 5465 section 8).</summary>
internal static class NotifyArguments
{
    private const int MaxGroups = 16;

    private static readonly (string Name, NotifyEvents Event)[] Events =
    [
        ("MESSAGENEW", NotifyEvents.MessageNew),
        ("MESSAGEEXPUNGE", NotifyEvents.MessageExpunge),
        ("FLAGCHANGE", NotifyEvents.FlagChange),
        ("MAILBOXNAME", NotifyEvents.MailboxName),
        ("SUBSCRIPTIONCHANGE", NotifyEvents.SubscriptionChange),
        ("MAILBOXMETADATACHANGE", NotifyEvents.MailboxMetadataChange),
        ("SERVERMETADATACHANGE", NotifyEvents.ServerMetadataChange),
    ];

    public static NotifyCommand? Notify(ref ImapLexer lexer, string tag)
    {
        if (!lexer.Space()) return null;
        if (lexer.TryWord("NONE"u8)) return new NotifyCommand(tag, WithStatus: false, []);
        if (!lexer.TryWord("SET"u8))
        {
            lexer.Fail("NOTIFY takes SET or NONE");
            return null;
        }
        var withStatus = lexer.TryWord(" STATUS"u8);
        var groups = ImmutableArray.CreateBuilder<NotifyGroup>();
        do
        {
            if (!lexer.Space() || !Group(ref lexer, out var group) || !IsAllowed(ref lexer, group, groups)) return null;
            groups.Add(group);
        }
        while (lexer.Peek == ' ');
        return new NotifyCommand(tag, withStatus, groups.DrainToImmutable());
    }

    private static bool Group(ref ImapLexer lexer, out NotifyGroup group)
    {
        group = null!;
        if (!lexer.Open() || !MailboxFilterArguments.Read(ref lexer, mayBeDelayed: true, out var filter) || !lexer.Space()) return false;
        var events = NotifyEvents.None;
        ImmutableArray<FetchItem> items = [];
        if (!lexer.TryWord("NONE"u8))
        {
            if (!lexer.Open()) return false;
            do
            {
                if (events != NotifyEvents.None && !lexer.Space()) return false;
                if (!Event(ref lexer, out var one)) return false;
                events |= one;
                if (one == NotifyEvents.MessageNew && lexer.TryLetters(" ("u8) && !FetchArguments.ListBehindParenthesis(ref lexer, out items)) return false;
            }
            while (lexer.Peek == ' ');
            if (!lexer.Close()) return false;
        }
        group = new NotifyGroup(filter, events, items);
        return lexer.Close();
    }

    private static bool Event(ref ImapLexer lexer, out NotifyEvents read)
    {
        read = NotifyEvents.Unknown;
        var word = lexer.Word();
        if (word.IsEmpty) return lexer.Fail("An event is missing");
        foreach (var (name, known) in Events)
            if (Ascii.EqualsIgnoreCase(word, name)) read = known;
        return true;
    }

    /// <summary>What section 5 of RFC 5465 wants of a group, and of it beside the others.</summary>
    private static bool IsAllowed(ref ImapLexer lexer, NotifyGroup group, ImmutableArray<NotifyGroup>.Builder others)
    {
        if (others.Count == MaxGroups) return lexer.Fail("Too many groups of mailboxes");
        const NotifyEvents pair = NotifyEvents.MessageNew | NotifyEvents.MessageExpunge;
        var messages = group.Events & NotifyEvents.Messages;
        if (messages != NotifyEvents.None && (messages & pair) != pair) return lexer.Fail("MessageNew and MessageExpunge belong together, and FlagChange to them");
        if (!IsSelected(group))
            return group.NewItems.IsEmpty || lexer.Fail("Items are told of the selected mailbox alone");
        if ((group.Events & ~(NotifyEvents.Messages | NotifyEvents.Unknown)) != NotifyEvents.None) return lexer.Fail("The selected mailbox has events of messages alone");
        foreach (var other in others)
            if (IsSelected(other)) return lexer.Fail("The selected mailbox is named twice");
        return true;
    }

    private static bool IsSelected(NotifyGroup group) => group.Filter.Kind is MailboxFilterKind.Selected or MailboxFilterKind.SelectedDelayed;
}
