using System.Text;
using CsCheck;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Store;
using ImapDirector.Storage.Tests.Store.Maintenance;
using Xunit;

namespace ImapDirector.Storage.Tests.Exchange;

/// <summary>What is exported and imported again is the same mail.</summary>
public sealed class RoundTripTests
{
    private static readonly string[] Names = ["INBOX", "INBOX/child", "a.b/c\\d", "a\\2eb", "Entw\u00fcrfe/\u65e5\u672c\u8a9e", "R&D", "~tilde", "-rf", "with space", "..x", "\\", "cur", "Sent"];

    // What lines of text, of other formats and of nothing look like.
    private static readonly string[] Texts =
    [
        "Subject: plain\r\n\r\nText.\r\n",
        "Subject: no end\r\n\r\nText",
        "Subject: header only\r\n",
        "Subject: header only, without an end",
        "\r\n",
        "\r\n\r\n\r\n",
        "Text without a header.\r\nFrom here on.\r\n",
        "From: a@example.org\r\nSubject: From lines\r\n\r\nFrom the top\r\n>From quoted\r\n>>From twice\r\n From indented\r\nFrom bob@example.org Sat Jan  3 01:05:34 1996\r\n\r\nFrom behind an empty line\r\n",
        "Subject: ends\r\n\r\n\r\n\r\n",
        "Subject: 8 bit\r\n\r\n\u00e4\u00f6\u00fc \u00ff\u0080\u0000 zero\r\n",
        " a line that goes on from nowhere\r\n\r\nText\r\n",
        "Subject: dots\r\n\r\n.\r\n..\r\n",
    ];

    // These say LF and CRLF in one message, or CR alone: a file with LF could not hold them.
    private static readonly string[] MixedTexts =
    [
        "Subject: mixed\r\n\r\nbare\nlf\r\nand\rcr\r\n",
        "Subject: mixed\r\n\r\ntwo\r\r\nreturns\r\n",
        "Subject: CR at the end\r\n\r\nx\r",
    ];

    private static readonly string[] Pieces = ["\r\n", "\n", "\r", "From ", ">From ", "Status: RO", "X-Keywords: a b", " ", "text", ":", "\u00e9"];

    private static readonly Gen<(byte[] Text, int Flags, int Keywords, long Seconds)> Messages = Gen.Select(
        Gen.Int[0, Pieces.Length - 1].Array[0, 40],
        Gen.Int[0, 31], Gen.Int[0, 3], Gen.Long[-1_000_000_000, 4_000_000_000],
        static (pieces, flags, keywords, seconds) => (Encoding.Latin1.GetBytes("X\r\n" + string.Concat(pieces.Select(static piece => Pieces[piece]))), flags, keywords, seconds));

    [Theory]
    [InlineData(MailFormat.Maildir)]
    [InlineData(MailFormat.Mbox)]
    public async Task Mail_comes_back_with_its_mailboxes_flags_and_dates(MailFormat format)
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        await FillAsync(exchange.User, [.. Texts, .. format == MailFormat.Maildir ? MixedTexts : []]);
        var exported = exchange.Export(format);
        Assert.Empty(exported.Findings);
        await using var target = await StoreFixture.OpenAsync();
        var imported = await exchange.ImportAsync(target, format);
        Assert.Empty(imported.Findings);
        Assert.Equal((exported.Mailboxes, exported.Messages), (imported.Mailboxes, imported.Messages));
        Assert.Equal(Describe(exchange.User, format), Describe(target, format));
        Assert.Empty(target.Check());
    }

    [Fact]
    public async Task Any_messages_come_back_from_a_maildir_byte_for_byte_with_their_uids()
    {
        var mailboxes = new List<(byte[] Text, int Flags, int Keywords, long Seconds)[]>();
        Messages.Array[0, 8].Sample(mailboxes.Add, iter: 15, threads: 1);
        foreach (var messages in mailboxes)
        {
            await using var exchange = await ExchangeFixture.OpenAsync();
            foreach (var (text, flags, keywords, seconds) in messages)
            {
                var added = await exchange.User.AddAsync("INBOX", text, new FlagList((SystemFlags)flags, [.. new[] { "one", "$Two", "thr33" }.Take(keywords)]), DateTimeOffset.FromUnixTimeSeconds(seconds));
                if (flags % 3 == 0) await exchange.User.Store.ExpungeAsync(exchange.User.Inbox.Id, [added.Uid], CancellationToken.None);
            }
            Assert.Empty(exchange.Export(MailFormat.Maildir, keepUids: true).Findings);
            await using var target = await StoreFixture.OpenAsync();
            Assert.Empty((await exchange.ImportAsync(target, MailFormat.Maildir, keepUids: true)).Findings);
            Assert.Equal((exchange.User.Inbox.UidValidity, exchange.User.Inbox.UidNext), (target.Inbox.UidValidity, target.Inbox.UidNext));
            Assert.Equal(Lines(exchange.User), Lines(target));
            Assert.Empty(target.Check());
        }

        static List<string> Lines(StoreFixture user) => [.. user.Store.LoadMessages(user.Inbox.Id).Select(message =>
            $"{message.Uid} {message.Flags} {string.Join(' ', message.Keywords.Order())} {message.InternalDate:O} {Encoding.Latin1.GetString(user.Content(message))}")];
    }

    [Fact]
    public async Task Any_lines_come_back_from_an_mbox()
    {
        string[] lines = ["", "From ", "From x Sat Jan  3 01:05:34 1996", ">From ", ">>From a", "Subject: x", " folded", "text", ">", "From", "\u00e9"];
        var messages = new List<string>();
        Gen.Int[0, lines.Length - 1].Array[1, 12].Sample(numbers => messages.Add(string.Concat(numbers.Select(number => lines[number] + "\r\n"))), iter: 400, threads: 1);
        await using var exchange = await ExchangeFixture.OpenAsync();
        foreach (var message in messages) await exchange.User.AddAsync("INBOX", message);
        exchange.Export(MailFormat.Mbox);
        await using var target = await StoreFixture.OpenAsync();
        Assert.Empty((await exchange.ImportAsync(target, MailFormat.Mbox)).Findings);
        Assert.Equal(messages, target.Store.LoadMessages(target.Inbox.Id).Select(message => Encoding.Latin1.GetString(target.Content(message))));
    }

    [Fact]
    public async Task A_large_message_comes_back()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        var text = new StringBuilder("Subject: large\r\n\r\n");
        while (text.Length < 3_000_000) text.Append(new string('x', text.Length % 997)).Append("\r\nFrom x\r\n");
        text.Append(new string('y', 200_001)).Append('\r').Append(new string('z', 70_000)).Append("\r\n");
        var bytes = Encoding.Latin1.GetBytes(text.ToString());
        await exchange.User.AddAsync("INBOX", bytes);
        foreach (var format in new[] { MailFormat.Maildir, MailFormat.Mbox })
        {
            Assert.Equal(1, exchange.Export(format).Messages);
            await using var target = await StoreFixture.OpenAsync();
            Assert.Equal(1, (await exchange.ImportAsync(target, format)).Messages);
            Assert.True(bytes.AsSpan().SequenceEqual(target.Content(target.Store.LoadMessages(target.Inbox.Id)[0])));
            Directory.Delete(exchange.Mail, recursive: true);
        }
    }

    [Fact]
    public async Task A_mailbox_that_cannot_be_a_file_gets_another_name_and_is_told()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        var name = string.Join('/', Enumerable.Repeat(new string('\u00e9', 60), 5));
        await exchange.User.Store.CreateMailboxAsync(new MailboxName(name), null, CancellationToken.None);
        await exchange.User.AddAsync(name, "text\r\n");
        Assert.Contains("too long for a file", Assert.Single(exchange.Export(MailFormat.Maildir).Findings, finding => finding.What.Contains(name, StringComparison.Ordinal)).What, StringComparison.Ordinal);
        await using var target = await StoreFixture.OpenAsync();
        Assert.Equal(1, (await exchange.ImportAsync(target, MailFormat.Maildir)).Messages);
    }

    [Fact]
    public async Task Keywords_that_a_maildir_has_no_letter_for_are_told()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        await exchange.User.AddAsync("INBOX", "1\r\n", new FlagList(SystemFlags.None, [.. Enumerable.Range(0, 30).Select(static number => $"k{number}")]));
        Assert.Contains("4 keywords more than the 26", Assert.Single(exchange.Export(MailFormat.Maildir).Findings).What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_message_is_told_and_the_others_are_exported()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        await exchange.User.AddAsync("INBOX", "small\r\n");
        await exchange.User.AddAsync("INBOX", new string('x', MessageContents.MaxBodyBytesInDatabase + 1));
        File.Delete(exchange.User.ContentFile());
        var exported = exchange.Export(MailFormat.Maildir);
        Assert.Equal(1, exported.Messages);
        Assert.Equal("\"INBOX\" UID 2 has lost what it says", Assert.Single(exported.Findings).What);
    }

    [Fact]
    public async Task Only_the_owner_may_read_an_export()
    {
        if (OperatingSystem.IsWindows()) return;
        await using var exchange = await ExchangeFixture.OpenAsync();
        await exchange.User.AddAsync("INBOX", "1\r\n", new FlagList(SystemFlags.None, ["k"]));
        exchange.Export(MailFormat.Maildir, keepUids: true);
        const UnixFileMode others = (UnixFileMode)0b000_111_111;
        foreach (var path in Directory.EnumerateFileSystemEntries(exchange.Mail, "*", SearchOption.AllDirectories).Append(exchange.Mail))
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(path) & others);
    }

    private static async Task FillAsync(StoreFixture user, string[] texts)
    {
        var number = 0;
        foreach (var name in Names)
        {
            await user.Store.CreateMailboxAsync(new MailboxName(name), null, CancellationToken.None);
            await user.Store.SetSubscribedAsync(new MailboxName(name), true, CancellationToken.None);
            for (var i = 0; i < 2; i++, number++)
            {
                var flags = new FlagList((SystemFlags)(number % 32), number % 3 == 0 ? ["$Forwarded", "Work!"] : number % 3 == 1 ? ["work!"] : []);
                // Before 1970, in it, now, and when times no longer fit 32 bits.
                var date = DateTimeOffset.FromUnixTimeSeconds((number % 4) switch { 0 => -86_401, 1 => 1, 2 => 1_700_000_000, _ => 5_000_000_000 });
                await user.AddAsync(name, Encoding.Latin1.GetBytes(texts[number % texts.Length]), flags, date);
            }
        }
        foreach (var text in texts) await user.AddAsync("Archive", text);
    }

    /// <summary>All that an exchange keeps. A line of an mbox always has an end.</summary>
    private static string Describe(StoreFixture user, MailFormat format) => string.Join('\n', user.Store.ListMailboxes().Select(mailbox =>
        $"{mailbox.Name} {mailbox.Messages} {mailbox.Unseen} {mailbox.Deleted} {mailbox.Subscribed}\n" + string.Join('\n', user.Store.LoadMessages(mailbox.Id).Select(message =>
        {
            var text = Encoding.Latin1.GetString(user.Content(message));
            if (format == MailFormat.Mbox && !text.EndsWith('\n')) text += "\r\n";
            return $"{message.Flags} [{string.Join(' ', message.Keywords.Select(static keyword => keyword.ToUpperInvariant()).Order())}] {message.InternalDate:O} {text.Replace("\r", "<CR>", StringComparison.Ordinal)}";
        }))));
}
