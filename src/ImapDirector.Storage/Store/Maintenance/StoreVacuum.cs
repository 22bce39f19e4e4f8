using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Gives the room back that removed messages took: in the database, its log, and files that nothing refers to.</summary>
internal static class StoreVacuum
{
    /// <param name="directory">The user's directory; the caller has made sure that no node serves it.</param>
    /// <param name="progress">Hears of the number of contents read.</param>
    /// <param name="cancellationToken">Ends it before anything is changed.</param>
    /// <returns>The bytes that were freed, and what keeps it from its work: a damaged store is left as it is.</returns>
    public static (long FreedBytes, IReadOnlyList<StoreFinding> Findings) Run(string directory, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var condition = StoreCheck.Run(directory, isAlone: true, progress, cancellationToken);
        // What it is about to remove is no damage.
        condition.Findings.RemoveAll(static finding => finding.Kind == StoreFindingKind.File);
        if (condition.Findings.Count > 0) return (0, condition.Findings);
        var file = Path.Combine(directory, StoreSnapshot.DatabaseName);
        if (!File.Exists(file)) return (0, []);
        var before = Size(directory);
        StoreRepair.RemoveStrayFiles(directory, condition);
        try
        {
            using var store = new StoreConnection(file, readOnly: false);
            store.Execute("VACUUM");
            store.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException failed)
        {
            return (0, [new StoreFinding(StoreFindingKind.Database, StoreDatabase.Failure(file, failed).Message, "see that the disk has room for the database a second time")]);
        }
        return (before - Size(directory), []);
    }

    private static long Size(string directory) => new DirectoryInfo(directory).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.Length);
}
