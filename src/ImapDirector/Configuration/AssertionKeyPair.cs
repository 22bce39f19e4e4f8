using ImapDirector.Protocol.Assertions;

namespace ImapDirector.Configuration;

/// <summary>A new pair of keys for assertions, as files.</summary>
/// <param name="KeyId">What nodes call the key.</param>
/// <param name="PrivateFile">For the director: readable by its owner only.</param>
/// <param name="PublicFile">For the nodes.</param>
internal sealed record AssertionKeyPair(string KeyId, string PrivateFile, string PublicFile)
{
    /// <summary>Makes a pair. Files that are there are left alone.</summary>
    /// <param name="privateDirectory">Where the private key goes.</param>
    /// <param name="publicDirectory">Where the public key goes.</param>
    /// <exception cref="IOException">A directory cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">A directory belongs to somebody else.</exception>
    public static AssertionKeyPair Create(string privateDirectory, string publicDirectory)
    {
        using var signer = AssertionSigner.Create();
        var pair = new AssertionKeyPair(signer.KeyId, Path.Combine(privateDirectory, signer.KeyId + ".key"), Path.Combine(publicDirectory, signer.KeyId + ".pem"));
        Write(pair.PrivateFile, signer.ExportPrivatePem(), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Write(pair.PublicFile, signer.ExportPublicPem(), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        return pair;
    }

    private static void Write(string file, string text, UnixFileMode mode)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
        using (var stream = new FileStream(file + ".new", options))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }
        File.Move(file + ".new", file);
    }
}
