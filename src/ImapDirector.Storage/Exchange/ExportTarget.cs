using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Exchange;

/// <summary>What both formats do alike: a directory for its owner only, the messages of a snapshot, and what is told of them.</summary>
internal sealed class ExportTarget(StoreSnapshot snapshot, string userDirectory, IProgress<int>? progress, CancellationToken cancellationToken)
{
    private readonly List<StoreFinding> _findings = [];
    private int _mailboxes;
    private int _messages;

    public ExchangeResult Result => new(_mailboxes, _messages, _findings);

    /// <summary>The mailboxes that can have messages, with how each is called in files.</summary>
    public IEnumerable<(SnapshotMailbox Mailbox, string Name)> Mailboxes()
    {
        foreach (var mailbox in snapshot.Mailboxes().Where(static mailbox => mailbox.IsSelectable))
        {
            var name = FolderName.Of(mailbox.Name, out var isWhole);
            if (!isWhole) Tell($"the mailbox {StoreCondition.Shown(mailbox.Name.Value)} has a name that is too long for a file", $"it is exported as {name}");
            _mailboxes++;
            yield return (mailbox, name);
        }
    }

    /// <summary>The messages of a mailbox; what a damaged database does not give is told.</summary>
    public List<MessageRecord> ListMessages(SnapshotMailbox mailbox)
    {
        var messages = snapshot.Messages(mailbox.Id, out var isWhole);
        if (!isWhole)
            Tell($"{StoreCondition.Shown(mailbox.Name.Value)} cannot be read whole", FormattableString.Invariant($"{messages.Count} messages can, the others are left out; run \"store check\""));
        return messages;
    }

    /// <summary>The messages of a mailbox with their bytes and how their lines end; one whose bytes are lost is told and left out.</summary>
    public IEnumerable<(MessageRecord Message, Stream Content, LineEnds Ends)> Messages(SnapshotMailbox mailbox, IReadOnlyList<MessageRecord> messages)
    {
        foreach (var message in messages)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var content = Open(message);
            if (content is null || Count(content) is not { } ends)
            {
                TellLost(mailbox, message);
                continue;
            }
            yield return (message, content, ends);
            _messages++;
            progress?.Report(_messages);
        }
    }

    public void Tell(string what, string mend) => _findings.Add(new StoreFinding(StoreFindingKind.Exchange, what, mend));

    public static FileStream Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 64 * 1024 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    public static void Write(string path, string text)
    {
        using var file = Create(path);
        file.Write(System.Text.Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Reads a content to its end before anything of it is written, so that no half message is.</summary>
    private static LineEnds? Count(Stream content)
    {
        try
        {
            var ends = LineEnds.Count(content);
            content.Position = 0;
            return ends;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private Stream? Open(MessageRecord message)
    {
        try
        {
            return snapshot.OpenContent(message.ContentId);
        }
        catch (StoreException)
        {
            return null;
        }
    }

    private void TellLost(SnapshotMailbox mailbox, MessageRecord message)
    {
        // Expunged since the snapshot is not lost.
        if (IsStillThere(message.ContentId))
            Tell(FormattableString.Invariant($"{StoreCondition.Shown(mailbox.Name.Value)} UID {message.Uid} has lost what it says"), "it is left out; run \"store check\"");
    }

    private bool IsStillThere(long contentId)
    {
        try
        {
            using var later = StoreSnapshot.Open(userDirectory);
            return later.Present([contentId]).Count > 0;
        }
        catch (StoreException)
        {
            return true;
        }
    }
}
