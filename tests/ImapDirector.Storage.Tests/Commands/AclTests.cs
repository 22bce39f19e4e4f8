using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>The commands of ACL (RFC 4314), by a mailbox's owner and by others, and LIST-MYRIGHTS (RFC 8440).</summary>
public sealed class AclTests
{
    [Fact]
    public Task Rights_are_set_added_to_taken_away_and_told() => ImapScript.RunAsync("""
        C: a GETACL INBOX
        S: * ACL INBOX alice@example.com lrswipkxteacd
        S: a OK ~
        C: b SETACL INBOX Bob@Example.com lrs
        S: b OK ~
        C: c SETACL INBOX bob@example.com +wi
        S: c OK ~
        C: d SETACL INBOX bob@example.com -s
        S: d OK ~
        C: e SETACL INBOX -carol@example.com w
        S: e OK ~
        C: f GETACL INBOX
        S: * ACL INBOX alice@example.com lrswipkxteacd -carol@example.com w bob@example.com lrwi
        S: f OK ~
        C: g SETACL INBOX bob@example.com ""
        S: g OK ~
        C: h DELETEACL INBOX -carol@example.com
        S: h OK ~
        C: i DELETEACL INBOX never@example.com
        S: i OK ~
        C: j GETACL INBOX
        S: * ACL INBOX alice@example.com lrswipkxteacd
        S: j OK ~
        C: k MYRIGHTS INBOX
        S: * MYRIGHTS INBOX lrswipkxteacd
        S: k OK ~
        C: l LISTRIGHTS INBOX bob@example.com
        S: * LISTRIGHTS INBOX bob@example.com "" l r s w i p k x t e a c d
        S: l OK ~
        C: m LISTRIGHTS INBOX alice@example.com
        S: * LISTRIGHTS INBOX alice@example.com lrswipkxteacd
        S: m OK ~
        """);

    [Fact]
    public Task The_obsolete_rights_stand_for_those_that_took_their_place() => ImapScript.RunAsync("""
        C: a SETACL INBOX bob@example.com lc
        S: a OK ~
        C: b SETACL INBOX carol@example.com d
        S: b OK ~
        C: c SETACL INBOX dave@example.com x
        S: c OK ~
        C: d GETACL INBOX
        S: * ACL INBOX alice@example.com lrswipkxteacd bob@example.com lkxc carol@example.com ted dave@example.com xc
        S: d OK ~
        """);

    [Theory]
    [InlineData("SETACL INBOX bob@example.com q", "BAD ")]
    [InlineData("SETACL INBOX bob@example.com lrq", "BAD ")]
    [InlineData("SETACL INBOX bob@example.com L", "BAD ")]
    [InlineData("SETACL INBOX bob@example.com ++l", "BAD ")]
    [InlineData("SETACL INBOX bob@example.com", "BAD ")]
    [InlineData("SETACL INBOX \"\" l", "BAD ")]
    [InlineData("SETACL INBOX ../../etc l", "NO [CANNOT] ")]
    [InlineData("SETACL INBOX bob+x@example.com l", "NO [CANNOT] ")]
    [InlineData("SETACL INBOX - l", "NO [CANNOT] ")]
    [InlineData("SETACL INBOX --bob l", "NO [CANNOT] ")]
    [InlineData("SETACL INBOX alice@example.com lr", "NO [CANNOT] ")]
    [InlineData("SETACL INBOX -alice@example.com a", "NO [CANNOT] ")]
    [InlineData("DELETEACL INBOX alice@example.com", "NO [CANNOT] ")]
    [InlineData("DELETEACL INBOX \"b b\"", "NO [CANNOT] ")]
    [InlineData("LISTRIGHTS INBOX \"b/b\"", "NO [CANNOT] ")]
    [InlineData("SETACL nowhere bob@example.com l", "NO [NONEXISTENT] ")]
    [InlineData("DELETEACL nowhere bob@example.com", "NO [NONEXISTENT] ")]
    [InlineData("GETACL nowhere", "NO [NONEXISTENT] ")]
    [InlineData("LISTRIGHTS nowhere bob@example.com", "NO [NONEXISTENT] ")]
    [InlineData("MYRIGHTS nowhere", "NO [NONEXISTENT] ")]
    [InlineData("GETACL", "BAD ")]
    [InlineData("MYRIGHTS INBOX x", "BAD ")]
    public async Task What_cannot_be_is_refused_and_changes_nothing(string command, string answer)
    {
        await using var node = await RunningNode.StartAsync();
        await using var alice = await node.LogInAsync();
        Assert.StartsWith(answer, (await alice.CommandAsync(command))[^1], StringComparison.Ordinal);
        Assert.Equal(["* ACL INBOX alice@example.com lrswipkxteacd"], await alice.OkAsync("GETACL INBOX"));
    }

    [Fact]
    public async Task An_identifier_longer_than_a_user_name_is_refused()
    {
        await using var node = await RunningNode.StartAsync();
        await using var alice = await node.LogInAsync();
        await alice.OkAsync($"SETACL INBOX -{new string('b', 255)} l");
        Assert.StartsWith("NO [CANNOT] ", (await alice.CommandAsync($"SETACL INBOX {new string('b', 256)} l"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [CANNOT] ", (await alice.CommandAsync($"SETACL INBOX {new string('b', 257)} l"))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_has_a_hundred_entries_and_no_more()
    {
        await using var node = await RunningNode.StartAsync();
        await using var alice = await node.LogInAsync();
        for (var i = 0; i < AccessTable.MaxEntries; i++) await alice.OkAsync($"SETACL INBOX user{i} lr");
        Assert.StartsWith("NO [LIMIT] ", (await alice.CommandAsync("SETACL INBOX onemore lr"))[^1], StringComparison.Ordinal);
        await alice.OkAsync("SETACL INBOX user0 l");
        await alice.OkAsync("DELETEACL INBOX user0");
        await alice.OkAsync("SETACL INBOX onemore lr");
    }

    [Fact]
    public Task Everybody_is_given_rights_only_where_the_node_allows_it() => ImapScript.RunAsync("""
        C: a SETACL INBOX anyone lr
        S: a NO [NOPERM] ~
        C: b SETACL INBOX anyone +l
        S: b NO [NOPERM] ~
        C: c SETACL INBOX -anyone a
        S: c OK ~
        C: d GETACL INBOX
        S: * ACL INBOX alice@example.com lrswipkxteacd -anyone a
        S: d OK ~
        """);

    [Fact]
    public Task A_list_is_kept_over_RENAME_goes_to_what_is_made_below_and_ends_with_the_mailbox() => ImapScript.RunAsync("""
        C: a CREATE team
        S: a OK ~
        C: b SETACL team bob@example.com lr
        S: b OK ~
        C: c RENAME team crew
        S: c OK ~
        C: d GETACL crew
        S: * ACL crew alice@example.com lrswipkxteacd bob@example.com lr
        S: d OK ~
        C: e CREATE crew/a/b
        S: e OK ~
        C: f GETACL crew/a/b
        S: * ACL crew/a/b alice@example.com lrswipkxteacd bob@example.com lr
        S: f OK ~
        C: g SETACL crew/a/b bob@example.com ""
        S: g OK ~
        C: h GETACL crew/a
        S: * ACL crew/a alice@example.com lrswipkxteacd bob@example.com lr
        S: h OK ~
        C: i DELETE crew
        S: i OK ~
        C: j CREATE crew
        S: j OK ~
        C: k GETACL crew
        S: * ACL crew alice@example.com lrswipkxteacd
        S: k OK ~
        """);

    [Fact]
    public async Task Lists_are_there_again_after_the_node_was()
    {
        var directory = Directory.CreateTempSubdirectory("acl-");
        try
        {
            await using (var node = await RunningNode.StartAsync(directory: directory.FullName))
            await using (var alice = await node.LogInAsync())
                await alice.OkAsync("SETACL Sent bob@example.com lrs");
            await using var again = await RunningNode.StartAsync(directory: directory.FullName);
            await using var bob = await again.LogInAsync("bob@example.com");
            Assert.Equal(["* MYRIGHTS \"Other Users/alice@example.com/Sent\" lrs"], await bob.OkAsync("MYRIGHTS \"Other Users/alice@example.com/Sent\""));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public Task LIST_tells_rights() => ImapScript.RunAsync("""
        C: a LIST "" INBOX RETURN (MYRIGHTS)
        S: * LIST (\HasNoChildren) "/" INBOX
        S: * MYRIGHTS INBOX lrswipkxteacd
        S: a OK ~
        Cbob: a LIST "" INBOX
        Sbob: * LIST (\HasNoChildren) "/" INBOX
        Sbob: a OK ~
        C: b SETACL INBOX bob@example.com lri
        S: b OK ~
        Cbob: b LIST "" "Other Users/*" RETURN (MYRIGHTS STATUS (MESSAGES))
        Sbob: * LIST (\NonExistent \HasChildren) "/" "Other Users/alice@example.com"
        Sbob: * LIST (\HasNoChildren) "/" "Other Users/alice@example.com/INBOX"
        Sbob: * MYRIGHTS "Other Users/alice@example.com/INBOX" lri
        Sbob: * STATUS "Other Users/alice@example.com/INBOX" (MESSAGES 0)
        Sbob: b OK ~
        """);
}
