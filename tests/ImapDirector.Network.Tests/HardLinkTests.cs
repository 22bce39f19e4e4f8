using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class HardLinkTests
{
    [Fact]
    public void A_second_name_is_the_same_file_and_outlives_the_first()
    {
        if (OperatingSystem.IsWindows()) return;
        var directory = Directory.CreateTempSubdirectory("imapdirector-");
        var (first, second) = (Path.Combine(directory.FullName, "first"), Path.Combine(directory.FullName, "zweit\u00e4"));
        File.WriteAllText(first, "text");
        Assert.True(HardLink.TryCreate(first, second));
        Assert.False(HardLink.TryCreate(first, second));
        File.Delete(first);
        Assert.Equal("text", File.ReadAllText(second));
        Assert.False(HardLink.TryCreate(first, second + "2"));
        directory.Delete(recursive: true);
    }
}
