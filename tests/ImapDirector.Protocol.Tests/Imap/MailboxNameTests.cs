using System.Text;
using CsCheck;
using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

public sealed class MailboxNameTests
{
    private static bool Decode(string wire, bool utf8, out MailboxName name) => MailboxName.TryDecode(Encoding.Latin1.GetBytes(wire), utf8, out name);

    [Theory]
    [InlineData("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e")]
    [InlineData("R&-D", "R&D")]
    [InlineData("&2D3cBw-", "\U0001F407")]
    [InlineData("inbox", "INBOX")]
    [InlineData("inBox/Kid", "INBOX/Kid")]
    [InlineData("inboxes", "inboxes")]
    public void Modified_UTF_7_is_read_and_written_back(string wire, string text)
    {
        Assert.True(Decode(wire, utf8: false, out var name));
        Assert.Equal(text, name.Value);
        if (!wire.StartsWith("in", StringComparison.OrdinalIgnoreCase)) Assert.Equal(wire, Encoding.ASCII.GetString(ModifiedUtf7.Encode(text)));
    }

    [Theory]
    [InlineData("x&")]
    [InlineData("&Jjo!")]
    [InlineData("&Jjo!-")]
    [InlineData("&AGEAYg-", "printable characters in base64")]
    [InlineData("&ACY-", "an ampersand in base64")]
    [InlineData("&AOk-&AOk-", "two runs where one would do")]
    [InlineData("&AOl-", "bits left over")]
    [InlineData("&AOkA-", "a letter too many")]
    [InlineData("&A-", "half a unit")]
    [InlineData("&2D0-", "half a surrogate pair")]
    [InlineData("&3AfYPQ-", "a surrogate pair the wrong way round")]
    [InlineData("caf\u00e9", "a byte outside ASCII")]
    [InlineData("a\tb")]
    public void What_is_not_the_one_spelling_of_a_name_is_refused(string wire, string why = "not modified UTF-7") =>
        Assert.False(Decode(wire, utf8: false, out _), why);

    [Theory]
    [InlineData("caf\u00c3\u00a9", true)]
    [InlineData("caf\u00e9", false)]
    [InlineData("\u00c0\u00af", false)]
    [InlineData("\u00ed\u00a0\u0080", false)]
    public void UTF_8_names_are_strict_UTF_8(string wire, bool accepted) => Assert.Equal(accepted, Decode(wire, utf8: true, out _));

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData(".")]
    [InlineData("a/../b")]
    [InlineData("../etc")]
    [InlineData("a\0b")]
    [InlineData("a\r\nb")]
    [InlineData("a\u007fb")]
    [InlineData("a\u0085b")]
    [InlineData("a\u2028b")]
    public void Names_that_are_no_path_of_clean_levels_are_refused(string text) => Assert.False(MailboxName.TryCreate(text, out _));

    [Fact]
    public void Half_a_surrogate_pair_is_refused()
    {
        Assert.False(MailboxName.TryCreate("a\ud83d", out _));
        Assert.False(MailboxName.TryCreate("\ude00a", out _));
        Assert.True(MailboxName.TryCreate("\ud83d\ude00", out _));
    }

    [Theory]
    [InlineData(254, true)]
    [InlineData(255, true)]
    [InlineData(256, false)]
    public void N9_A_level_has_at_most_255_bytes(int bytes, bool accepted)
    {
        Assert.Equal(accepted, MailboxName.TryCreate("a/" + new string('x', bytes), out _));
        // The same in bytes of UTF-8, not in characters.
        Assert.Equal(accepted, MailboxName.TryCreate(new string('x', bytes - 2) + "\u00e9", out _));
    }

    [Theory]
    [InlineData(4095, true)]
    [InlineData(4096, true)]
    [InlineData(4097, false)]
    public void N9_A_name_has_at_most_4096_bytes(int bytes, bool accepted)
    {
        var level = new string('x', 254) + "/";
        var name = string.Concat(Enumerable.Repeat(level, 16)) + new string('y', 16);
        Assert.Equal(4096, name.Length);
        name = bytes > 4096 ? name + "z" : name[..bytes];
        Assert.Equal(accepted, MailboxName.TryCreate(name, out _));
    }

    [Theory]
    [InlineData(63, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void N9_A_name_has_at_most_64_levels(int levels, bool accepted) =>
        Assert.Equal(accepted, MailboxName.TryCreate(string.Join('/', Enumerable.Repeat("l", levels)), out _));

    [Fact]
    public void The_longest_names_are_still_read_in_their_longest_spelling()
    {
        var text = string.Join('/', Enumerable.Repeat(string.Concat(Enumerable.Repeat("\u00e9x", 85)), 16));
        Assert.True(MailboxName.TryCreate(text, out var name));
        Assert.True(MailboxName.TryDecode(ModifiedUtf7.Encode(text), utf8: false, out var again));
        Assert.Equal(name, again);
    }

    [Fact]
    public void Encoding_and_decoding_give_the_text_back() =>
        Gen.String.Sample(text =>
        {
            var clean = Encoding.Unicode.GetString(Encoding.Unicode.GetBytes(text));
            Assert.True(ModifiedUtf7.TryDecode(ModifiedUtf7.Encode(clean), out var decoded));
            Assert.Equal(clean, decoded);
        });

    [Fact]
    public void Whatever_is_decoded_encodes_to_the_same_bytes() =>
        Gen.Char["&-AOk+,2D3cBw/ x"].Array[0, 20].Sample(letters =>
        {
            var wire = Encoding.ASCII.GetBytes(letters);
            if (ModifiedUtf7.TryDecode(wire, out var text)) Assert.Equal(wire, ModifiedUtf7.Encode(text));
        }, iter: 20_000);
}
