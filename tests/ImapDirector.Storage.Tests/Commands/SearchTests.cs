using System.Text;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>SEARCH, key by key.</summary>
public sealed class SearchTests : IAsyncLifetime
{
    private RunningNode _node = null!;
    private ImapClient _client = null!;

    public async Task InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        _client = await _node.LogInAsync();
        await _client.AppendAsync("INBOX",
            "Date: Mon, 5 Mar 2029 23:30:00 -0800\r\nFrom: Ann <ann@example.com>\r\nTo: Bob <bob@example.org>\r\nCc: carl@example.net\r\nSubject: Weekly report\r\n\r\nThe figures are good.\r\n",
            "(\\Seen) \"06-Mar-2029 08:30:00 +0100\" ");
        await _client.AppendAsync("INBOX",
            "Date: Wed, 7 Mar 2029 10:00:00 +0000\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\nBcc: hidden@example.com\r\nSubject: =?iso-8859-1?q?Caf=E9?=\r\n =?utf-8?b?IGdyw7zDn2U=?=\r\nX-Marker:\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nStra=C3=9Fe und =\r\nWege\r\n",
            "(\\Flagged \\Draft) \"07-Mar-2029 10:00:00 +0000\" ");
        await _client.AppendAsync("INBOX",
            "From: Ann <ann@example.com>\r\nSubject: coded\r\nContent-Type: text/plain; charset=iso-8859-15\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + Convert.ToBase64String([0xA4, .. "100 only"u8]) + "\r\n",
            "(\\Answered \\Deleted Todo) \"08-Mar-2029 10:00:00 +0000\" ");
        await _client.OkAsync("SELECT INBOX");
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _node.DisposeAsync();
    }

    [Theory]
    [InlineData("ALL", "1 2 3")]
    [InlineData("2", "2")]
    [InlineData("2:*", "2 3")]
    [InlineData("*", "3")]
    [InlineData("100", "")]
    [InlineData("UID 1,3", "1 3")]
    [InlineData("UID 100:*", "3")]
    [InlineData("SEEN", "1")]
    [InlineData("UNSEEN", "2 3")]
    [InlineData("ANSWERED", "3")]
    [InlineData("UNANSWERED", "1 2")]
    [InlineData("FLAGGED", "2")]
    [InlineData("UNFLAGGED", "1 3")]
    [InlineData("DRAFT", "2")]
    [InlineData("UNDRAFT", "1 3")]
    [InlineData("DELETED", "3")]
    [InlineData("UNDELETED", "1 2")]
    [InlineData("RECENT", "1 2 3")]
    [InlineData("NEW", "2 3")]
    [InlineData("OLD", "")]
    [InlineData("KEYWORD todo", "3")]
    [InlineData("UNKEYWORD Todo", "1 2")]
    [InlineData("KEYWORD none", "")]
    [InlineData("BEFORE 7-Mar-2029", "1")]
    [InlineData("ON 7-Mar-2029", "2")]
    [InlineData("SINCE 7-Mar-2029", "2 3")]
    [InlineData("SENTBEFORE 6-Mar-2029", "1")]
    [InlineData("SENTON 5-Mar-2029", "1")]
    [InlineData("SENTON \"7-Mar-2029\"", "2")]
    [InlineData("SENTSINCE 6-Mar-2029", "2")]
    [InlineData("FROM ann", "1 3")]
    [InlineData("FROM J\u00fcrgen", "2")]
    [InlineData("TO BOB@example", "1")]
    [InlineData("CC carl", "1")]
    [InlineData("BCC hidden", "2")]
    [InlineData("SUBJECT report", "1")]
    [InlineData("SUBJECT \"caf\u00e9 gr\u00fc\u00dfe\"", "2")]
    [InlineData("HEADER Subject weekly", "1")]
    [InlineData("HEADER X-Marker \"\"", "2")]
    [InlineData("HEADER X-Absent \"\"", "")]
    [InlineData("BODY figures", "1")]
    [InlineData("BODY report", "")]
    [InlineData("BODY \"stra\u00dfe und wege\"", "2")]
    [InlineData("BODY \"\u20ac100\"", "3")]
    [InlineData("TEXT report", "1")]
    [InlineData("TEXT figures", "1")]
    [InlineData("TEXT \"subject: weekly\"", "1")]
    [InlineData("TEXT \"caf\u00e9\"", "2")]
    [InlineData("LARGER 200", "2")]
    [InlineData("SMALLER 200", "1 3")]
    [InlineData("NOT SEEN", "2 3")]
    [InlineData("OR SEEN FLAGGED", "1 2")]
    [InlineData("SEEN FLAGGED", "")]
    [InlineData("UNSEEN (OR FLAGGED DELETED)", "2 3")]
    [InlineData("OR (FROM ann SEEN) (NOT FROM ann)", "1 2")]
    [InlineData("NOT (OR SEEN OR FLAGGED DELETED)", "")]
    public async Task A_key_finds(string key, string found)
    {
        var utf8 = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes($"CHARSET UTF-8 {WithLiterals(key)}"));
        Assert.Equal([found.Length == 0 ? "* SEARCH" : $"* SEARCH {found}"], (await _client.OkAsync($"SEARCH {utf8}")).Where(static line => line.StartsWith('*')));
    }

    [Theory]
    [InlineData("SEARCH CHARSET KOI8-R TEXT x", "NO [BADCHARSET (US-ASCII UTF-8)] ")]
    [InlineData("SEARCH NONSENSE", "BAD ")]
    [InlineData("SEARCH", "BAD ")]
    [InlineData("SEARCH ON 31-Feb-2029", "BAD ")]
    public async Task What_cannot_be_searched_for_is_refused(string command, string answer) =>
        Assert.StartsWith(answer, (await _client.CommandAsync(command))[^1], StringComparison.Ordinal);

    [Fact]
    public async Task UID_SEARCH_answers_with_UIDs()
    {
        await _client.OkAsync("STORE 1 +FLAGS.SILENT (\\Deleted)");
        await _client.OkAsync("UID EXPUNGE 1");
        Assert.Equal(["* SEARCH 2 3"], await _client.OkAsync("UID SEARCH ALL"));
        Assert.Equal(["* SEARCH 1 2"], await _client.OkAsync("SEARCH ALL"));
        Assert.Equal(["* SEARCH 3"], await _client.OkAsync("UID SEARCH 2"));
    }

    /// <summary>8-bit text may only be in a literal (RFC 3501 section 9: QUOTED-CHAR is 7-bit).</summary>
    private static string WithLiterals(string key)
    {
        if (Ascii.IsValid(key)) return key;
        var start = key.IndexOfAny(['"']) is var quote and >= 0 ? quote : key.IndexOf(' ', StringComparison.Ordinal) + 1;
        var text = key[start..].Trim('"');
        return $"{key[..start]}{{{Encoding.UTF8.GetByteCount(text)}+}}\r\n{text}";
    }
}
