using System.Text.RegularExpressions;
using Xunit;

namespace ImapDirector.Tests.Architecture;

public sealed partial class FilesTests
{
    private const int MaxLines = 500;
    private const string Excuse = "// Longer than 500 lines because";

    [Fact]
    public void A_file_stays_below_500_lines_or_says_why_not()
    {
        var benchmarks = Repository.Files("benchmarks", "*.cs").Select(path => new SourceFile(path));
        Assert.Empty(Repository.Sources.Concat(Repository.Tests).Concat(benchmarks)
            .Where(file => file.Lines.Count > MaxLines && !file.Lines.Take(5).Any(line => line.Contains(Excuse, StringComparison.Ordinal)))
            .Select(file => $"{file.Path}: {file.Lines.Count} lines"));
    }

    [Fact]
    public void A_test_is_skipped_only_where_a_program_is_missing() =>
        Assert.Empty(Repository.Tests.Where(file => !file.IsBelow("tests/Shared")).SelectMany(file => file.Find(Skip())));

    [GeneratedRegex(@"\bSkip\s*=(?!\s*InstalledPrograms\.ReasonToSkip\(|[=>])[^\n]*")]
    private static partial Regex Skip();
}
