namespace ImapDirector.Protocol.Imap;

/// <summary>SETACL (RFC 4314 section 3.1).</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Mailbox">The mailbox.</param>
/// <param name="Identifier">Whose rights, as the client wrote it; <c>-</c> in front for those that are taken away.</param>
/// <param name="Change">Whether the rights replace those there are (<c>null</c> in front), or are added to (<c>true</c>) or removed from (<c>false</c>) them.</param>
/// <param name="Rights">The rights.</param>
public sealed record SetAclCommand(string Tag, MailboxName Mailbox, string Identifier, bool? Change, MailboxRights Rights) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "SETACL";
}

/// <summary>DELETEACL (RFC 4314 section 3.2).</summary>
public sealed record DeleteAclCommand(string Tag, MailboxName Mailbox, string Identifier) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "DELETEACL";
}

/// <summary>GETACL (RFC 4314 section 3.3).</summary>
public sealed record GetAclCommand(string Tag, MailboxName Mailbox) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "GETACL";
}

/// <summary>LISTRIGHTS (RFC 4314 section 3.4).</summary>
public sealed record ListRightsCommand(string Tag, MailboxName Mailbox, string Identifier) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "LISTRIGHTS";
}

/// <summary>MYRIGHTS (RFC 4314 section 3.5).</summary>
public sealed record MyRightsCommand(string Tag, MailboxName Mailbox) : ImapCommand(Tag)
{ /// <inheritdoc />
    public override string Name => "MYRIGHTS";
}
