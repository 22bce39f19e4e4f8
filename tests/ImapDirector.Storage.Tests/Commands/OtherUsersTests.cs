using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>Mailboxes of other users and shared ones: how they are named, listed, read, changed and watched (RFC 2342, RFC 4314).</summary>
public sealed class OtherUsersTests
{
    private const string Inbox = "\"Other Users/alice@example.com/INBOX\"";

    [Fact]
    public async Task What_is_shared_is_listed_subscribed_and_told_of_without_its_owners_secrets()
    {
        await using var node = await RunningNode.StartAsync();
        await ImapScript.RunAsync(node, """
            C: a CREATE projects/secret/open
            S: a OK ~
            C: b SETACL projects/secret/open bob@example.com lr
            S: b OK ~
            C: c SETACL Sent bob@example.com lr
            S: c OK ~
            C: d SETACL Drafts bob@example.com r
            S: d OK ~
            Cbob: a LIST "" "Other Users/*"
            Sbob: * LIST (\Noselect \HasChildren) "/" "Other Users/alice@example.com"
            Sbob: * LIST (\HasNoChildren) "/" "Other Users/alice@example.com/Sent"
            Sbob: * LIST (\Noselect \HasChildren) "/" "Other Users/alice@example.com/projects"
            Sbob: * LIST (\Noselect \HasChildren) "/" "Other Users/alice@example.com/projects/secret"
            Sbob: * LIST (\HasNoChildren) "/" "Other Users/alice@example.com/projects/secret/open"
            Sbob: a OK ~
            Cbob: b LIST "Other Users/" %
            Sbob: * LIST (\Noselect \HasChildren) "/" "Other Users/alice@example.com"
            Sbob: b OK ~
            Cbob: c LIST "" "Other %"
            Sbob: * LIST (\Noselect \HasChildren) "/" "Other Users"
            Sbob: c OK ~
            Cbob: d SUBSCRIBE "Other Users/alice@example.com/Sent"
            Sbob: d OK ~
            Cbob: e SUBSCRIBE "Other Users/alice@example.com/Drafts"
            Sbob: e NO [NONEXISTENT] ~
            Cbob: f LSUB "" Other*
            Sbob: * LSUB () "/" "Other Users/alice@example.com/Sent"
            Sbob: f OK ~
            Cbob: g LIST (SUBSCRIBED) "" Other*
            Sbob: * LIST (\HasNoChildren \Subscribed) "/" "Other Users/alice@example.com/Sent"
            Sbob: g OK ~
            Cbob: h NAMESPACE
            Sbob: * NAMESPACE (("" "/")) (("Other Users/" "/")) NIL
            Sbob: h OK ~
            C: e SETACL Sent bob@example.com ""
            S: e OK ~
            Cbob: i LIST (SUBSCRIBED) "" Other*
            Sbob: * LIST (\NonExistent \HasNoChildren \Subscribed) "/" "Other Users/alice@example.com/Sent"
            Sbob: i OK ~
            Cbob: j UNSUBSCRIBE "Other Users/alice@example.com/Sent"
            Sbob: j OK ~
            Ccarol: a LIST "" "*/*"
            Scarol: a OK ~
            """);
    }

    [Fact]
    public Task Two_users_see_each_others_changes_at_once() => ImapScript.RunAsync("""
        C: a SETACL INBOX bob@example.com lrswite
        S: a OK ~
        Cbob: a SELECT "Other Users/alice@example.com/INBOX"
        Sbob: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
        Sbob: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] ~
        Sbob: * 0 EXISTS
        Sbob: * 0 RECENT
        Sbob: * OK [UIDVALIDITY ~
        Sbob: * OK [UIDNEXT 1] ~
        Sbob: * OK [HIGHESTMODSEQ ~
        Sbob: * OK [MAILBOXID (F1-~)] ~
        Sbob: * OK [URLMECH ~
        Sbob: a OK [READ-WRITE] ~
        Cbob: b IDLE
        Sbob: + ~
        C: b APPEND INBOX {18+}
        C: Subject: hello
        C:
        C:
        S: b OK ~
        Sbob: * 1 EXISTS
        Sbob: * 1 RECENT
        Cbob: DONE
        Sbob: b OK ~
        C: c EXAMINE INBOX
        S: * FLAGS ~
        S: * OK [PERMANENTFLAGS ~
        S: * 1 EXISTS
        S: * 0 RECENT
        S: * OK [UNSEEN 1] ~
        S: * OK [UIDVALIDITY ~
        S: * OK [UIDNEXT 2] ~
        S: * OK [HIGHESTMODSEQ ~
        S: * OK [MAILBOXID (F1)] ~
        S: * OK [URLMECH ~
        S: c OK [READ-ONLY] ~
        C: d IDLE
        S: + ~
        Cbob: c UID SEARCH SUBJECT hello
        Sbob: * SEARCH 1
        Sbob: c OK ~
        Cbob: d FETCH 1 BODY[HEADER.FIELDS (SUBJECT)]
        Sbob: * 1 FETCH (FLAGS (\Seen \Recent) BODY[HEADER.FIELDS (SUBJECT)] {18}
        Sbob: Subject: hello
        Sbob:
        Sbob: )
        Sbob: d OK ~
        S: * 1 FETCH (FLAGS (\Seen))
        Cbob: e STORE 1 FLAGS (\Deleted)
        Sbob: * 1 FETCH (FLAGS (\Deleted \Recent))
        Sbob: e OK ~
        S: * 1 FETCH (FLAGS (\Deleted))
        Cbob: f EXPUNGE
        Sbob: * 1 EXPUNGE
        Sbob: * 0 RECENT
        Sbob: f OK ~
        S: * 1 EXPUNGE
        C: DONE
        S: d OK ~
        """);

    [Fact]
    public async Task Messages_are_copied_and_moved_to_another_user_with_the_flags_that_rights_allow_and_at_the_owners_cost()
    {
        await using var node = await RunningNode.StartAsync(static options => options with { QuotaMessages = 3 });
        await using var alice = await node.LogInAsync();
        await using var bob = await node.LogInAsync("bob@example.com");
        await alice.OkAsync("SETACL INBOX bob@example.com lris");
        await bob.AppendAsync("INBOX", "Subject: one\r\n\r\n", @"(\Seen \Flagged kw) ""01-Jan-2020 00:00:00 +0100"" ");
        await bob.AppendAsync("INBOX", "Subject: two\r\n\r\n" + new string('x', 100_000));
        await bob.OkAsync("SELECT INBOX");
        Assert.Matches(@"^OK \[COPYUID \d+ 1:2 1:2\] ", (await bob.CommandAsync($"COPY 1:2 {Inbox}"))[^1]);
        Assert.Matches(@"^OK ", (await bob.CommandAsync($"MOVE 1 {Inbox}"))[^1]);
        Assert.Equal(["* STATUS INBOX (MESSAGES 1)"], await bob.OkAsync("STATUS INBOX (MESSAGES)"));
        Assert.StartsWith("NO [OVERQUOTA] ", (await bob.CommandAsync($"MOVE 1 {Inbox}"))[^1], StringComparison.Ordinal);
        Assert.Equal(["* STATUS INBOX (MESSAGES 1)"], await bob.OkAsync("STATUS INBOX (MESSAGES)"));
        await alice.OkAsync("EXAMINE INBOX");
        Assert.Equal(
            [
                @"* 1 FETCH (FLAGS (\Seen \Recent) INTERNALDATE "" 1-Jan-2020 00:00:00 +0100"" RFC822.SIZE 16)",
                @"* 3 FETCH (FLAGS (\Seen \Recent) INTERNALDATE "" 1-Jan-2020 00:00:00 +0100"" RFC822.SIZE 16)",
            ], await alice.OkAsync("FETCH 1,3 (FLAGS INTERNALDATE RFC822.SIZE)"));
        Assert.Equal(["* 2 FETCH (RFC822.SIZE 100016)"], await alice.OkAsync("FETCH 2 RFC822.SIZE"));
        Assert.Equal(
            [$"* QUOTAROOT {Inbox} \"User quota/alice@example.com\"", "* QUOTA \"User quota/alice@example.com\" (MESSAGE 3 3)"],
            await bob.OkAsync($"GETQUOTAROOT {Inbox}"));
        Assert.Equal(["* QUOTA \"User quota/alice@example.com\" (MESSAGE 3 3)"], await bob.OkAsync("GETQUOTA \"User quota/alice@example.com\""));
        Assert.StartsWith("NO [NONEXISTENT] ", (await alice.CommandAsync("GETQUOTA \"User quota/bob@example.com\""))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [NONEXISTENT] ", (await alice.CommandAsync("GETQUOTA \"User quota/nobody@example.com\""))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Within_another_users_mailboxes_messages_are_copied_moved_and_replaced()
    {
        await using var node = await RunningNode.StartAsync();
        await using var alice = await node.LogInAsync();
        await using var bob = await node.LogInAsync("bob@example.com");
        foreach (var mailbox in new[] { "INBOX", "Archive" }) await alice.OkAsync($"SETACL {mailbox} bob@example.com lrswite");
        await alice.OkAsync("SETACL Trash bob@example.com li");
        foreach (var subject in new[] { "one", "two", "three" }) await alice.AppendAsync("INBOX", $"Subject: {subject}\r\n\r\n", @"(\Flagged) ");
        await bob.OkAsync($"SELECT {Inbox}");
        await bob.OkAsync("COPY 1 \"Other Users/alice@example.com/Archive\"");
        await bob.OkAsync("MOVE 1 \"Other Users/alice@example.com/Trash\"");
        await bob.SendAsync("r REPLACE 1 \"Other Users/alice@example.com/Archive\" {16+}\r\nSubject: new\r\n\r\n\r\n");
        Assert.StartsWith("OK ", (await bob.ReadAnswerAsync("r"))[^1], StringComparison.Ordinal);
        await bob.SendAsync("r REPLACE 1 INBOX {16+}\r\nSubject: new\r\n\r\n\r\n");
        Assert.StartsWith("OK ", (await bob.ReadAnswerAsync("r"))[^1], StringComparison.Ordinal);
        Assert.Equal(["* STATUS INBOX (MESSAGES 1)"], await bob.OkAsync("STATUS INBOX (MESSAGES)"));
        Assert.Equal(["* STATUS INBOX (MESSAGES 0)"], await alice.OkAsync("STATUS INBOX (MESSAGES)"));
        Assert.Equal(["* STATUS Archive (MESSAGES 2)"], await alice.OkAsync("STATUS Archive (MESSAGES)"));
        await alice.OkAsync("EXAMINE Archive");
        Assert.Equal([@"* 1 FETCH (FLAGS (\Flagged \Recent))", @"* 2 FETCH (FLAGS (\Recent))"], await alice.OkAsync("FETCH 1:* FLAGS"));
        await alice.OkAsync("EXAMINE Trash");
        Assert.Equal([@"* 1 FETCH (FLAGS (\Recent))"], await alice.OkAsync("FETCH 1:* FLAGS"));
    }

    [Fact]
    public async Task Flags_without_their_right_stay_as_they_are()
    {
        await using var node = await RunningNode.StartAsync();
        await using var alice = await node.LogInAsync();
        await using var bob = await node.LogInAsync("bob@example.com");
        await alice.AppendAsync("INBOX", "Subject: one\r\n\r\n", @"(\Deleted \Flagged kw) ");
        await alice.AppendAsync("INBOX", "Subject: two\r\n\r\n", @"(\Seen other) ");
        await alice.OkAsync("SETACL INBOX bob@example.com lrs");
        var lines = await bob.OkAsync($"SELECT {Inbox}");
        Assert.Contains(lines, static line => line.StartsWith(@"* OK [PERMANENTFLAGS (\Seen)] ", StringComparison.Ordinal));
        await bob.OkAsync("FETCH 1:* FLAGS");
        await bob.OkAsync(@"STORE 1:2 FLAGS.SILENT (\Seen \Answered new)");
        Assert.Equal([@"* 1 FETCH (FLAGS (\Flagged \Deleted \Seen \Recent kw))", @"* 2 FETCH (FLAGS (\Seen \Recent other))"], await bob.OkAsync("FETCH 1:* FLAGS"));
        await bob.OkAsync(@"STORE 1:2 FLAGS.SILENT (\Answered)");
        Assert.Equal([@"* 1 FETCH (FLAGS (\Flagged \Deleted \Recent kw))", @"* 2 FETCH (FLAGS (\Recent other))"], await bob.OkAsync("FETCH 1:* FLAGS"));
        await bob.OkAsync(@"STORE 1 +FLAGS.SILENT (\Seen \Answered new)");
        await bob.OkAsync(@"STORE 1 -FLAGS.SILENT (\Seen \Flagged kw)");
        Assert.Equal([@"* 1 FETCH (FLAGS (\Flagged \Deleted \Recent kw))"], await bob.OkAsync("FETCH 1 FLAGS"));
        Assert.StartsWith("NO [NOPERM] ", (await bob.CommandAsync(@"STORE 1 +FLAGS (\Deleted)"))[^1], StringComparison.Ordinal);
        await alice.OkAsync("SETACL INBOX bob@example.com lrwt");
        await bob.OkAsync(@"STORE 1:2 FLAGS.SILENT (\Seen new)");
        Assert.Equal([@"* 1 FETCH (FLAGS (\Recent new))", @"* 2 FETCH (FLAGS (\Recent new))"], await bob.OkAsync("FETCH 1:* FLAGS"));
        await alice.OkAsync("SETACL INBOX bob@example.com lr");
        await bob.OkAsync("FETCH 1 BODY[]");
        Assert.Equal([@"* 1 FETCH (FLAGS (\Recent new))"], await bob.OkAsync("FETCH 1 FLAGS"));
    }

    [Theory]
    [InlineData("SETACL INBOX bob@example.com l")]
    [InlineData("SETACL INBOX -bob@example.com r")]
    [InlineData("DELETEACL INBOX bob@example.com")]
    [InlineData("SETACL INBOX bob@example.com r")]
    public async Task Whoever_may_not_read_any_more_is_told_goodbye_in_IDLE_and_at_the_next_command(string revocation)
    {
        await using var node = await RunningNode.StartAsync();
        await using var alice = await node.LogInAsync();
        await using var bob = await node.LogInAsync("bob@example.com");
        await using var idling = await node.LogInAsync("bob@example.com");
        await alice.OkAsync("SETACL INBOX bob@example.com lr");
        await bob.OkAsync($"SELECT {Inbox}");
        await idling.OkAsync($"SELECT {Inbox}");
        await idling.SendLineAsync("i IDLE");
        Assert.StartsWith("+ ", await idling.ReadLineAsync(), StringComparison.Ordinal);
        await alice.OkAsync(revocation);
        Assert.StartsWith("* BYE ", await idling.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Null(await idling.ReadLineAsync());
        await bob.SendLineAsync("f FETCH 1:* BODY[]");
        Assert.StartsWith("* BYE ", await bob.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Null(await bob.ReadLineAsync());
        await alice.OkAsync("SELECT INBOX");
    }

    [Fact]
    public async Task A_mailbox_is_made_renamed_and_deleted_for_somebody_else()
    {
        await using var node = await RunningNode.StartAsync();
        await using var alice = await node.LogInAsync();
        await using var bob = await node.LogInAsync("bob@example.com");
        await alice.OkAsync("CREATE team");
        await alice.OkAsync("SETACL team bob@example.com lrkx");
        await bob.OkAsync("CREATE \"Other Users/alice@example.com/team/a/b\"");
        await bob.OkAsync("SELECT \"Other Users/alice@example.com/team/a/b\"");
        await bob.OkAsync("RENAME \"Other Users/alice@example.com/team/a/b\" \"Other Users/alice@example.com/team/c\"");
        Assert.Equal(["* STATUS team/c (MESSAGES 0)"], await alice.OkAsync("STATUS team/c (MESSAGES)"));
        await bob.OkAsync("DELETE \"Other Users/alice@example.com/team/c\"");
        await bob.OkAsync("NOOP");
        Assert.StartsWith("BAD ", (await bob.CommandAsync("CHECK"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [NOPERM] ", (await bob.CommandAsync("CREATE \"Other Users/alice@example.com/mine\""))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [CANNOT] ", (await bob.CommandAsync("RENAME \"Other Users/alice@example.com/team\" mine"))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [USEATTR] ", (await bob.CommandAsync("CREATE \"Other Users/alice@example.com/team/s\" (USE (\\Sent))"))[^1], StringComparison.Ordinal);
        await alice.OkAsync("SETACL INBOX bob@example.com lrkx");
        Assert.StartsWith("NO [CANNOT] ", (await bob.CommandAsync($"RENAME {Inbox} \"Other Users/alice@example.com/team/i\""))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [CANNOT] ", (await bob.CommandAsync($"DELETE {Inbox}"))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Annotations_for_all_are_shared_and_private_ones_are_the_owners()
    {
        await using var node = await RunningNode.StartAsync();
        await ImapScript.RunAsync(node, """
            C: a SETMETADATA INBOX (/private/comment "mine" /shared/comment "ours")
            S: a OK ~
            C: b SETACL INBOX bob@example.com lr
            S: b OK ~
            Cbob: z GETMETADATA (DEPTH infinity) "Other Users/alice@example.com/INBOX" (/private /shared)
            Sbob: * METADATA "Other Users/alice@example.com/INBOX" (/shared/comment "ours")
            Sbob: z OK ~
            Cbob: a GETMETADATA "Other Users/alice@example.com/INBOX" (/private/comment /shared/comment)
            Sbob: * METADATA "Other Users/alice@example.com/INBOX" (/private/comment NIL /shared/comment "ours")
            Sbob: a OK ~
            Cbob: b SETMETADATA "Other Users/alice@example.com/INBOX" (/shared/comment "his")
            Sbob: b NO [NOPERM] ~
            C: c SETACL INBOX bob@example.com lrw
            S: c OK ~
            Cbob: c SETMETADATA "Other Users/alice@example.com/INBOX" (/shared/comment "his")
            Sbob: c OK ~
            Cbob: d SETMETADATA "Other Users/alice@example.com/INBOX" (/private/comment "his")
            Sbob: d NO [NOPERM] ~
            C: d GETMETADATA INBOX (/private/comment /shared/comment)
            S: * METADATA INBOX (/private/comment "mine" /shared/comment "his")
            S: d OK ~
            C: e SETACL INBOX bob@example.com l
            S: e OK ~
            Cbob: e GETMETADATA "Other Users/alice@example.com/INBOX" /shared/comment
            Sbob: e NO [NOPERM] ~
            """);
    }

    [Fact]
    public async Task The_shared_account_shares_with_everybody_under_a_namespace_of_its_own()
    {
        await using var node = await RunningNode.StartAsync(static options => options with { SharedUser = "shared@example.com" });
        await ImapScript.RunAsync(node, """
            Cshared: a CREATE news
            Sshared: a OK ~
            Cshared: b SETACL news anyone lr
            Sshared: b OK ~
            Cshared: c SETACL news -bob@example.com l
            Sshared: c OK ~
            Cshared: d LIST "" "Shared*"
            Sshared: d OK ~
            C: a NAMESPACE
            S: * NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared Folders/" "/"))
            S: a OK ~
            C: b LIST "" Shared*
            S: * LIST (\Noselect \HasChildren) "/" "Shared Folders"
            S: * LIST (\HasNoChildren) "/" "Shared Folders/news"
            S: b OK ~
            C: c LIST "" Other*
            S: c OK ~
            C: d MYRIGHTS "Shared Folders/news"
            S: * MYRIGHTS "Shared Folders/news" lr
            S: d OK ~
            C: e SELECT "Other Users/shared@example.com/news"
            S: e NO [NONEXISTENT] ~
            C: f STATUS "Shared Folders/news" (MESSAGES)
            S: * STATUS "Shared Folders/news" (MESSAGES 0)
            S: f OK ~
            C: g CREATE "Shared Folders/mine"
            S: g NO [NOPERM] ~
            C: h SELECT "Shared Folders"
            S: h NO [NONEXISTENT] ~
            Cbob: a LIST "" Shared*
            Sbob: a OK ~
            Cbob: b SELECT "Shared Folders/news"
            Sbob: b NO [NONEXISTENT] ~
            """);
    }

    [Theory]
    [InlineData("Other Users")]
    [InlineData("Other Users/alice@example.com")]
    [InlineData("Other Users/bob@example.com/INBOX")]
    [InlineData("Other Users/Alice@example.com/INBOX")]
    [InlineData("Other Users/alice+x@example.com/INBOX")]
    [InlineData("Other Users/nobody@example.com/INBOX")]
    [InlineData("Other Users/.../INBOX")]
    [InlineData("Other Users/alice@example.com/Trash")]
    public async Task A_name_that_leads_nowhere_is_no_mailbox_and_makes_none(string name)
    {
        await using var node = await RunningNode.StartAsync();
        await using var alice = await node.LogInAsync();
        await using var bob = await node.LogInAsync("bob@example.com");
        await alice.OkAsync("SETACL INBOX bob@example.com lrswipkxtea");
        Assert.StartsWith("NO [NONEXISTENT] ", (await bob.CommandAsync($"SELECT \"{name}\""))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [NOPERM] ", (await bob.CommandAsync($"CREATE \"{name}\""))[^1], StringComparison.Ordinal);
        Assert.StartsWith("NO [TRYCREATE] ", (await bob.CommandAsync($"APPEND \"{name}\" {{9}}"))[^1], StringComparison.Ordinal);
        await bob.SendLineAsync("x NOOP");
        Assert.StartsWith("OK ", (await bob.ReadAnswerAsync("x"))[^1], StringComparison.Ordinal);
        Assert.Equal(2, node.UserDirectories.Length);
    }
}
