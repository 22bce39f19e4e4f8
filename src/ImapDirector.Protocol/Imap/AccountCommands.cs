using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>GETQUOTA (RFC 9208 section 4.1.2).</summary>
public sealed record GetQuotaCommand(string Tag, string Root) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "GETQUOTA";
}

/// <summary>GETQUOTAROOT (RFC 9208 section 4.1.3).</summary>
public sealed record GetQuotaRootCommand(string Tag, MailboxName Mailbox) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "GETQUOTAROOT";
}

/// <summary>GETMETADATA (RFC 5464 section 4.2).</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Mailbox">The mailbox, <c>null</c> for the account as a whole.</param>
/// <param name="Entries">The entries' names, in lower case.</param>
/// <param name="Depth">How many levels below them are asked for as well; <c>int.MaxValue</c> for all.</param>
/// <param name="MaxSize">The longest value wanted, in bytes, or <c>null</c>.</param>
public sealed record GetMetadataCommand(string Tag, MailboxName? Mailbox, ImmutableArray<string> Entries, int Depth, uint? MaxSize) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "GETMETADATA";
}

/// <summary>SETMETADATA (RFC 5464 section 4.3).</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Mailbox">The mailbox, <c>null</c> for the account as a whole.</param>
/// <param name="Entries">Names in lower case and new values; <c>null</c> removes an entry.</param>
public sealed record SetMetadataCommand(string Tag, MailboxName? Mailbox, ImmutableArray<KeyValuePair<string, byte[]?>> Entries) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "SETMETADATA";
}

/// <summary>COMPRESS DEFLATE (RFC 4978).</summary>
public sealed record CompressCommand(string Tag, string Mechanism) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "COMPRESS";
}
