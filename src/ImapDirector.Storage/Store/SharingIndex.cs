using ImapDirector.Network;
using ImapDirector.Protocol;

namespace ImapDirector.Storage.Store;

/// <summary>Who has given something to whom on this node, so that LIST need not open every user's store: an empty file
/// <c>sharing/3f/alice@example.com/bob@example.com</c> says that Bob has given Alice something, one under <c>sharing/anyone</c> that he has given it to all.</summary>
/// <remarks>The access lists in the stores are what counts. An entry is made before the list that it tells of, and again whenever the owner's store is opened; one
/// that is left over costs a look and gives nothing.</remarks>
internal sealed class SharingIndex(string dataDirectory)
{
    /// <summary>Owners that are looked at for one user.</summary>
    public const int MaxOwners = 500;

    // No directory goes while a file is being made in it.
    private readonly Lock _sync = new();
    private readonly string _root = Path.Combine(dataDirectory, "sharing");

    /// <exception cref="StoreException">The disk refuses.</exception>
    public void Add(AccessIdentifier identifier, UserName owner)
    {
        var directory = DirectoryOf(identifier);
        var file = Path.Combine(directory, owner.Value);
        if (File.Exists(file)) return;
        Try(() =>
        {
            lock (_sync)
            {
                UserStorePath.Make(directory);
                File.Create(file, bufferSize: 0).Dispose();
                DirectorySync.Flush(directory);
            }
        });
    }

    /// <exception cref="StoreException">The disk refuses.</exception>
    public void Remove(AccessIdentifier identifier, UserName owner)
    {
        var directory = DirectoryOf(identifier);
        var file = Path.Combine(directory, owner.Value);
        if (!File.Exists(file)) return;
        Try(() =>
        {
            lock (_sync)
            {
                File.Delete(file);
                if (!Directory.EnumerateFileSystemEntries(directory).Any()) Directory.Delete(directory);
            }
        });
    }

    /// <summary>The users who may have given something to this one, in the order of their names.</summary>
    /// <exception cref="StoreException">The disk refuses.</exception>
    public SortedSet<string> OwnersFor(UserName user)
    {
        var owners = new SortedSet<string>(StringComparer.Ordinal);
        Try(() =>
        {
            lock (_sync)
                foreach (var directory in new[] { DirectoryOf(user), EverybodysDirectory })
                    if (Directory.Exists(directory)) owners.UnionWith(Directory.EnumerateFiles(directory).Select(static file => Path.GetFileName(file)));
        });
        return owners;
    }

    private string EverybodysDirectory => Path.Combine(_root, "anyone");

    private string DirectoryOf(UserName user) => UserStorePath.Shelved(_root, user);

    private string DirectoryOf(AccessIdentifier identifier) => identifier.IsAnyone ? EverybodysDirectory : DirectoryOf(identifier.User);

    private static void Try(Action work)
    {
        try
        {
            work();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The directory of what is shared cannot be used: {refused.GetType().Name}.", refused);
        }
    }
}
