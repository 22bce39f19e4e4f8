using ImapDirector.Director.Directory;
using Xunit;

namespace ImapDirector.Director.Tests.Directory;

public sealed class NodeEntryTests
{
    [Theory]
    [InlineData(4095, true)]
    [InlineData(4096, true)]
    [InlineData(4097, false)]
    public void R7_what_Redis_says_of_a_node_may_take_4_KiB(int length, bool isRead)
    {
        // Fifteen fields of 255 letters, and one that is as long as it has to be.
        var text = string.Join(' ', Enumerable.Range(10, 15).Select(static number => $"f{number}={new string('x', 255)}"));
        text += " g=" + new string('x', length - text.Length - 3);
        Assert.Equal(length, text.Length);
        Assert.Equal(isRead, NodeEntry.TryParse(text) is not null);
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void A_value_of_it_may_take_255_letters(int length, bool isRead) =>
        Assert.Equal(isRead, NodeEntry.TryParse("f=" + new string('x', length)) is not null);
}
