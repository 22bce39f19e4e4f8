using System.Globalization;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Transfer;

/// <summary>What a store that another node has sent must be before anything else is asked of it. The other node may be in a stranger's hands, and a database can
/// bring more than rows: triggers and views that do something when it is read or written, pages that refer to themselves, and names of files that are no
/// contents.</summary>
internal static class ArrivedStore
{
    /// <summary>Looks at a user's directory.</summary>
    /// <exception cref="TransferException">It is not what a node makes.</exception>
    /// <exception cref="StoreException">It is no database, or is of a newer program.</exception>
    /// <exception cref="OperationCanceledException">The token fired, whatever SQLite was at.</exception>
    public static void Demand(string directory, CancellationToken cancellationToken)
    {
        using var snapshot = StoreSnapshot.Open(directory);
        if (snapshot.Version != StoreSchema.Steps.Length)
            throw Refused(string.Create(CultureInfo.InvariantCulture, $"its version is {snapshot.Version} and not {StoreSchema.Steps.Length}"));
        snapshot.Read(store =>
        {
            // In this order: a view in the place of a table makes any question endless, and so do pages that contain themselves.
            if (!DatabaseCheck.HasExactly(store, snapshot.Version)) throw Refused("its tables, indexes and triggers are not those that this program makes");
            if (!DatabaseCheck.IsWhole(store)) throw Refused("SQLite finds it broken");
            return ContentTable.NamesOnlyContents(store) ? true : throw Refused("it names a file that is no content");
        }, cancellationToken);
    }

    private static TransferException Refused(string why) => new(TransferFault.Damaged, $"what came is no store of a node: {why}");
}
