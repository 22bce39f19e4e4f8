using ImapDirector.Protocol.Assertions;

namespace ImapDirector.Director.Tests.Backends;

/// <summary>A director's key in a file of its own.</summary>
internal sealed class AssertionKey : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public AssertionKey() => Change();

    /// <summary>What nodes know of it.</summary>
    public AssertionKeySet Public { get; private set; } = null!;

    public DirectorOptions Use(DirectorOptions options) => options with { AssertionKeyFile = _file };

    /// <summary>Puts another key into the file.</summary>
    public void Change()
    {
        using var signer = AssertionSigner.Create();
        Public = AssertionKeySet.Parse([signer.ExportPublicPem()]);
        var before = File.GetLastWriteTimeUtc(_file);
        File.WriteAllText(_file, signer.ExportPrivatePem());
        // As long as the one before, and the file system's clock goes in steps.
        File.SetLastWriteTimeUtc(_file, before.AddSeconds(1));
    }

    public void Write(string text) => File.WriteAllText(_file, text);

    public void Dispose() => File.Delete(_file);
}
