using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Exchange;

/// <summary>The file <c>subscriptions</c> beside the mailboxes: a folder's name a line, as Dovecot keeps it.</summary>
internal static class SubscriptionList
{
    private const string FileName = "subscriptions";

    public static void Write(string directory, StoreSnapshot snapshot) => ExportTarget.Write(Path.Combine(directory, FileName),
        string.Concat(snapshot.Mailboxes().Where(static mailbox => mailbox.IsSubscribed).Select(static mailbox => FolderName.Of(mailbox.Name, out _) + "\n")));

    /// <returns>Tells of a folder's name whether it is subscribed; where nobody wrote any down, all are.</returns>
    public static Func<string, bool> Read(string directory)
    {
        if (!File.Exists(Path.Combine(directory, FileName))) return static _ => true;
        // The newer of Dovecot's two ways begins with its version and has a tab between levels.
        var names = ImportSource.Lines(directory, FileName).Select(static line => line.Replace('\t', '.')).ToHashSet();
        return names.Contains;
    }
}
