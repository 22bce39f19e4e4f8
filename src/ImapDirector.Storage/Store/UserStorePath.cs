using System.Security.Cryptography;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Protocol;

namespace ImapDirector.Storage.Store;

/// <summary>Where a user's files are: <c>users/3f/alice@example.com</c>, so that no directory has more than a 256th of the users.</summary>
internal static class UserStorePath
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>A canonical name has nothing in its alphabet that means anything in a path, does not begin with a dot and is at most as long as a file name may be.</summary>
    public static string Of(string dataDirectory, UserName user) => Shelved(Path.Combine(dataDirectory, "users"), user);

    /// <summary>The place of one of many users under a directory.</summary>
    public static string Shelved(string directory, UserName user)
    {
        var digest = SHA256.HashData(Encoding.ASCII.GetBytes(user.Value));
        return Path.Combine(directory, Convert.ToHexStringLower(digest.AsSpan(0, 1)), user.Value);
    }

    /// <summary>Whether the user has mail here. Whoever opens the store of one who has none makes it.</summary>
    public static bool Exists(string dataDirectory, UserName user) => File.Exists(Path.Combine(Of(dataDirectory, user), "mail.db"));

    /// <summary>The users who have a directory, in the order of their names. What is no user's directory is left out.</summary>
    public static List<UserName> List(string dataDirectory)
    {
        var all = new DirectoryInfo(Path.Combine(dataDirectory, "users"));
        if (!all.Exists) return [];
        var users = new List<UserName>();
        foreach (var directory in all.EnumerateDirectories("*", SearchOption.TopDirectoryOnly).SelectMany(static shelf => shelf.EnumerateDirectories()))
            if (UserName.TryCreate(directory.Name, null, out var user) && Of(dataDirectory, user) == Path.Combine(all.FullName, directory.Parent!.Name, directory.Name)) users.Add(user);
        users.Sort(static (left, right) => string.CompareOrdinal(left.Value, right.Value));
        return users;
    }

    /// <summary>Makes a directory that only its owner may enter, with those above it, and brings the new entries to disk.</summary>
    public static void Make(string directory)
    {
        if (Directory.Exists(directory)) return;
        var parent = Path.GetDirectoryName(Path.GetFullPath(directory))!;
        Make(parent);
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
        else Directory.CreateDirectory(directory, OwnerOnly);
        try
        {
            DirectorySync.Flush(parent);
        }
        catch (IOException)
        {
            // The next to come would find it made, and rely on an entry that a power cut can take.
            Directory.Delete(directory);
            throw;
        }
    }

    /// <summary>Brings the entries of a user's directory and of those above it to disk, up to the data directory's own. Who made them, and with what
    /// success, does not matter then: two users can be at the same ones.</summary>
    public static void FlushAbove(string dataDirectory, string userDirectory)
    {
        var (root, above) = (Path.GetFullPath(dataDirectory), Path.GetFullPath(userDirectory));
        while (above.Length > root.Length && Path.GetDirectoryName(above) is { } parent)
        {
            DirectorySync.Flush(parent);
            above = parent;
        }
    }
}
