using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>The flags that rights let somebody change (RFC 4314 section 4): <c>s</c> \Seen, <c>t</c> \Deleted, <c>w</c> all others.</summary>
internal readonly record struct PermittedFlags(MailboxRights Rights)
{
    private const MailboxRights Needed = MailboxRights.Seen | MailboxRights.DeleteMessages | MailboxRights.Write;

    /// <summary>Every flag.</summary>
    public static readonly PermittedFlags Every = new(Needed);

    public bool AreAll => (Rights & Needed) == Needed;

    public bool AreNone => (Rights & Needed) == MailboxRights.None;

    /// <summary>Whether keywords may be changed.</summary>
    public bool Keywords => (Rights & MailboxRights.Write) != 0;

    public SystemFlags System => ((Rights & MailboxRights.Seen) != 0 ? SystemFlags.Seen : SystemFlags.None)
        | ((Rights & MailboxRights.DeleteMessages) != 0 ? SystemFlags.Deleted : SystemFlags.None)
        | (Keywords ? SystemFlags.Answered | SystemFlags.Flagged | SystemFlags.Draft : SystemFlags.None);

    /// <summary>Those of the flags that may be changed.</summary>
    public FlagList Of(FlagList flags) => AreAll ? flags : new FlagList(flags.System & System, Keywords ? flags.Keywords : []);

    /// <summary>What the messages have once the permitted flags are replaced and the others kept, as groups that come to the same.</summary>
    public IEnumerable<(FlagList Flags, uint[] Uids)> Replace(IEnumerable<MessageRecord> messages, FlagList flags)
    {
        var (system, keywords) = (System, Keywords);
        return messages
            .GroupBy(message => (message.Flags & ~system, keywords ? "" : string.Join(' ', message.Keywords)))
            .Select(group => (new FlagList((flags.System & system) | group.Key.Item1, keywords ? flags.Keywords : group.First().Keywords),
                group.Select(static message => message.Uid).ToArray()));
    }
}
