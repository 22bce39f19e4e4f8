using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Exchange;

/// <summary>How mailboxes are called as Maildir++ folders: <c>.A.B</c>, in modified UTF-7. A dot in a name would look like a level, so it is written
/// <c>\2e</c>, and a backslash <c>\5c</c>, as Dovecot's listescape does.</summary>
internal static class FolderName
{
    // Of the 255 bytes of a file's name some are left to what stands before and behind.
    private const int MaxBytes = 240;

    /// <summary>The name without the dot in front; it has nothing in it that means anything in a path.</summary>
    /// <param name="mailbox">A mailbox's name, of which a damaged store can have made anything.</param>
    /// <param name="isWhole">Whether the mailbox's name can be read out of it again; a very long name cannot be a file's.</param>
    public static string Of(MailboxName mailbox, out bool isWhole)
    {
        var escaped = new MailboxName(mailbox.Value.Replace("\\", "\\5c", StringComparison.Ordinal).Replace(".", "\\2e", StringComparison.Ordinal));
        var name = Encoding.ASCII.GetString(escaped.ToModifiedUtf7()).Replace(MailboxName.Delimiter, '.');
        isWhole = name.Length is > 0 and <= MaxBytes;
        return isWhole ? name : "long-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(mailbox.Value)).AsSpan(0, 16));
    }

    /// <summary>Reads a folder's name, without the dot in front.</summary>
    /// <returns><c>false</c> when it is none that a mailbox can have.</returns>
    public static bool TryRead(string folder, out MailboxName mailbox)
    {
        var wire = Encoding.UTF8.GetBytes(folder.Replace('.', MailboxName.Delimiter));
        // Some servers are told to keep names in UTF-8.
        return (MailboxName.TryDecode(wire, utf8: false, out mailbox) || MailboxName.TryDecode(wire, utf8: true, out mailbox))
            && MailboxName.TryCreate(mailbox.Value.Replace("\\2e", ".", StringComparison.OrdinalIgnoreCase).Replace("\\5c", "\\", StringComparison.OrdinalIgnoreCase), out mailbox);
    }
}
