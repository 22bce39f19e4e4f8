using System.Text;

namespace ImapDirector.Storage.Exchange;

/// <summary>The files of an import. They may come from anybody: what is no plain file or directory, such as a link to somebody else's, is refused.</summary>
internal static class ImportSource
{
    /// <summary>Lists are read whole; a mailbox of a million messages has one of some 100 MB.</summary>
    private const long MaxListBytes = 256 * 1024 * 1024;

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false, ReturnSpecialDirectories = false };

    /// <summary>The directories in a directory, in the order of their names.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IEnumerable<DirectoryInfo> Directories(string path) =>
        new DirectoryInfo(path).EnumerateDirectories("*", Everything).OrderBy(static directory => directory.Name, StringComparer.Ordinal);

    /// <summary>The files in a directory, none when there is no such directory or it is a link.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IEnumerable<FileInfo> Files(string path)
    {
        var directory = new DirectoryInfo(path);
        return directory.Exists && !IsLink(directory) ? directory.EnumerateFiles("*", Everything) : [];
    }

    public static bool IsLink(FileSystemInfo entry) => entry.LinkTarget is not null || (entry.Exists && entry.Attributes.HasFlag(FileAttributes.ReparsePoint));

    /// <summary>Opens a file.</summary>
    /// <returns>Or why not.</returns>
    public static (FileStream? Stream, string Why) Open(FileInfo file)
    {
        try
        {
            if (IsLink(file)) return (null, "is a link");
            // Nothing is opened that has no size: a pipe would wait for somebody to write to it.
            if (!file.Exists || file.Length == 0) return (null, file.Exists ? "is empty" : "is gone");
            return (new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0), "");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return (null, $"cannot be read ({refused.GetType().Name})");
        }
    }

    /// <summary>The lines of a small file beside the messages; none when it is missing, or no plain file, or too large.</summary>
    public static IReadOnlyList<string> Lines(string directory, string name)
    {
        var file = new FileInfo(Path.Combine(directory, name));
        if (!file.Exists || file.Length > MaxListBytes || Open(file).Stream is not { } stream) return [];
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var lines = new List<string>();
        while (reader.ReadLine() is { } line) lines.Add(line);
        return lines;
    }
}
