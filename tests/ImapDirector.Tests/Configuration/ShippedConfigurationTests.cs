using System.Text.RegularExpressions;
using ImapDirector.Configuration;
using ImapDirector.Tests.Architecture;
using Xunit;

namespace ImapDirector.Tests.Configuration;

/// <summary>The files in <c>config/</c> and their page in <c>docs/</c> say what the code does.</summary>
public sealed partial class ShippedConfigurationTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void The_files_are_accepted_once_their_secrets_are_there()
    {
        var keys = AssertionKeyPair.Create(_directory.FullName, _directory.FullName);
        var director = DirectorSettings.Read(SettingsSource.Load(FileOf("config/director.json"), [$"AssertionKeyFile={keys.PrivateFile}"]));
        var node = NodeSettings.Read(SettingsSource.Load(FileOf("config/node.json"), [$"AssertionKeys={_directory.FullName}", $"DataDirectory={_directory.FullName}"]));
        // Out of the box the two of them fit together.
        var backend = Assert.Single(director.Director.Nodes);
        Assert.Equal((node.Node.Name, node.Node.Imap.Port, node.Node.Lmtp.Port), (backend.Name, backend.ImapPort, backend.LmtpPort));
        Assert.Equal(node.Process.Http!.ToString(), backend.Http!.Authority);
    }

    [Theory]
    [InlineData("config/director.json", "DirectorSettings.cs", "ProcessSettings.cs")]
    [InlineData("config/node.json", "NodeSettings.cs", "ProcessSettings.cs")]
    public void Every_setting_is_in_the_file_and_on_the_page(string file, params string[] sources)
    {
        var (shipped, page) = (File.ReadAllText(FileOf(file)), File.ReadAllText(FileOf("docs/configuration.md")));
        var keys = sources.SelectMany(source => Reads().Matches(File.ReadAllText(FileOf($"src/ImapDirector/Configuration/{source}")))).Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.True(keys.Count > 15, "The settings are read in another way than this test looks for.");
        Assert.All(keys, key => Assert.Contains($"| `{key}` |", page, StringComparison.Ordinal));
        Assert.All(keys, key => Assert.Matches($"\"{key}(File)?\":", shipped));
    }

    [Fact]
    public void Every_setting_of_authentication_is_on_the_page()
    {
        var page = File.ReadAllText(FileOf("docs/configuration.md"));
        var keys = Reads().Matches(File.ReadAllText(FileOf("src/ImapDirector/Configuration/AuthenticationSettings.cs"))).Select(match => match.Groups[1].Value).Distinct();
        Assert.All(keys, key => Assert.Contains($"`{key}`", page, StringComparison.Ordinal));
    }

    [GeneratedRegex("""(?:settings|node)\.(?:Text|Secret|Number|LongNumber|Flag|Time|EndPoint|Choice|Networks|Each|Value(?:<[^(]+>)?)\("(\w+)""")]
    private static partial Regex Reads();

    private static string FileOf(string path) => Path.Combine(Repository.Root, path);
}
