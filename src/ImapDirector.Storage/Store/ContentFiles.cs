using System.Buffers;
using System.Security.Cryptography;
using ImapDirector.Network;

namespace ImapDirector.Storage.Store;

/// <summary>Large messages, each in a file of its own that is never changed. A file is on disk, with its name, before the database knows it, and is
/// removed only after the database has forgotten it: what a crash leaves behind is at worst a file too many.</summary>
internal sealed class ContentFiles(string directory)
{
    private const int CopyBytes = 128 * 1024;

    private const int NameLength = 32;

    /// <summary>Whether a name is one that <see cref="WriteAsync"/> gives; what is written in a database that is damaged or came from elsewhere may be anything, also
    /// a path. Any other is opened and removed by nobody.</summary>
    public static bool IsName(string name) => name.Length == NameLength && name.All(char.IsAsciiHexDigitLower);

    /// <summary>Writes a message to a new file.</summary>
    /// <returns>Its name, once it is on disk, and the SHA-256 of what was to be written.</returns>
    public async Task<(string Name, byte[] Digest)> WriteAsync(MessageSpool message, CancellationToken cancellationToken)
    {
        UserStorePath.Make(directory);
        var name = Guid.NewGuid().ToString("N");
        var path = PathOf(name);
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, PreallocationSize = message.Length };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            await using (var file = new FileStream(path, options))
            await using (var source = message.OpenRead())
            {
                for (int read; (read = await source.ReadAsync(buffer, cancellationToken)) > 0;)
                {
                    digest.AppendData(buffer.AsSpan(0, read));
                    await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                }
                file.Flush(flushToDisk: true);
            }
            DirectorySync.Flush(directory);
            return (name, digest.GetHashAndReset());
        }
        catch
        {
            Delete(name);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <exception cref="FileNotFoundException">There is none of that name, or it is no name.</exception>
    public Stream OpenRead(string name) =>
        new FileStream(PathOf(name), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);

    public void Delete(string name)
    {
        if (IsName(name)) Remove(PathOf(name));
    }

    /// <summary>Removes a file that <see cref="List"/> has named, whatever it is called.</summary>
    public void DeleteListed(string name) => Remove(PathOfListed(name));

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (IOException)
        {
            // It is not referred to by anything: Sweep finds it another time.
        }
    }

    /// <summary>Removes the files that the database does not know.</summary>
    public void Sweep(IReadOnlySet<string> known)
    {
        if (!Directory.Exists(directory)) return;
        foreach (var path in Directory.EnumerateFiles(directory))
            if (!known.Contains(Path.GetFileName(path))) Remove(path);
    }

    /// <summary>The names of all files there are.</summary>
    public IReadOnlyList<string> List() => Directory.Exists(directory) ? [.. Directory.EnumerateFiles(directory).Select(static path => Path.GetFileName(path))] : [];

    /// <summary>Where a file is that <see cref="List"/> has named.</summary>
    public string PathOfListed(string name) => Path.Combine(directory, Path.GetFileName(name));

    private string PathOf(string name) => IsName(name) ? Path.Combine(directory, name) : throw new FileNotFoundException("It is no name of a content file.");
}
