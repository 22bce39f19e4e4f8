using CsCheck;
using ImapDirector.Storage.Mailboxes;
using Xunit;

namespace ImapDirector.Storage.Tests.Mailboxes;

/// <summary>LIST's wild cards.</summary>
public sealed class ListPatternTests
{
    [Theory]
    [InlineData("*", "INBOX", true)]
    [InlineData("*", "a/b/c", true)]
    [InlineData("%", "a", true)]
    [InlineData("%", "a/b", false)]
    [InlineData("a/%", "a/b", true)]
    [InlineData("a/%", "a", false)]
    [InlineData("a/%", "a/b/c", false)]
    [InlineData("%/%", "a/b", true)]
    [InlineData("%/c", "a/b/c", false)]
    [InlineData("*/c", "a/b/c", true)]
    [InlineData("*c", "abc/c", true)]
    [InlineData("a*%b", "a/x/b", true)]
    [InlineData("inbox", "INBOX", true)]
    [InlineData("InBox/sub", "INBOX/sub", true)]
    [InlineData("inb%", "INBOX", true)]
    [InlineData("inbox", "INBOXES", false)]
    [InlineData("Archive", "archive", false)]
    [InlineData("", "a", false)]
    [InlineData("a", "ab", false)]
    [InlineData("ab", "a", false)]
    [InlineData("a%", "a", true)]
    public void A_pattern_fits_or_not(string pattern, string name, bool fits) => Assert.Equal(fits, new ListPattern(pattern).Matches(name));

    [Fact]
    public void It_agrees_with_a_simple_matcher_that_tries_everything() =>
        Gen.Select(Gen.Char["ab/*%"].Array[0, 8], Gen.Char["ab/"].Array[1, 10]).Sample((pattern, name) =>
            new ListPattern(new string(pattern)).Matches(new string(name)) == Tries(pattern, name));

    [Fact]
    public void A_pattern_made_to_cost_is_given_up_within_the_budget()
    {
        var pattern = string.Concat(Enumerable.Repeat("*a", 2000)) + "b";
        Assert.Null(new ListPattern(pattern).Matches(new string('a', 4000)));
    }

    [Fact]
    public async Task A_command_whose_patterns_cost_too_much_together_is_given_up()
    {
        await using var node = await Sessions.RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        var levels = string.Join('/', Enumerable.Repeat(new string('a', 250), 8));
        // Each of them stays within its budget for each of the names.
        var patterns = string.Join(' ', Enumerable.Range(0, 100).Select(static i => $"*{string.Concat(Enumerable.Repeat("*a", 4))}*x{i}"));
        for (var i = 0; i < 80; i++) await client.OkAsync($"CREATE {levels}/{i}");
        Assert.StartsWith("NO [LIMIT]", (await client.CommandAsync($"LIST \"\" ({patterns})"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("OK", (await client.CommandAsync("LIST \"\" (*x1 *x2)"))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_run_of_wild_cards_is_one_wild_card() =>
        Assert.True(new ListPattern(new string('*', 4000) + "%%%x").Matches(new string('a', 200) + "/x"));

    private static bool Tries(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        if (pattern.IsEmpty) return name.IsEmpty;
        if (pattern[0] is '*' or '%')
        {
            return Tries(pattern[1..], name)
                || (!name.IsEmpty && (pattern[0] == '*' || name[0] != '/') && Tries(pattern, name[1..]));
        }
        return !name.IsEmpty && pattern[0] == name[0] && Tries(pattern[1..], name[1..]);
    }
}
