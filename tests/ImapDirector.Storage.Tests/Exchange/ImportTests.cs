using System.Diagnostics;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Store;
using ImapDirector.Storage.Tests.Store.Maintenance;
using Xunit;

namespace ImapDirector.Storage.Tests.Exchange;

/// <summary>Mail of other programs, and of people who mean no good.</summary>
public sealed class ImportTests
{
    private const string Text = "Subject: x\n\nText.\n";

    [Fact]
    public async Task A_maildir_of_another_program_is_read_with_its_flags_and_dates()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        exchange.Write("cur/1700000002.M1P1.host,S=18:2,FRSTDPabz", Text);
        exchange.Write("new/1700000003.M1P1.host", "Subject: CRLF\r\n\r\nbare\nlf\r\n");
        exchange.Write("cur/1700000001.M1P1.host:2,", Text);
        exchange.Write("tmp/1700000004.M1P1.host", "half");
        exchange.Write("cur/.hidden", "nothing");
        exchange.Write("dovecot-keywords", "0 $Junk\n1 Work\n7\nx y\n");
        exchange.Write(".Entw&APw-rfe.Alt/cur/1.1.host:2,S", Text);
        exchange.Write("subscriptions", "V\t2\n\nEntw&APw-rfe\tAlt\n");
        exchange.Write("not-a-folder/cur/1.1.host:2,S", Text);
        exchange.Write(".nothing/file", Text);
        File.SetLastWriteTimeUtc(Path.Combine(exchange.Mail, "cur/1700000002.M1P1.host,S=18:2,FRSTDPabz"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        var imported = await exchange.ImportAsync(exchange.User, MailFormat.Maildir);
        Assert.Equal((2, 4), (imported.Mailboxes, imported.Messages));
        Assert.Equal("the Maildir \"not-a-folder\" is no folder of this one", Assert.Single(imported.Findings).What);
        var inbox = exchange.User.Store.LoadMessages(exchange.User.Inbox.Id);
        Assert.Equal([SystemFlags.None, (SystemFlags)31, SystemFlags.None], inbox.Select(message => message.Flags));
        Assert.Equal("$Forwarded $Junk Work", string.Join(' ', inbox[1].Keywords));
        Assert.Equal(new DateTimeOffset(2001, 2, 3, 4, 5, 6, TimeSpan.Zero), inbox[1].InternalDate);
        Assert.Equal("Subject: x\r\n\r\nText.\r\n"u8.ToArray(), exchange.User.Content(inbox[0]));
        Assert.Equal("Subject: CRLF\r\n\r\nbare\nlf\r\n"u8.ToArray(), exchange.User.Content(inbox[2]));
        Assert.True(exchange.User.Mailbox("Entw\u00fcrfe/Alt") is { Messages: 1, Unseen: 0, Subscribed: true });
    }

    [Theory]
    [InlineData("3 V1700000000 N20 Gabc\n7 W10 S9 :1.a.host,S=1:2,S\n12 :1.c.host\n")]
    [InlineData("1 1700000000 20\n7 1.a.host\n12 1.c.host:2,\n")]
    [InlineData("3 V1700000000 N1\n7 :1.a.host,S=1\n12 :1.c.host\n19 :1.gone.host\n")]
    public async Task Uids_are_kept_and_what_has_none_comes_behind_them(string list)
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        exchange.Write("cur/1.c.host:2,", Text);
        exchange.Write("cur/1.b.host:2,", Text);
        exchange.Write(list[0] == '3' ? "cur/1.a.host,S=1:2,T" : "cur/1.a.host:2,T", Text);
        exchange.Write("dovecot-uidlist", list);
        var imported = await exchange.ImportAsync(exchange.User, MailFormat.Maildir, keepUids: true);
        Assert.Empty(imported.Findings);
        Assert.Equal([7u, 12u, 20u], exchange.User.Store.LoadMessages(exchange.User.Inbox.Id).Select(message => message.Uid));
        Assert.Equal((1_700_000_000u, 21u), (exchange.User.Inbox.UidValidity, exchange.User.Inbox.UidNext));

        // Everything a second time, behind what is there, and said so.
        imported = await exchange.ImportAsync(exchange.User, MailFormat.Maildir, keepUids: true);
        Assert.Equal("those that come get new UIDs", Assert.Single(imported.Findings).Mend);
        Assert.Equal([7u, 12u, 20u, 21u, 22u, 23u], exchange.User.Store.LoadMessages(exchange.User.Inbox.Id).Select(message => message.Uid));
        Assert.Empty(exchange.User.Check());
    }

    [Fact]
    public async Task A_mailbox_that_had_messages_keeps_its_own_uidvalidity()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        var gone = await exchange.User.AddAsync("INBOX", "x");
        await exchange.User.Store.ExpungeAsync(exchange.User.Inbox.Id, [gone.Uid], CancellationToken.None);
        var before = exchange.User.Inbox.UidValidity;
        exchange.Write("cur/1.a.host:2,", Text);
        exchange.Write("dovecot-uidlist", "3 V5 N9\n1 :1.a.host\n");
        Assert.Single((await exchange.ImportAsync(exchange.User, MailFormat.Maildir, keepUids: true)).Findings);
        Assert.Equal((before, 2u), (exchange.User.Inbox.UidValidity, Assert.Single(exchange.User.Store.LoadMessages(exchange.User.Inbox.Id)).Uid));
    }

    [Theory]
    [InlineData("")]
    [InlineData("4 V1 N2\n")]
    [InlineData("3 V1\n")]
    [InlineData("3 V0 N5\n")]
    [InlineData("3 V1 N5\n-1 :1.a.host\n")]
    [InlineData("3 V1 N5\n1 :1.a.host\n1 :1.b.host\n")]
    [InlineData("3 V99999999999 N5\n")]
    [InlineData("3 V1 N5\n\n")]
    [InlineData("1 1\n")]
    public async Task A_uidlist_that_cannot_be_is_told_and_not_used(string list)
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        exchange.Write("cur/1.a.host:2,", Text);
        exchange.Write("dovecot-uidlist", list);
        var validity = exchange.User.Inbox.UidValidity;
        var imported = await exchange.ImportAsync(exchange.User, MailFormat.Maildir, keepUids: true);
        Assert.Contains("no dovecot-uidlist that can be read", Assert.Single(imported.Findings).What, StringComparison.Ordinal);
        Assert.Equal((1, validity), (imported.Messages, exchange.User.Inbox.UidValidity));
    }

    [Fact]
    public async Task What_is_damaged_or_no_plain_file_is_told_and_left_out()
    {
        if (OperatingSystem.IsWindows()) return;
        await using var exchange = await ExchangeFixture.OpenAsync();
        exchange.Write("cur/1.good.host:2,S", Text);
        exchange.Write("cur/2.empty.host:2,S", "");
        Directory.CreateDirectory(Path.Combine(exchange.Mail, "cur/3.directory.host:2,S"));
        exchange.Write("../secret", "of somebody else");
        File.CreateSymbolicLink(Path.Combine(exchange.Mail, "cur/4.link.host:2,S"), "../../secret");
        File.CreateSymbolicLink(Path.Combine(exchange.Mail, "cur/5.broken.host:2,S"), "/nowhere");
        using (var pipe = Process.Start("mkfifo", [Path.Combine(exchange.Mail, "cur/6.pipe.host:2,S")])) await pipe.WaitForExitAsync();
        Directory.CreateSymbolicLink(Path.Combine(exchange.Mail, ".Linked"), exchange.Mail);
        exchange.Write(".Half/new/1.good.host", Text);
        Directory.CreateSymbolicLink(Path.Combine(exchange.Mail, ".Half/cur"), Path.Combine(exchange.Mail, "cur"));
        var imported = await exchange.ImportAsync(exchange.User, MailFormat.Maildir);
        Assert.Equal(2, imported.Messages);
        Assert.All(imported.Findings, finding => Assert.Equal(StoreFindingKind.Exchange, finding.Kind));
        Assert.Equal(["\"cur\" of \"Half\" is a link", "2.empty.host:2,S\" is empty", "4.link.host:2,S\" is a link", "5.broken.host:2,S\" is a link", "6.pipe.host:2,S\" is empty", "the folder \".Linked\" is a link"],
            imported.Findings.Select(finding => finding.What[Math.Max(finding.What.IndexOf("cur/", StringComparison.Ordinal) + 4, 4)..] is var rest && finding.What.Contains("cur/", StringComparison.Ordinal) ? rest : finding.What).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("..")]
    [InlineData(".a..b")]
    [InlineData(".a.")]
    [InlineData(".\\2e\\2e")]
    [InlineData(".a\u0007")]
    public async Task A_folder_whose_name_no_mailbox_can_have_is_told_and_left_out(string folder)
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        exchange.Write("cur/1.good.host:2,S", Text);
        // Its parent is not below the mail: what a path would make of it must not be read.
        exchange.Write(folder == ".." ? "..hidden/cur/1.x.host" : folder + "/cur/1.x.host", Text);
        if (folder == "..") exchange.Write("../cur/1.secret.host", Text);
        var before = exchange.User.Store.ListMailboxes().Count;
        var imported = await exchange.ImportAsync(exchange.User, MailFormat.Maildir);
        Assert.Contains("a name that no mailbox can have", Assert.Single(imported.Findings).What, StringComparison.Ordinal);
        Assert.Equal((1, before), (imported.Messages, exchange.User.Store.ListMailboxes().Count));
        Assert.DoesNotContain(imported.Findings[0].What, char.IsControl);
    }

    [Fact]
    public async Task Keywords_that_are_none_or_too_many_are_told_and_left_out()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        exchange.Write("cur/1.a.host:2,abc", Text);
        exchange.Write("dovecot-keywords", $"0 good\n1 b(d\n2 {new string('x', 51)}\n");
        var imported = await exchange.ImportAsync(exchange.User, MailFormat.Maildir);
        Assert.Contains("keywords that cannot be", Assert.Single(imported.Findings).What, StringComparison.Ordinal);
        Assert.Equal("good", string.Join(' ', exchange.User.Store.LoadMessages(exchange.User.Inbox.Id)[0].Keywords));
    }

    [Theory]
    [InlineData(MailFormat.Maildir)]
    [InlineData(MailFormat.Mbox)]
    public async Task A_source_that_is_nothing_of_the_kind_is_refused_and_makes_no_user(MailFormat format)
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        exchange.Write("something", "else");
        await exchange.User.Store.DisposeAsync();
        Directory.Delete(exchange.User.UserDirectory, recursive: true);
        using (var taken = StoreDirectory.Open(exchange.User.Directory.FullName).Take())
        {
            await Assert.ThrowsAsync<InvalidDataException>(() => taken.ImportAsync(exchange.User.User, exchange.Mail, format, keepUids: false, progress: null, CancellationToken.None));
            await Assert.ThrowsAsync<InvalidDataException>(() => taken.ImportAsync(exchange.User.User, exchange.Mail + "/absent", format, keepUids: false, progress: null, CancellationToken.None));
        }
        Assert.False(Directory.Exists(exchange.User.UserDirectory));
    }

    [Fact]
    public async Task An_mbox_of_another_program_is_read_with_its_flags_and_dates()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        exchange.Write("INBOX.mbox", """
            From bob@example.org  Sat Jan  3 01:05:34 1996
            Subject: one
            Status: RO
            X-Status: AF
            X-Keywords: $Junk
            	Work
            X-UID: 7
            Status: D
            X-Mine: stays

            >From here
            From there, without an empty line in front
            From bob@example.org Sun Feb 29 23:59:59 2004 -0330
            Subject: two

            Status: body

            From - nobody knows when
            Subject: three

            """);
        exchange.Write("A.B.mbox", "From a Sat Jan  3 01:05:34 1996\r\nSubject: CRLF\r\n\r\nText\r\n\r\n");
        exchange.Write("Empty.mbox", "");
        exchange.Write("Bad.mbox", "Subject: no mbox\n\n");
        exchange.Write("x..mbox", "From a Sat Jan  3 01:05:34 1996\n\n");
        var imported = await exchange.ImportAsync(exchange.User, MailFormat.Mbox);
        Assert.Equal(["\"Bad.mbox\" does not begin with a From line", "\"x..mbox\" has a name that no mailbox can have"], imported.Findings.Select(finding => finding.What).Order(StringComparer.Ordinal));
        var inbox = exchange.User.Store.LoadMessages(exchange.User.Inbox.Id);
        Assert.Equal(3, inbox.Count);
        Assert.Equal("Subject: one\r\nX-Mine: stays\r\n\r\nFrom here\r\nFrom there, without an empty line in front\r\n"u8.ToArray(), exchange.User.Content(inbox[0]));
        Assert.Equal((SystemFlags.Seen | SystemFlags.Answered | SystemFlags.Flagged, "$Junk Work"), (inbox[0].Flags, string.Join(' ', inbox[0].Keywords)));
        Assert.Equal(new DateTimeOffset(1996, 1, 3, 1, 5, 34, TimeSpan.Zero), inbox[0].InternalDate);
        Assert.Equal("Subject: two\r\n\r\nStatus: body\r\n"u8.ToArray(), exchange.User.Content(inbox[1]));
        Assert.Equal(new DateTimeOffset(2004, 2, 29, 23, 59, 59, TimeSpan.FromMinutes(-210)).UtcDateTime, inbox[1].InternalDate.UtcDateTime);
        Assert.Equal(DateTime.UtcNow.Year, inbox[2].InternalDate.Year);
        Assert.Equal("Subject: CRLF\r\n\r\nText\r\n"u8.ToArray(), exchange.User.Content(exchange.User.Store.LoadMessages(exchange.User.Mailbox("A/B").Id)[0]));
        Assert.Equal(0u, exchange.User.Mailbox("Empty").Messages);
    }

    [Fact]
    public async Task Whoever_sends_a_message_sets_no_flags_by_it()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        await exchange.User.AddAsync("INBOX", "X-Status: D\r\nX-Keywords: chosen\r\n by me\r\nStatus: RO\r\nSubject: x\r\n\r\nX-Status: D\r\n");
        exchange.Export(MailFormat.Mbox);
        Assert.DoesNotContain("chosen", exchange.Read("INBOX.mbox"), StringComparison.Ordinal);
        await using var target = await StoreFixture.OpenAsync();
        await exchange.ImportAsync(target, MailFormat.Mbox);
        var message = Assert.Single(target.Store.LoadMessages(target.Inbox.Id));
        Assert.Equal((SystemFlags.None, 0), (message.Flags, message.Keywords.Length));
        Assert.Equal("Subject: x\r\n\r\nX-Status: D\r\n"u8.ToArray(), target.Content(message));
    }

    [Fact]
    public async Task A_new_user_is_made()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        exchange.Write("cur/1.a.host:2,", Text);
        Assert.True(ImapDirector.Protocol.UserName.TryCreate("bob@example.com", null, out var bob));
        using (var taken = StoreDirectory.Open(exchange.User.Directory.FullName).Take())
            Assert.Equal(1, (await taken.ImportAsync(bob, exchange.Mail, MailFormat.Maildir, keepUids: false, progress: null, CancellationToken.None)).Messages);
        await using var store = await UserStore.OpenAsync(exchange.User.Directory.FullName, bob, CancellationToken.None);
        Assert.Equal(1u, store.FindMailbox(MailboxName.Inbox)!.Messages);
        Assert.Equal(2, StoreDirectory.Open(exchange.User.Directory.FullName).ListUsers().Count);
    }
}
