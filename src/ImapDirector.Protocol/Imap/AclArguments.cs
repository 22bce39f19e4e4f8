using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of the commands on rights (RFC 4314 section 4).</summary>
internal static class AclArguments
{
    /// <summary>The longest identifier, in bytes: a user name and the sign of a negative one.</summary>
    private const int MaxIdentifierBytes = UserName.MaxLength + 1;

    public static SetAclCommand? Set(ref ImapLexer lexer, string tag)
    {
        if (!MailboxArguments.Of(ref lexer, out var mailbox) || !Identifier(ref lexer, out var identifier) || !lexer.Space() || !lexer.AString(out var text)) return null;
        bool? change = text is [(byte)'+', ..] ? true : text is [(byte)'-', ..] ? false : null;
        if (RightsText.TryParse(change is null ? text : text[1..], out var rights)) return new SetAclCommand(tag, mailbox, identifier, change, rights);
        lexer.Fail("There is no such right");
        return null;
    }

    public static DeleteAclCommand? Delete(ref ImapLexer lexer, string tag) =>
        MailboxArguments.Of(ref lexer, out var mailbox) && Identifier(ref lexer, out var identifier) ? new DeleteAclCommand(tag, mailbox, identifier) : null;

    public static ListRightsCommand? ListRights(ref ImapLexer lexer, string tag) =>
        MailboxArguments.Of(ref lexer, out var mailbox) && Identifier(ref lexer, out var identifier) ? new ListRightsCommand(tag, mailbox, identifier) : null;

    private static bool Identifier(ref ImapLexer lexer, out string identifier)
    {
        identifier = "";
        if (!lexer.Space() || !lexer.AString(out var bytes)) return false;
        if (bytes.Length > MaxIdentifierBytes) return lexer.Fail("An identifier is too long", ParseErrorKind.Refused);
        foreach (var octet in bytes)
            if (!Grammar.IsPrintable(octet)) return lexer.Fail("An identifier has a character that is not allowed", ParseErrorKind.Refused);
        identifier = Encoding.ASCII.GetString(bytes);
        return identifier.Length > 0 || lexer.Fail("An identifier is empty");
    }
}
