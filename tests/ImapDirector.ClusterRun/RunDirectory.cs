namespace ImapDirector.ClusterRun;

/// <summary>Where a run keeps its files. It is removed at the end, unless it is to be looked at.</summary>
internal sealed class RunDirectory(bool keep) : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("imapdirector-cluster-").FullName;

    public bool Keep { get; set; } = keep;

    public void Dispose()
    {
        if (!Keep) Directory.Delete(Path, recursive: true);
    }
}
