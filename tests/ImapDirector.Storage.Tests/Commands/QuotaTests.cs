using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>QUOTA (RFC 9208).</summary>
public sealed class QuotaTests
{
    private static StorageNodeOptions Small(StorageNodeOptions options) => options with { QuotaBytes = 4096, QuotaMessages = 3 };

    [Fact]
    public async Task What_would_be_too_much_is_refused_before_it_is_sent_and_nothing_is_half_done()
    {
        await using var node = await RunningNode.StartAsync(Small);
        await using var client = await node.LogInAsync();
        await client.AppendAsync("INBOX", "Subject: x\r\n\r\n" + new string('x', 2000) + "\r\n");
        await client.OkAsync("SELECT INBOX");
        await ImapScript.RunAsync(client, """
            C: a GETQUOTAROOT INBOX
            S: * QUOTAROOT INBOX "User quota"
            S: * QUOTA "User quota" (STORAGE 2 4 MESSAGE 1 3)
            S: a OK ~
            C: b GETQUOTA "User quota"
            S: * QUOTA "User quota" (STORAGE 2 4 MESSAGE 1 3)
            S: b OK ~
            C: c GETQUOTA ""
            S: c NO [NONEXISTENT] ~
            C: d GETQUOTAROOT nowhere
            S: d NO [NONEXISTENT] ~
            C: e APPEND INBOX {3000}
            S: e NO [OVERQUOTA] ~
            C: f COPY 1 Trash
            S: f OK ~
            C: g COPY 1 Trash
            S: g NO [OVERQUOTA] ~
            C: h STATUS Trash (MESSAGES)
            S: * STATUS Trash (MESSAGES 1)
            S: h OK ~
            C: i MOVE 1 Trash
            S: * OK [COPYUID ~
            S: * 1 EXPUNGE
            S: * 0 RECENT
            S: i OK ~
            C: j STATUS Trash (DELETED-STORAGE)
            S: * STATUS Trash (DELETED-STORAGE 0)
            S: j OK ~
            """);
    }

    [Fact]
    public Task A_node_without_limits_has_no_root() => ImapScript.RunAsync("""
        C: a GETQUOTAROOT INBOX
        S: * QUOTAROOT INBOX
        S: a OK ~
        C: b GETQUOTA "User quota"
        S: b NO [NONEXISTENT] ~
        """);
}
