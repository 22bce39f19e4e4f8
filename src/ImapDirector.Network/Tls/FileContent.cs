using System.Security.Cryptography;

namespace ImapDirector.Network.Tls;

/// <summary>A file as it was read.</summary>
/// <param name="Bytes">What is in it.</param>
/// <param name="Fault">Why it could not be read, with the file and the fix; else <c>null</c>.</param>
internal readonly record struct FileContent(byte[] Bytes, string? Fault = null)
{
    /// <exception cref="InvalidDataException">It could not be read.</exception>
    public string Text
    {
        get
        {
            if (Fault is not null) throw new InvalidDataException(Fault);
            using var reader = new StreamReader(new MemoryStream(Bytes));
            return reader.ReadToEnd();
        }
    }

    /// <summary>Reads one.</summary>
    /// <param name="file">Which.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="most">Of what comes from the network: no more is read than shows that it is too long.</param>
    public static FileContent Read(string file, string what, int? most = null)
    {
        try
        {
            return new FileContent(most is { } limit ? ReadAtMost(file, limit) : File.ReadAllBytes(file));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return new FileContent([], $"The {what} file \"{file}\" cannot be read ({unreadable.GetType().Name}): name a file that this process may read.");
        }
    }

    /// <summary>The same for the same contents of the same files.</summary>
    public static byte[] DigestOf(IEnumerable<FileContent> contents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var content in contents)
        {
            hash.AppendData(BitConverter.GetBytes(content.Fault is null ? content.Bytes.Length : -1));
            hash.AppendData(content.Bytes);
        }
        return hash.GetHashAndReset();
    }

    private static byte[] ReadAtMost(string file, int most)
    {
        using var stream = File.OpenRead(file);
        // A pipe or a device does not say how long it is.
        var length = stream.CanSeek ? stream.Length : 0;
        var bytes = new byte[(length > 0 ? Math.Min(length, most) : most) + 1];
        return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }
}
