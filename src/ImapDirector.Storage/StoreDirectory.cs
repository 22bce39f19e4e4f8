using ImapDirector.Protocol;
using ImapDirector.Storage.Exchange;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage;

/// <summary>A node's data directory, for looking at the users' stores beside the node or without it. What changes stores needs <see cref="Take"/>.</summary>
public sealed class StoreDirectory
{
    private StoreDirectory(string path) => Root = path;

    /// <summary>Its full path.</summary>
    public string Root { get; }

    /// <summary>Opens a directory that a node has made.</summary>
    /// <exception cref="DirectoryNotFoundException">There is none; the message says what to do.</exception>
    public static StoreDirectory Open(string path)
    {
        var root = Path.GetFullPath(path);
        if (!Directory.Exists(root)) throw new DirectoryNotFoundException($"The data directory \"{path}\" does not exist: name the DataDirectory of a node.");
        // A node makes the one when it starts and the other with its first user; a backup has the other alone.
        if (Directory.Exists(Path.Combine(root, "spool")) || Directory.Exists(Path.Combine(root, "users"))) return new StoreDirectory(root);
        throw new DirectoryNotFoundException($"\"{path}\" is no node's data directory: name the DataDirectory of a node, or, of a stand-alone server, node1 and node2 in its data.");
    }

    /// <summary>The users whose mail is here, in the order of their names.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It belongs to somebody else.</exception>
    public IReadOnlyList<UserName> ListUsers() => UserStorePath.List(Root);

    /// <summary>Whether the user's mail is here.</summary>
    public bool Holds(UserName user) => Directory.Exists(UserStorePath.Of(Root, user));

    /// <summary>Looks at everything in a user's store and changes nothing.</summary>
    /// <param name="user">The user.</param>
    /// <param name="progress">Hears of the number of messages read.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What is not as it should be.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<StoreFinding> Check(UserName user, IProgress<int>? progress, CancellationToken cancellationToken) =>
        StoreCheck.Run(UserStorePath.Of(Root, user), isAlone: false, progress, cancellationToken).Findings;

    /// <summary>Copies a user's store as it is at one moment, and checks the copy.</summary>
    /// <param name="user">The user.</param>
    /// <param name="target">A directory that becomes a data directory with this user in it.</param>
    /// <param name="mayLink">Whether the large messages, which are files that never change, may be the same files under a second name where they can.</param>
    /// <param name="progress">Hears of the number of messages read in the copy.</param>
    /// <param name="cancellationToken">Ends it; then there is no copy of this user.</param>
    /// <returns>What is not as it should be in the copy, or why there is none.</returns>
    /// <exception cref="IOException">The target cannot be written, or has this user already.</exception>
    /// <exception cref="UnauthorizedAccessException">One of the two belongs to somebody else.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<StoreFinding> Backup(UserName user, string target, bool mayLink, IProgress<int>? progress, CancellationToken cancellationToken) =>
        StoreBackup.Run(UserStorePath.Of(Root, user), UserStorePath.Of(Path.GetFullPath(target), user), mayLink, progress, cancellationToken);

    /// <summary>Writes a user's mail as it is at one moment for other programs.</summary>
    /// <param name="user">The user.</param>
    /// <param name="target">An empty directory, or one that does not exist.</param>
    /// <param name="format">How it is written.</param>
    /// <param name="keepUids">Whether a Maildir gets <c>dovecot-uidlist</c> files.</param>
    /// <param name="progress">Hears of the number of messages written.</param>
    /// <param name="cancellationToken">Ends it between two messages.</param>
    /// <returns>What was written, and what had to be left out.</returns>
    /// <exception cref="IOException">The target cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">One of the two belongs to somebody else.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public ExchangeResult Export(UserName user, string target, MailFormat format, bool keepUids, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var (source, directory) = (UserStorePath.Of(Root, user), Path.GetFullPath(target));
        UserStorePath.Make(directory);
        if (!File.Exists(Path.Combine(source, StoreSnapshot.DatabaseName))) return new ExchangeResult(0, 0, []);
        ExportTarget? export = null;
        try
        {
            using var snapshot = StoreSnapshot.Open(source);
            if (snapshot.Version == 0) return new ExchangeResult(0, 0, []);
            export = new ExportTarget(snapshot, source, progress, cancellationToken);
            if (format == MailFormat.Maildir) new MaildirExport(directory, keepUids).Run(snapshot, export);
            else new MboxExport(directory).Run(snapshot, export);
            return export.Result;
        }
        catch (StoreException failed)
        {
            var condition = new StoreCondition();
            condition.Add(failed);
            return new ExchangeResult(export?.Result.Mailboxes ?? 0, export?.Result.Messages ?? 0, [.. export?.Result.Findings ?? [], .. condition.Findings]);
        }
    }

    /// <summary>Takes the directory, so that no node can start in it until the result is disposed.</summary>
    /// <exception cref="StoreDirectoryInUseException">A node or another command has it.</exception>
    /// <exception cref="UnauthorizedAccessException">It belongs to somebody else.</exception>
    public TakenStoreDirectory Take()
    {
        try
        {
            return new TakenStoreDirectory(Root, DataDirectoryLock.Take(Root));
        }
        catch (IOException held)
        {
            throw new StoreDirectoryInUseException($"The data directory \"{Root}\" is in use, by a node or another command: stop it first.", held);
        }
    }
}

/// <summary>A data directory is in use.</summary>
public sealed class StoreDirectoryInUseException(string message, Exception inner) : Exception(message, inner);
