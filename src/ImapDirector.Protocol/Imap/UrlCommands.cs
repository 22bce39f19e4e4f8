using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>GENURLAUTH (RFC 4467 section 7).</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Urls">The URLs without a token, each with the mechanism that is to make one, in capitals.</param>
public sealed record GenUrlAuthCommand(string Tag, ImmutableArray<KeyValuePair<string, string>> Urls) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "GENURLAUTH";
}

/// <summary>URLFETCH (RFC 4467 section 7).</summary>
public sealed record UrlFetchCommand(string Tag, ImmutableArray<string> Urls) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "URLFETCH";
}

/// <summary>RESETKEY (RFC 4467 section 7).</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Mailbox">Whose key is to be made anew; <c>null</c> for those of all mailboxes.</param>
/// <param name="Mechanisms">For which mechanisms, in capitals; none for all.</param>
public sealed record ResetKeyCommand(string Tag, MailboxName? Mailbox, ImmutableArray<string> Mechanisms) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "RESETKEY";
}
