using ImapDirector.Network;
using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Copies a user's store as it is at one moment, while a node may go on writing. The copy is a user's directory like the original.</summary>
internal static class StoreBackup
{
    /// <param name="source">The user's directory.</param>
    /// <param name="target">Where the copy is to be; there must be nothing yet. It appears there only when it is complete.</param>
    /// <param name="mayLink">Whether content files, which never change, may be the same files under a second name.</param>
    /// <param name="progress">Hears of the number of contents read in the copy.</param>
    /// <param name="cancellationToken">Ends it between two files.</param>
    /// <returns>What a check of the copy finds.</returns>
    /// <exception cref="IOException">The target cannot be written.</exception>
    public static IReadOnlyList<StoreFinding> Run(string source, string target, bool mayLink, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(source, StoreSnapshot.DatabaseName))) return StoreCheck.Run(source, isAlone: false, progress, cancellationToken).Findings;
        var parent = Path.GetDirectoryName(target)!;
        // No user's name begins with a dot.
        var partial = Path.Combine(parent, $".partial-{Guid.NewGuid():N}");
        UserStorePath.Make(partial);
        try
        {
            CopyDatabase(source, partial);
            CopyContents(source, partial, mayLink, cancellationToken);
            var findings = StoreCheck.Run(partial, isAlone: true, progress, cancellationToken).Findings;
            Directory.Move(partial, target);
            DirectorySync.Flush(parent);
            return findings;
        }
        catch (StoreException failed)
        {
            return [new StoreFinding(StoreFindingKind.Database, $"it cannot be backed up: {failed.Message}", "run \"store check\"")];
        }
        finally
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        }
    }

    /// <summary>The database first: what it knows has its file by then.</summary>
    internal static void CopyDatabase(string source, string target)
    {
        var (from, to) = (Path.Combine(source, StoreSnapshot.DatabaseName), Path.Combine(target, StoreSnapshot.DatabaseName));
        StoreDatabase.MakePrivateFile(to);
        try
        {
            using var store = new StoreConnection(from, readOnly: true);
            store.Run("VACUUM INTO ?1", to);
        }
        catch (SqliteException failed)
        {
            throw StoreDatabase.Failure(from, failed);
        }
        // SQLite leaves it to the caller to bring it to disk.
        Flush(to);
        DirectorySync.Flush(target);
    }

    /// <summary>Then its files, and what became of those that are gone by now.</summary>
    internal static void CopyContents(string source, string target, bool mayLink, CancellationToken cancellationToken)
    {
        var (from, to) = (Path.Combine(source, StoreSnapshot.ContentsName), Path.Combine(target, StoreSnapshot.ContentsName));
        List<(long Id, string File)> contents;
        using (var copy = StoreSnapshot.Open(target))
        {
            if (copy.Version == 0) return;
            contents = copy.Read(static store => store.All("SELECT id, file FROM contents WHERE file IS NOT NULL", static row => (row.GetInt64(0), row.GetString(1))));
        }
        if (contents.Count == 0) return;
        UserStorePath.Make(to);
        var missing = new List<long>();
        foreach (var (id, file) in contents)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!ContentFiles.IsName(file) || !TryCopy(Path.Combine(from, file), Path.Combine(to, file), mayLink)) missing.Add(id);
        }
        DirectorySync.Flush(to);
        if (missing.Count > 0) ForgetExpunged(source, target, missing);
    }

    private static bool TryCopy(string from, string to, bool mayLink)
    {
        if (mayLink && HardLink.TryCreate(from, to)) return true;
        try
        {
            File.Copy(from, to);
            Flush(to);
            return true;
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>A file can have gone since the database was copied, because its messages were expunged. Then they go from the copy too; what the source still
    /// has and cannot find stays, and the check of the copy tells it.</summary>
    private static void ForgetExpunged(string source, string target, List<long> missing)
    {
        HashSet<long> present;
        using (var later = StoreSnapshot.Open(source)) present = later.Present(missing);
        using var store = new StoreConnection(Path.Combine(target, StoreSnapshot.DatabaseName), readOnly: false);
        store.InTransaction(copy =>
        {
            var version = copy.Scalar<long>("PRAGMA user_version");
            if (version >= FlagChangeTable.SinceVersion)
                foreach (var mailbox in FlagChangeTable.Mailboxes(copy)) FlagChangeTable.Settle(copy, mailbox);
            foreach (var id in missing.Where(id => !present.Contains(id)))
            {
                copy.Run("DELETE FROM messages WHERE content_id = ?1", id);
                copy.Run("DELETE FROM summaries WHERE content_id = ?1", id);
                if (version >= HistoryCheck.SinceVersion)
                {
                    HistoryCheck.Forget(copy, id);
                    copy.Run("DELETE FROM content_references WHERE content_id = ?1", id);
                }
                copy.Run("DELETE FROM contents WHERE id = ?1", id);
            }
            // Older versions count by themselves.
            if (version >= FlagChangeTable.SinceVersion) MailboxRepair.MendCounters(copy);
            return true;
        });
    }

    private static void Flush(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Flush(flushToDisk: true);
    }
}
