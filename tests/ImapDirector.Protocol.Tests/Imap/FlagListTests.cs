using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

public sealed class FlagListTests
{
    [Theory]
    [InlineData("$Label1", true)]
    [InlineData("a+b!&'", true)]
    [InlineData("", false)]
    [InlineData("two words", false)]
    [InlineData("\\Seen", false)]
    [InlineData("a(b", false)]
    [InlineData("a]", false)]
    [InlineData("\u00e9", false)]
    [InlineData("\u0141", false)]
    [InlineData("a\r", false)]
    public void A_keyword_is_an_atom(string text, bool expected) => Assert.Equal(expected, FlagList.IsKeyword(text));

    [Fact]
    public void A_keyword_has_fifty_bytes_at_most()
    {
        Assert.True(FlagList.IsKeyword(new string('k', 50)));
        Assert.False(FlagList.IsKeyword(new string('k', 51)));
    }
}
