using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

/// <summary>URLs with URLAUTH (RFC 4467 section 3).</summary>
public sealed class AuthorizedUrlTests
{
    [Fact]
    public void A_URL_says_whose_message_it_names_for_whom_and_how_long()
    {
        const string rump = "IMAP://joe;AUTH=PLAIN@[::1]:143/A%20B;UIDVALIDITY=9/;UID=20/;SECTION=1.2/;PARTIAL=5.10;EXPIRE=2026-12-31T00:00:00+01:00;urlauth=Submit+fr%65d";
        Assert.True(AuthorizedUrl.TryParse(rump + ":internal:0aF", out var url));
        Assert.Equal((rump, "joe", "internal", "0aF"), (url.Rump, url.User, url.Mechanism, url.Token));
        Assert.Equal(new UrlAccess(UrlAccessKind.Submit, "fred"), url.Access);
        Assert.Equal(new DateTimeOffset(2026, 12, 30, 23, 0, 0, TimeSpan.Zero), url.Expires);
        Assert.Equal(("A B", 9u, 20u, 5u, 10u), (url.Message.Mailbox!.Value.Value, url.Message.UidValidity!.Value, url.Message.Uid, url.Message.Offset, url.Message.Length!.Value));
        Assert.True(AuthorizedUrl.TryParse("imap://a@b/c/;UID=1;URLAUTH=anonymous", out url));
        Assert.Equal((null, null, null), (url.Token, url.Mechanism, url.Expires));
    }

    [Theory]
    [InlineData("imap://a@b/c/;UID=1")]
    [InlineData("imap://a@b/c/;UID=1;URLAUTH=")]
    [InlineData("imap://a@b/c/;UID=1;URLAUTH=nobody")]
    [InlineData("imap://a@b/c/;UID=1;URLAUTH=user+")]
    [InlineData("imap://a@b/c/;UID=1;URLAUTH=submit+%f")]
    [InlineData("imap://a@b/c/;UID=1;URLAUTH=anonymous:INTERNAL")]
    [InlineData("imap://a@b/c/;UID=1;URLAUTH=anonymous:INTERNAL:a:b")]
    [InlineData("imap://a@b/c/;UID=1;EXPIRE=;URLAUTH=anonymous")]
    [InlineData("imap://a@b/c/;UID=1;EXPIRE=2026-13-01T00:00:00Z;URLAUTH=anonymous")]
    [InlineData("imap://a@b/c/;UID=1;URLAUTH=anonymous;EXPIRE=2026-12-01T00:00:00Z")]
    [InlineData("imap://b/c/;UID=1;URLAUTH=anonymous")]
    [InlineData("imap://@b/c/;UID=1;URLAUTH=anonymous")]
    [InlineData("imap://a@/c/;UID=1;URLAUTH=anonymous")]
    [InlineData("imap://;AUTH=*@b/c/;UID=1;URLAUTH=anonymous")]
    [InlineData("imap://%zz@b/c/;UID=1;URLAUTH=anonymous")]
    [InlineData("imap://a@b;URLAUTH=anonymous")]
    [InlineData("imap://a@b/;UID=1;URLAUTH=anonymous")]
    [InlineData("imap://a@b/c;URLAUTH=anonymous")]
    [InlineData("imap://a@b//c/;UID=1;URLAUTH=anonymous")]
    [InlineData("imaps://a@b/c/;UID=1;URLAUTH=anonymous")]
    [InlineData("imap://a@b/\u00e9/;UID=1;URLAUTH=anonymous")]
    [InlineData("/c/;UID=1;URLAUTH=anonymous")]
    [InlineData("")]
    public void Anything_else_is_no_such_URL(string text) => Assert.False(AuthorizedUrl.TryParse(text, out _));

    [Fact]
    public void Longer_than_the_limit_is_none() =>
        Assert.False(AuthorizedUrl.TryParse("imap://a@" + new string('b', AuthorizedUrl.MaxBytes) + "/c/;UID=1;URLAUTH=anonymous", out _));
}
