using System.Globalization;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Exchange;

/// <summary>Adds the mail of a Maildir++: the directory itself is INBOX, folders <c>.A.B</c> in it are other mailboxes.</summary>
/// <param name="directory">The Maildir.</param>
/// <param name="keepUids">Whether mailboxes that never had a message take over the UIDs of <c>dovecot-uidlist</c>.</param>
internal sealed class MaildirImport(string directory, bool keepUids)
{
    private static readonly string[] Parts = ["cur", "new"];

    /// <summary>Whether a directory is a Maildir.</summary>
    public static bool IsMaildir(string path) => Parts.Any(part => Directory.Exists(Path.Combine(path, part)));

    public async Task RunAsync(ImportTarget target, CancellationToken cancellationToken)
    {
        var isSubscribed = SubscriptionList.Read(directory);
        await AddMailboxAsync(MailboxName.Inbox, directory, subscribe: true, target, cancellationToken);
        foreach (var folder in ImportSource.Directories(directory))
        {
            if (Parts.Contains(folder.Name) || (!ImportSource.IsLink(folder) && !IsMaildir(folder.FullName))) continue;
            if (folder.Name[0] != '.') target.Tell($"the Maildir {StoreCondition.Shown(folder.Name)} is no folder of this one", "it is left out; put a dot in front of its name, or import it by itself");
            else if (ImportSource.IsLink(folder)) target.Tell($"the folder {StoreCondition.Shown(folder.Name)} is a link", "it is left out");
            else if (!FolderName.TryRead(folder.Name[1..], out var name)) target.Tell($"the folder {StoreCondition.Shown(folder.Name)} has a name that no mailbox can have", "it is left out; rename it");
            else await AddMailboxAsync(name, folder.FullName, isSubscribed(folder.Name[1..]), target, cancellationToken);
        }
    }

    private async Task AddMailboxAsync(MailboxName name, string folder, bool subscribe, ImportTarget target, CancellationToken cancellationToken)
    {
        var mailbox = await target.OpenMailboxAsync(name, subscribe, cancellationToken);
        var flags = MaildirFlags.Read(ImportSource.Lines(folder, MaildirFlags.KeywordsFile));
        var uids = keepUids ? await AdoptUidsAsync(mailbox, name, folder, target, cancellationToken) : null;
        foreach (var part in Parts)
            if (ImportSource.IsLink(new DirectoryInfo(Path.Combine(folder, part)))) target.Tell($"\"{part}\" of {StoreCondition.Shown(name.Value)} is a link", "its messages are left out");
        var files = Parts.SelectMany(part => ImportSource.Files(Path.Combine(folder, part))).Where(static file => file.Name[0] != '.')
            .Select(file => (File: file, Uid: uids?.Uids.GetValueOrDefault(UidList.BaseName(file.Name)) ?? 0, Time: TimeOf(file.Name))).ToList();
        // Those with a UID of their own first, in its order; the others get the next ones in the order they came.
        files.Sort(static (left, right) => (left.Uid == 0, left.Uid, left.Time, left.File.Name).CompareTo((right.Uid == 0, right.Uid, right.Time, right.File.Name)));
        var raised = false;
        foreach (var (file, uid, _) in files)
        {
            if (uid > 0) await target.RaiseUidNextAsync(mailbox, uid, cancellationToken);
            else if (!raised && uids is not null)
            {
                await target.RaiseUidNextAsync(mailbox, uids.UidNext, cancellationToken);
                raised = true;
            }
            await AddMessageAsync(mailbox, file, flags.Decode(file.Name), target, cancellationToken);
        }
        if (uids is not null) await target.RaiseUidNextAsync(mailbox, uids.UidNext, cancellationToken);
    }

    private static async Task<UidList?> AdoptUidsAsync(long mailbox, MailboxName name, string folder, ImportTarget target, CancellationToken cancellationToken)
    {
        var shown = StoreCondition.Shown(name.Value);
        if (UidList.Read(ImportSource.Lines(folder, UidList.FileName)) is not { } uids)
        {
            target.Tell($"{shown} has no {UidList.FileName} that can be read", "its messages get new UIDs");
            return null;
        }
        if (await target.TryAdoptAsync(mailbox, uids.UidValidity, cancellationToken)) return uids;
        target.Tell($"{shown} has, or had, messages here already", "those that come get new UIDs");
        return null;
    }

    private static async Task AddMessageAsync(long mailbox, FileInfo file, FlagList flags, ImportTarget target, CancellationToken cancellationToken)
    {
        var shown = StoreCondition.Shown(Path.Combine(file.Directory!.Parent!.Name, file.Directory.Name, file.Name));
        var (stream, why) = ImportSource.Open(file);
        if (stream is null)
        {
            target.Tell($"{shown} {why}", "it is left out");
            return;
        }
        await using (stream)
        await using (var spool = target.NewSpool())
        {
            try
            {
                await CopyAsync(stream, spool, cancellationToken);
            }
            catch (UnreadableSourceException broken)
            {
                target.Tell($"{shown} cannot be read ({broken.InnerException!.GetType().Name})", "it is left out");
                return;
            }
            await target.AppendAsync(mailbox, spool, flags, new DateTimeOffset(File.GetLastWriteTimeUtc(stream.SafeFileHandle), TimeSpan.Zero), shown, cancellationToken);
        }
    }

    /// <summary>Lines that end with LF get their CR; of a file whose first line ends with CRLF nothing is changed.</summary>
    private static async Task CopyAsync(FileStream file, MessageSpool spool, CancellationToken cancellationToken)
    {
        var lines = new LinePieces(file);
        var output = new BufferedSpool(spool);
        bool? addsReturns = null;
        while (lines.MoveNext() && output.Length <= ImportTarget.MaxMessageBytes)
        {
            await output.WriteAsync(lines.Text, cancellationToken);
            if (!lines.EndsLine) continue;
            addsReturns ??= !lines.EndsInCrLf;
            await output.WriteAsync(lines.EndsInCrLf || addsReturns.Value ? BufferedSpool.CrLf : BufferedSpool.Lf, cancellationToken);
        }
        await output.FlushAsync(cancellationToken);
    }

    private static long TimeOf(string name) =>
        name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && long.TryParse(name.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var time) ? time : long.MaxValue;
}
