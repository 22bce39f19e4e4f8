using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

/// <summary>Relative IMAP URLs (RFC 5092) as CATENATE takes them.</summary>
public sealed class MessageUrlTests
{
    [Theory]
    [InlineData("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER", "Drafts", 385759045u, 20u, "Header", 0u, null)]
    [InlineData("/a/b;uidvalidity=7/;uid=4294967295", "a/b", 7u, uint.MaxValue, "All", 0u, null)]
    [InlineData("/inbox/;UID=1/;SECTION=1.2.MIME/;PARTIAL=10.20", "INBOX", null, 1u, "1.2 Mime", 10u, 20u)]
    [InlineData("/INBOX/;UID=1/;PARTIAL=7", "INBOX", null, 1u, "All", 7u, null)]
    [InlineData("/Entw%C3%BCrfe%3B/;UID=1/;SECTION=TEXT", "Entw\u00fcrfe;", null, 1u, "Text", 0u, null)]
    [InlineData("/Entw\u00fcrfe/;UID=1", "Entw\u00fcrfe", null, 1u, "All", 0u, null)]
    [InlineData("/a%2Fb/;UID=1/;SECTION=HEADER.FIELDS%20(From%20To)", "a/b", null, 1u, "HeaderFields From To", 0u, null)]
    [InlineData(";UID=3/;SECTION=2", null, null, 3u, "2 All", 0u, null)]
    [InlineData("/;UID=3", null, null, 3u, "All", 0u, null)]
    public void A_URL_names_a_part_of_a_message(string text, string? mailbox, uint? uidValidity, uint uid, string section, uint offset, uint? length)
    {
        Assert.True(MessageUrl.TryParse(text, out var url));
        Assert.Equal(mailbox, url.Mailbox?.Value);
        Assert.Equal((uidValidity, uid, offset, length), (url.UidValidity, url.Uid, url.Offset, url.Length));
        Assert.Equal(section, string.Join(' ', ((string[])[string.Join('.', url.Section.Part), url.Section.Text.ToString(), .. url.Section.HeaderFields]).Where(static word => word.Length > 0)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("INBOX/;UID=1")]
    [InlineData("imap://host/INBOX/;UID=1")]
    [InlineData("//host/INBOX/;UID=1")]
    [InlineData("/INBOX")]
    [InlineData("/INBOX;UID=1")]
    [InlineData("/INBOX/;UID=0")]
    [InlineData("/INBOX/;UID=")]
    [InlineData("/INBOX/;UID=4294967296")]
    [InlineData("/INBOX/;UID=+1")]
    [InlineData("/INBOX/;UID=1/")]
    [InlineData("/INBOX/;UID=1/;SECTION=")]
    [InlineData("/INBOX/;UID=1/;SECTION=MIME")]
    [InlineData("/INBOX/;UID=1/;SECTION=1]")]
    [InlineData("/INBOX/;UID=1/;SECTION=1/;SECTION=2")]
    [InlineData("/INBOX/;UID=1/;PARTIAL=1.0")]
    [InlineData("/INBOX/;UID=1/;PARTIAL=1.")]
    [InlineData("/INBOX/;UID=1/;PARTIAL=1/;SECTION=1")]
    [InlineData("/INBOX/;UID=1;EXPIRE=2030-01-01T00:00:00Z")]
    [InlineData("/INBOX;UIDVALIDITY=0/;UID=1")]
    [InlineData(";UIDVALIDITY=1/;UID=1")]
    [InlineData("/a%2/;UID=1")]
    [InlineData("/a%GG/;UID=1")]
    [InlineData("/a%FF/;UID=1")]
    [InlineData("/a%00/;UID=1")]
    [InlineData("/a%2F..%2Fb/;UID=1")]
    public void Anything_else_is_no_such_URL(string text) => Assert.False(MessageUrl.TryParse(text, out _));

    [Fact]
    public void Half_a_character_is_none() => Assert.False(MessageUrl.TryParse("/a" + '\ud800' + "/;UID=1", out _));

    [Fact]
    public void The_longest_mailbox_name_fits_and_no_longer_URL_is_looked_at()
    {
        var level = string.Concat(Enumerable.Repeat("%C3%BC", 127));
        var name = string.Join('/', Enumerable.Repeat(level, 15));
        Assert.True(MessageUrl.TryParse($"/{name}/;UID=1", out _));
        Assert.False(MessageUrl.TryParse("/a/;UID=1/;SECTION=HEADER.FIELDS%20(" + new string('a', MessageUrl.MaxBytes) + ")", out _));
    }
}
