using ImapDirector.Configuration;
using Xunit;

namespace ImapDirector.Tests.Configuration;

/// <summary>Runs alone: whatever else reads a configuration meanwhile would meet the variables that are set here.</summary>
[CollectionDefinition(nameof(SettingsSourceTests), DisableParallelization = true)]
[Collection(nameof(SettingsSourceTests))]
public sealed class SettingsSourceTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void The_last_of_file_environment_and_command_line_wins()
    {
        var file = Path.Combine(_directory.FullName, "a.json");
        File.WriteAllText(file, """{ /* one */ "A": "file", "B": "file", "C": "file", }""");
        Environment.SetEnvironmentVariable("IMAPDIRECTOR__SettingsSourceTests__B", "environment");
        try
        {
            var configuration = SettingsSource.Load(file, ["C=set", "SettingsSourceTests__D=set", "E:F=a=b"]);
            Assert.Equal(("file", "set", "a=b"), (configuration["A"], configuration["C"], configuration["E:F"]));
            Assert.Equal(("environment", "set"), (configuration["SettingsSourceTests:B"], configuration["SettingsSourceTests:D"]));
        }
        finally
        {
            Environment.SetEnvironmentVariable("IMAPDIRECTOR__SettingsSourceTests__B", null);
        }
    }
}
