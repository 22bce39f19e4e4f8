using System.Globalization;
using ImapDirector.Storage.Store.Maintenance;
using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store;

/// <summary>Whether a database file is a store of ours, and whole as far as a look at its beginning tells. What is not is refused before anything is
/// written: a new database in the place of a lost one would make its mail unreachable, and then be tidied up.</summary>
internal static class StoreIdentity
{
    // SQLite's own numbers.
    private const int Corrupt = 11, NotADatabase = 26;

    private const string Tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('counters', 'mailboxes', 'subscriptions', 'contents', 'summaries', 'messages')";
    private const int TablesOfAnyVersion = 6;

    public static bool IsDamage(SqliteException failed) => failed.SqliteErrorCode is Corrupt or NotADatabase;

    /// <summary>Looks for what a lost database leaves, before SQLite does: that removes the log of a database which is empty.</summary>
    /// <exception cref="StoreException">There is something.</exception>
    public static void DemandNothingLost(string file)
    {
        if (new FileInfo(file) is { Exists: true, Length: > 0 }) return;
        if (new FileInfo(file + "-wal") is { Exists: true, Length: > 0 }) throw Damaged(file, "it is gone, where its log is");
        DemandNoContents(file);
    }

    /// <summary>Looks at a database that is open and was not written yet.</summary>
    /// <exception cref="StoreException">It is not what a node makes.</exception>
    /// <exception cref="SqliteException">It is no database.</exception>
    public static void DemandOurs(StoreConnection store, string file)
    {
        var application = store.Scalar<long>("PRAGMA application_id");
        if (application is not (0 or StoreSchema.ApplicationId)) throw Damaged(file, "it is another program's database");
        if (store.Scalar<long>("PRAGMA user_version") != 0)
        {
            if (store.Scalar<long>(Tables) != TablesOfAnyVersion) throw Damaged(file, "tables are missing in it");
            return;
        }
        if (store.Scalar<long>("SELECT count(*) FROM sqlite_schema") != 0) throw Damaged(file, "it is another program's database");
        DemandNoContents(file);
    }

    public static StoreException Damaged(string file, string how, Exception? cause = null) =>
        new($"The store \"{file}\" is damaged ({how}): look at it with \"imapdirector store check\", and restore the user from a backup.", cause) { IsDamage = true };

    private static void DemandNoContents(string file)
    {
        var count = new ContentFiles(Path.Combine(Path.GetDirectoryName(file)!, StoreSnapshot.ContentsName)).List().Count;
        if (count > 0) throw Damaged(file, string.Create(CultureInfo.InvariantCulture, $"it is gone, where {count} content files are"));
    }
}
