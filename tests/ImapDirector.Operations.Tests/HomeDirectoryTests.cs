using Xunit;

namespace ImapDirector.Operations.Tests;

/// <summary>Runs alone: the home directory is the whole process's.</summary>
[CollectionDefinition(nameof(HomeDirectoryTests), DisableParallelization = true)]
[Collection(nameof(HomeDirectoryTests))]
public sealed class HomeDirectoryTests
{
    [Fact]
    public async Task Nothing_is_written_below_the_home_directory()
    {
        var home = Directory.CreateTempSubdirectory("home-");
        var before = Environment.GetEnvironmentVariable("HOME");
        Environment.SetEnvironmentVariable("HOME", home.FullName);
        try
        {
            await using var server = await RunningServer.StartAsync();
            Assert.Equal(200, (await server.SendAsync("/livez")).Status);
            Assert.Empty(home.GetFileSystemInfos());
        }
        finally
        {
            Environment.SetEnvironmentVariable("HOME", before);
            home.Delete(true);
        }
    }
}
