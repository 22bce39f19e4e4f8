using System.Text;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>UIDBATCHES (draft-ietf-mailmaint-imap-uidbatches).</summary>
public sealed class UidBatchesTests
{
    [Fact]
    public async Task Batches_go_from_the_highest_UID_down_without_a_gap()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        for (var i = 0; i < 7; i++)
        {
            await client.SendAsync("a APPEND INBOX" + new StringBuilder().Insert(0, " {3+}\r\nS:x", 180) + "\r\n");
            Assert.StartsWith("OK ", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        }
        await client.OkAsync("SELECT INBOX");
        await client.OkAsync("UID STORE 300:399,1260 +FLAGS.SILENT \\Deleted");
        await client.OkAsync("EXPUNGE");
        // 1,159 messages are left: 659 to 1259, and 1 to 299 with 400 to 658.
        await client.SendLineAsync("a UIDBATCHES 500");
        Assert.Equal(["* UIDBATCHES (TAG \"a\") 1259:760,759:160,159:1", "OK Uidbatches completed."], await client.ReadAnswerAsync("a"));
        await client.SendLineAsync("a UIDBATCHES 500 2:7");
        Assert.Equal(["* UIDBATCHES (TAG \"a\") 759:160,159:1", "OK Uidbatches completed."], await client.ReadAnswerAsync("a"));
        await client.SendLineAsync("a UIDBATCHES 4294967295 1:4294967295");
        Assert.Equal(["* UIDBATCHES (TAG \"a\") 1259:1", "OK Uidbatches completed."], await client.ReadAnswerAsync("a"));
        await client.SendLineAsync("a UIDBATCHES 500 4:4294967295");
        Assert.Equal(["* UIDBATCHES (TAG \"a\")", "OK Uidbatches completed."], await client.ReadAnswerAsync("a"));
    }

    [Fact]
    public async Task An_empty_mailbox_has_none() => await ImapScript.RunAsync("""
        C: a UIDBATCHES 500
        S: a BAD ~
        C: b EXAMINE Drafts
        S: ~
        S: ~
        S: ~
        S: ~
        S: ~
        S: ~
        S: ~
        S: ~
        S: ~
        S: b OK ~
        C: c UIDBATCHES 500
        S: * UIDBATCHES (TAG "c")
        S: c OK ~
        C: d UIDBATCHES 499
        S: d NO [TOOFEW] ~
        C: e UIDBATCHES 500 3:2
        S: e BAD [CLIENTBUG] ~
        C: f UIDBATCHES 500 3
        S: f BAD ~
        C: g UIDBATCHES 0
        S: g BAD ~
        """);
}
