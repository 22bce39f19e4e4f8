namespace ImapDirector.Protocol.Imap;

/// <summary>What somebody may do with a mailbox (RFC 4314 section 2.1).</summary>
[Flags]
public enum MailboxRights
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary><c>l</c>: to see that it is there.</summary>
    Lookup = 1,
    /// <summary><c>r</c>: to select it and read its messages.</summary>
    Read = 2,
    /// <summary><c>s</c>: to change \Seen.</summary>
    Seen = 4,
    /// <summary><c>w</c>: to change flags other than \Seen and \Deleted.</summary>
    Write = 8,
    /// <summary><c>i</c>: to add messages.</summary>
    Insert = 16,
    /// <summary><c>p</c>: to send mail to it; kept for mail servers that ask for it.</summary>
    Post = 32,
    /// <summary><c>k</c>: to make mailboxes below it.</summary>
    Create = 64,
    /// <summary><c>x</c>: to delete or rename it.</summary>
    DeleteMailbox = 128,
    /// <summary><c>t</c>: to change \Deleted.</summary>
    DeleteMessages = 256,
    /// <summary><c>e</c>: to expunge messages.</summary>
    Expunge = 512,
    /// <summary><c>a</c>: to read and change these rights.</summary>
    Administer = 1024,
    /// <summary>All of them.</summary>
    All = 2047,
}

/// <summary>How rights are spelled: a letter each (RFC 4314 section 2.1), and the obsolete <c>c</c> and <c>d</c> of RFC 2086 for several at once.</summary>
public static class RightsText
{
    /// <summary>The letters in the order of the bits of <see cref="MailboxRights"/>.</summary>
    public const string Letters = "lrswipkxtea";

    /// <summary>The obsolete <c>c</c> (RFC 4314 section 2.1.1): <c>x</c> belongs to it, as it does in Dovecot.</summary>
    private const MailboxRights ObsoleteCreate = MailboxRights.Create | MailboxRights.DeleteMailbox;

    /// <summary>The obsolete <c>d</c>.</summary>
    private const MailboxRights ObsoleteDelete = MailboxRights.DeleteMessages | MailboxRights.Expunge;

    /// <summary>Reads rights; a letter may stand there twice.</summary>
    /// <param name="text">The letters; none is no right.</param>
    /// <param name="rights">The rights.</param>
    /// <returns><c>false</c> when a letter names no right: it must not be passed over (RFC 4314 section 3.1).</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out MailboxRights rights)
    {
        rights = MailboxRights.None;
        foreach (var letter in text)
        {
            var bit = Letters.IndexOf((char)letter, StringComparison.Ordinal);
            if (bit >= 0) rights |= (MailboxRights)(1 << bit);
            else if (letter == 'c') rights |= ObsoleteCreate;
            else if (letter == 'd') rights |= ObsoleteDelete;
            else return false;
        }
        return true;
    }

    /// <summary>The letters of rights, without the obsolete ones.</summary>
    public static string Of(MailboxRights rights)
    {
        var letters = new char[Letters.Length];
        var count = 0;
        for (var bit = 0; bit < Letters.Length; bit++)
            if (((int)rights & (1 << bit)) != 0) letters[count++] = Letters[bit];
        return new string(letters, 0, count);
    }

    /// <summary>The letters of rights as clients are told them: with <c>c</c> and <c>d</c> where a part of what they stand for is there (RFC 4314 section 2.1.1).</summary>
    public static string ForClients(MailboxRights rights) =>
        Of(rights) + ((rights & ObsoleteCreate) != 0 ? "c" : "") + ((rights & ObsoleteDelete) != 0 ? "d" : "");
}
