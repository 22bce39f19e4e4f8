using System.Text.RegularExpressions;
using Xunit;

namespace ImapDirector.Tests.Architecture;

/// <summary>What a comment calls a limit by its number can be looked up.</summary>
public sealed partial class LimitsTests
{
    [Fact]
    public void A_limit_that_is_named_stands_in_the_list()
    {
        var listed = Row().Matches(Repository.Read("docs/limits.md")).Select(static row => row.Groups[1].Value).ToHashSet();
        Assert.True(listed.Count > 50);
        Assert.Empty(Repository.Sources.Concat(Repository.Tests).SelectMany(file => file.Lines
            .SelectMany(static line => Named().Matches(line)).SelectMany(static named => Number().Matches(named.Value))
            .Where(number => !listed.Contains(number.Value)).Select(number => $"{file.Path}: {number.Value}")));
    }

    [GeneratedRegex(@"(?m)^\| ([A-Z][0-9]+) \|")]
    private static partial Regex Row();

    [GeneratedRegex(@"\blimits? (?:(?:, | and )?[A-Z][0-9]+\b)+")]
    private static partial Regex Named();

    [GeneratedRegex("[A-Z][0-9]+")]
    private static partial Regex Number();
}
