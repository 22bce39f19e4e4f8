using CsCheck;
using ImapDirector.Storage.Search;
using Xunit;

namespace ImapDirector.Storage.Tests.Search;

/// <summary>Finding text.</summary>
public sealed class SubstringMatcherTests
{
    [Fact]
    public void It_finds_what_IndexOf_finds_however_the_text_is_cut() =>
        Gen.Select(Gen.Char["abAB"].Array[0, 6], Gen.Char["abAB"].Array[0, 40], Gen.Int[1, 7]).Sample((needle, text, cut) =>
        {
            var matcher = new SubstringMatcher(new string(needle));
            var found = needle.Length == 0;
            foreach (var piece in text.Chunk(cut)) found |= matcher.Feed(piece);
            return found == new string(text).Contains(new string(needle), StringComparison.OrdinalIgnoreCase);
        });

    [Theory]
    [InlineData("ÄRGER", "großer ärger", true)]
    [InlineData("ελλάς", "ΕΛΛΆΣ", true)]
    [InlineData("привет", "ПРИВЕТ мир", true)]
    [InlineData("x", "", false)]
    public void Letters_of_any_script_compare_without_case_one_by_one(string needle, string text, bool found) =>
        Assert.Equal(found, new SubstringMatcher(needle).IsIn(text));

    [Fact]
    public void A_text_made_to_cost_takes_time_in_proportion_to_its_length()
    {
        // Quadratic, this would be 10^11 steps, and the test would not end.
        var matcher = new SubstringMatcher(new string('a', 100_000) + "b");
        Assert.False(matcher.IsIn(new string('a', 1_000_000)));
    }
}
