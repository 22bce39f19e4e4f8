using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Mends what a check finds. What can be read is never removed: a content or a message that has lost its place becomes a message of the mailbox
/// <see cref="Recovered"/>.</summary>
/// <remarks>Everything is one transaction: it is done, or nothing is.</remarks>
internal static class StoreRepair
{
    public const string Recovered = "Recovered";

    /// <param name="directory">The user's directory; the caller has made sure that no node serves it.</param>
    /// <param name="removeLost">Whether messages go of which the content is lost.</param>
    /// <param name="progress">Hears of the number of contents read, twice: it looks at what it made, too.</param>
    /// <param name="cancellationToken">Ends it before anything is changed.</param>
    /// <returns>What was found, and whether it is mended.</returns>
    public static async Task<IReadOnlyList<StoreFinding>> RunAsync(string directory, bool removeLost, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var found = StoreCheck.Run(directory, isAlone: true, progress, cancellationToken);
        if (found.Findings.Count == 0) return [];
        var condition = found;
        if (!condition.IsDatabaseSound)
        {
            if (!TryReindex(Path.Combine(directory, StoreSnapshot.DatabaseName))) return found.Findings;
            condition = StoreCheck.Run(directory, isAlone: true, progress, cancellationToken);
            if (!condition.IsDatabaseSound) return found.Findings;
        }
        try
        {
            await MendAsync(directory, condition, removeLost, cancellationToken);
        }
        catch (StoreException failed)
        {
            return [.. found.Findings, new StoreFinding(StoreFindingKind.Database, failed.Message, StoreCondition.Restore)];
        }
        var left = StoreCheck.Run(directory, isAlone: true, progress, cancellationToken).Findings;
        var before = found.Findings.Union(condition.Findings).ToList();
        return [.. before.Select(finding => finding with { IsMended = !left.Contains(finding) }), .. left.Except(before)];
    }

    /// <summary>Gives all mailboxes a new UIDVALIDITY.</summary>
    /// <exception cref="StoreException">The store cannot be read or written.</exception>
    public static async Task RenewUidValidityAsync(string directory, CancellationToken cancellationToken)
    {
        var file = Path.Combine(directory, StoreSnapshot.DatabaseName);
        if (!File.Exists(file)) return;
        await using var database = StoreDatabase.Open(file, MailboxTable.AddFirst);
        await database.WriteAsync(static store =>
        {
            MailboxRepair.RenewUidValidity(store);
            return true;
        }, cancellationToken);
    }

    /// <summary>Removes the files that nothing refers to, unless messages have lost theirs: then these may be what they lost.</summary>
    public static int RemoveStrayFiles(string directory, StoreCondition condition)
    {
        if (condition.Lost.Count > 0 || condition.LostMessages.Count > 0) return 0;
        var files = new ContentFiles(Path.Combine(directory, StoreSnapshot.ContentsName));
        foreach (var name in condition.StrayFiles) files.DeleteListed(name);
        return condition.StrayFiles.Count;
    }

    private static async Task MendAsync(string directory, StoreCondition condition, bool removeLost, CancellationToken cancellationToken)
    {
        await using (var database = StoreDatabase.Open(Path.Combine(directory, StoreSnapshot.DatabaseName), MailboxTable.AddFirst))
        {
            await database.WriteAsync(store =>
            {
                MendSchema(store);
                foreach (var mailbox in FlagChangeTable.Mailboxes(store)) FlagChangeTable.Settle(store, mailbox);
                MailboxRepair.MendMailboxes(store, condition);
                MessageRepair.MendValues(store, condition);
                MailboxRepair.MendCounters(store);
                MessageRepair.BringBack(store, condition);
                // Only with right numbers of references can it be told what is referred to by nothing.
                MessageRepair.MendReferences(store);
                if (removeLost) MessageRepair.RemoveLost(store, condition);
                MessageRepair.MendSummaries(store, new ContentFiles(Path.Combine(directory, StoreSnapshot.ContentsName)), condition);
                HistoryCheck.Mend(store, condition);
                MailboxRepair.MendCounters(store);
                return true;
            }, cancellationToken);
        }
        RemoveStrayFiles(directory, condition);
    }

    private static void MendSchema(StoreConnection store)
    {
        foreach (var (type, name, sql) in DatabaseCheck.Missing(store, StoreSchema.Steps.Length))
        {
            store.Execute($"DROP {type} IF EXISTS \"{name}\"");
            store.Execute(sql);
        }
    }

    /// <summary>An index is made of the rows, so it can be made again.</summary>
    private static bool TryReindex(string file)
    {
        if (!File.Exists(file)) return false;
        try
        {
            using var store = new StoreConnection(file, readOnly: false);
            // One of a newer program is not ours to touch, whatever is wrong with it.
            if (store.Scalar<long>("PRAGMA user_version") is var version && (version < 1 || version > StoreSchema.Steps.Length) || DatabaseCheck.Damages(store).Count == 0) return false;
            store.Execute("REINDEX");
            return DatabaseCheck.Damages(store).Count == 0;
        }
        catch (SqliteException)
        {
            return false;
        }
    }
}
