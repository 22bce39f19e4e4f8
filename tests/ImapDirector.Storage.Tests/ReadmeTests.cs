using System.Text.RegularExpressions;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests;

/// <summary>README's table of capabilities, held against what a node says.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public async Task README_lists_every_capability_and_no_other_and_the_tests_it_names_are_there()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        var offered = Assert.Single(await client.OkAsync("CAPABILITY")).Split(' ')[2..].Select(static name => name.StartsWith("APPENDLIMIT=", StringComparison.Ordinal) ? "APPENDLIMIT" : name);

        var listed = new List<string>();
        foreach (var row in File.ReadLines(Readme()).Select(static line => RowPattern().Match(line)).Where(static row => row.Success))
        {
            listed.AddRange(NamePattern().Matches(row.Groups["names"].Value).Select(static name => name.Groups[1].Value));
            var type = Type.GetType("ImapDirector.Storage.Tests." + row.Groups["test"].Value.Replace('/', '.'));
            Assert.True(type?.GetMethods().Any(static method => method.GetCustomAttributes(typeof(FactAttribute), inherit: true).Length > 0), $"There is no test {row.Groups["test"].Value}.");
        }
        Assert.Equal(offered.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    private static string Readme()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "ImapDirector.sln"))) directory = directory.Parent!;
        return Path.Combine(directory.FullName, "README.md");
    }

    [GeneratedRegex(@"^\| (?<names>(`[^`]+` ?)+) \| ([0-9, ]+|\[draft\]\(https:[^)]+\)) \| (?<test>\w+/\w+) \|$")]
    private static partial Regex RowPattern();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex NamePattern();
}
