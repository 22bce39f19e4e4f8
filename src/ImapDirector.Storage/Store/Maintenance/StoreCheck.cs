using System.Globalization;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Looks at everything in a user's store and changes nothing. A node may serve the user meanwhile.</summary>
internal static class StoreCheck
{
    /// <param name="directory">The user's directory.</param>
    /// <param name="isAlone">Whether no node can be at work in it, so that a file nobody refers to cannot be one that is just being written.</param>
    /// <param name="progress">Hears of the number of contents read.</param>
    /// <param name="cancellationToken">Ends it between two messages.</param>
    public static StoreCondition Run(string directory, bool isAlone, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var condition = new StoreCondition();
        try
        {
            Run(directory, isAlone, condition, progress, cancellationToken);
        }
        catch (StoreException failed)
        {
            condition.IsDatabaseSound = false;
            condition.Add(failed);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            condition.IsDatabaseSound = false;
            condition.Add(StoreFindingKind.File, $"the directory cannot be read ({refused.GetType().Name})", "run this as the user who runs the node; else look at the disk");
        }
        return condition;
    }

    private static void Run(string directory, bool isAlone, StoreCondition condition, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        // Listed before the snapshot: a file is there before the database knows it, so the rest of the order makes no file look stray that is not.
        var files = new ContentFiles(Path.Combine(directory, StoreSnapshot.ContentsName)).List();
        var database = new FileInfo(Path.Combine(directory, StoreSnapshot.DatabaseName));
        if (!database.Exists)
        {
            if (files.Count > 0) LoseDatabase(condition, string.Create(CultureInfo.InvariantCulture, $"{StoreSnapshot.DatabaseName} is missing, where {files.Count} content files are"));
            return;
        }
        using var snapshot = StoreSnapshot.Open(directory);
        if (snapshot.Version == 0)
        {
            if (files.Count > 0) LoseDatabase(condition, string.Create(CultureInfo.InvariantCulture, $"{StoreSnapshot.DatabaseName} is empty, where {files.Count} content files are"));
            // Else it was made and not yet written, as a crash can leave it: the next login begins it.
            return;
        }
        condition.IsDatabaseSound = snapshot.Read(store => DatabaseCheck.Run(store, snapshot.Version, condition));
        if (!condition.IsDatabaseSound) return;
        snapshot.Read(store =>
        {
            if (snapshot.Version >= FlagChangeTable.SinceVersion) FlagChangeTable.Shadow(store);
            var names = MailboxCheck.Run(store, condition);
            var references = ContentCheck.Read(store, snapshot.Files, condition, progress, cancellationToken);
            MessageCheck.Run(store, names, references, condition);
            ContentCheck.TellAltered(store, condition);
            ContentCheck.CompareReferences(references, condition);
            SummaryCheck.Run(store, references, condition, cancellationToken);
            if (snapshot.Version >= HistoryCheck.SinceVersion) HistoryCheck.Run(store, snapshot.Version, names, condition);
            ContentCheck.FindStrayFiles(store, files, snapshot.Files, isAlone, condition);
            return true;
        });
        if (!isAlone) ForgetWhatWentMeanwhile(directory, condition);
        TellLost(directory, condition);
    }

    /// <summary>An expunge removes files once the database has forgotten them: what this snapshot knew need not be there any more.</summary>
    private static void ForgetWhatWentMeanwhile(string directory, StoreCondition condition)
    {
        if (condition.Lost.Count == 0) return;
        using var later = StoreSnapshot.Open(directory);
        var present = later.Present(condition.Lost.Keys);
        foreach (var id in condition.Lost.Keys.Where(id => !present.Contains(id)).ToArray()) condition.Lost.Remove(id);
        condition.LostMessages.RemoveAll(message => message.IsContentKnown && !condition.Lost.ContainsKey(message.ContentId));
    }

    private static void TellLost(string directory, StoreCondition condition)
    {
        foreach (var message in condition.LostMessages)
        {
            var why = condition.Lost.TryGetValue(message.ContentId, out var lost) ? lost.Why : "the database has no such content";
            condition.Add(StoreFindingKind.Content, $"{message.Name} has lost what it says: {why}",
                $"bring it back to \"{Path.Combine(directory, StoreSnapshot.ContentsName)}\" from a backup, or let \"store repair --remove-lost\" remove the message");
        }
    }

    private static void LoseDatabase(StoreCondition condition, string what)
    {
        condition.IsDatabaseSound = false;
        condition.Add(StoreFindingKind.Database, what, StoreCondition.Restore);
    }
}
