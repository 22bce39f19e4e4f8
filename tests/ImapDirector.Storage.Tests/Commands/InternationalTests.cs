using System.Text;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>I18NLEVEL=1 (RFC 5255): searching and sorting compare by i;unicode-casemap; names are in normalisation form C (RFC 5198).</summary>
public sealed class InternationalTests : IAsyncLifetime
{
    private RunningNode _node = null!;
    private ImapClient _client = null!;

    public async Task InitializeAsync()
    {
        _node = await RunningNode.StartAsync();
        _client = await _node.LogInAsync();
        await _client.AppendAsync("INBOX", "Subject: =?utf-8?q?Caf=C3=A9?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=EF=AC=81ne\r\n");
        await _client.AppendAsync("INBOX", "Subject: =?utf-8?q?cafe=CC=81?=\r\n\r\nplain\r\n");
        await _client.AppendAsync("INBOX", "Subject: caff\r\n\r\n\r\n");
        await _client.AppendAsync("INBOX", "Subject: cafe\r\n\r\n\r\n");
        await _client.OkAsync("SELECT INBOX");
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _node.DisposeAsync();
    }

    private async Task<string> AskAsync(string before, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        // The client writes Latin-1, so that each character is a byte.
        await _client.SendLineAsync($"t {before} {{{bytes.Length}+}}\r\n{Encoding.Latin1.GetString(bytes)}");
        return (await _client.ReadAnswerAsync("t"))[0];
    }

    [Theory]
    [InlineData("SUBJECT", "CAF\u00c9", "* SEARCH 1 2")]
    [InlineData("SUBJECT", "CAFE\u0301", "* SEARCH 1 2")]
    // A letter without its mark is a part of the one with it.
    [InlineData("SUBJECT", "CAFE", "* SEARCH 1 2 4")]
    [InlineData("TEXT", "FINE", "* SEARCH 1")]
    [InlineData("BODY", "\ufb01N", "* SEARCH 1")]
    public async Task What_looks_alike_is_found_alike(string key, string text, string found)
    {
        Assert.Equal(found, await AskAsync($"SEARCH CHARSET UTF-8 {key}", text));
        Assert.Equal(found, await AskAsync($"SEARCH CHARSET UTF-8 FUZZY {key}", text));
    }

    [Fact]
    public async Task What_looks_alike_is_sorted_alike()
    {
        await _client.SendLineAsync("t SORT (SUBJECT) UTF-8 ALL");
        // cafe, both spellings of it with the accent in order of arrival, caff.
        Assert.Equal("* SORT 4 1 2 3", (await _client.ReadAnswerAsync("t"))[0]);
        await _client.SendLineAsync("t THREAD ORDEREDSUBJECT UTF-8 ALL");
        Assert.Contains("(1 2)", (await _client.ReadAnswerAsync("t"))[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mailbox_is_found_under_each_spelling_of_its_name()
    {
        await _client.OkAsync("CREATE Entwu&Awg-rfe");
        Assert.StartsWith("NO [ALREADYEXISTS] ", await AskLineAsync("CREATE Entw&APw-rfe"), StringComparison.Ordinal);
        Assert.Equal("* LIST (\\HasNoChildren) \"/\" Entw&APw-rfe", await AskLineAsync("LIST \"\" Entwu&Awg-*"));
        await _client.OkAsync("SUBSCRIBE Entw&APw-rfe");
        await _client.OkAsync("SELECT Entwu&Awg-rfe");
        await _client.OkAsync("UNSUBSCRIBE Entwu&Awg-rfe");
        Assert.Equal("OK ", (await AskLineAsync("LSUB \"\" Entw*"))[..3]);
    }

    private async Task<string> AskLineAsync(string command)
    {
        await _client.SendLineAsync("t " + command);
        return (await _client.ReadAnswerAsync("t"))[0];
    }
}
