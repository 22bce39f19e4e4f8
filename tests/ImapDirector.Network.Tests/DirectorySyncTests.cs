using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class DirectorySyncTests
{
    [Fact]
    public void A_directory_is_synced_and_one_that_is_not_there_is_named()
    {
        var directory = Directory.CreateTempSubdirectory("imapdirector-");
        DirectorySync.Flush(directory.FullName);
        directory.Delete();
        if (OperatingSystem.IsWindows()) return;
        var failure = Assert.Throws<IOException>(() => DirectorySync.Flush(directory.FullName));
        Assert.Contains(directory.FullName, failure.Message, StringComparison.Ordinal);
    }
}
