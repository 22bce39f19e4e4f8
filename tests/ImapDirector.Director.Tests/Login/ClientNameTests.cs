using ImapDirector.Director.Login;
using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class ClientNameTests
{
    [Theory]
    [InlineData("Thunderbird", "115.0", "Thunderbird 115.0")]
    [InlineData("Mail", null, "Mail")]
    [InlineData(null, "7", "7")]
    [InlineData(" ", "", null)]
    [InlineData(null, null, null)]
    public void A_client_is_called_by_its_name_and_version(string? name, string? version, string? expected) =>
        Assert.Equal(expected, ClientName.Of(new IdCommand("a", [new("NAME", name), new("version", version), new("os", "Linux")])));

    [Theory]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    public void A_name_is_cut_where_it_gets_too_long(int length) =>
        Assert.Equal(Math.Min(length, 64), ClientName.Of(new IdCommand("a", [new("name", new string('x', length))]))!.Length);

    [Theory]
    [InlineData("Ümläut 邮件 ✉", "Ümläut 邮件 ✉")]
    [InlineData("a\u001b[2Jb", @"a\u{1b}[2Jb")]
    [InlineData("a\u009bb\u0085c", @"a\u{9b}b\u{85}c")]
    [InlineData("gnp.\u202etxt", @"gnp.\u{202e}txt")]
    [InlineData("a\u2028b\u200bc", @"a\u{2028}b\u{200b}c")]
    [InlineData(@"a\u{1b}", @"a\\u{1b}")]
    public void What_is_shown_of_it_moves_no_cursor_and_cannot_be_taken_for_something_else(string name, string shown) => Assert.Equal(shown, ClientName.Shown(name));

    [Fact]
    public void No_escape_is_cut_in_the_middle() => Assert.Equal(new string('x', 60), ClientName.Shown(new string('x', 60) + "\u001b"));
}
