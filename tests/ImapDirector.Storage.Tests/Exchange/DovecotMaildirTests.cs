using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Tests.Sessions;
using ImapDirector.Storage.Tests.Store;
using ImapDirector.Storage.Tests.Store.Maintenance;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Storage.Tests.Exchange;

/// <summary>Mail moves between the node and Dovecot, in Dovecot's own Maildir, with UIDs and all.</summary>
public sealed class DovecotMaildirTests
{
    private const string User = "alice";

    [FactIfInstalled("dovecot")]
    public async Task Dovecot_serves_what_was_exported_under_the_same_uids()
    {
        await using var exchange = await FilledAsync();
        await using var server = await DovecotServer.StartAsync();
        Assert.Empty(exchange.Export(MailFormat.Maildir, keepUids: true).Findings);
        Directory.Move(exchange.Mail, server.MaildirOf(User));
        await DovecotServer.GiveAsync(server.MaildirOf(User));
        await using var client = await LogInAsync(server);
        foreach (var name in new[] { "INBOX", "Entw\u00fcrfe/Alt", "INBOX/child" })
        {
            var mailbox = exchange.User.Mailbox(name);
            var selected = await client.OkAsync($"SELECT \"{Encoding.ASCII.GetString(mailbox.Name.ToModifiedUtf7())}\"");
            Assert.Contains(selected, line => line.Contains($"[UIDVALIDITY {mailbox.UidValidity}]", StringComparison.Ordinal));
            Assert.Contains(selected, line => line.Contains($"[UIDNEXT {mailbox.UidNext}]", StringComparison.Ordinal));
            var messages = exchange.User.Store.LoadMessages(mailbox.Id);
            var fetched = await client.OkAsync("UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)");
            foreach (var message in messages)
            {
                var line = Assert.Single(fetched, line => line.Contains($"UID {message.Uid} ", StringComparison.Ordinal));
                foreach (var flag in Enum.GetValues<SystemFlags>().Where(static flag => flag != SystemFlags.None))
                    Assert.Equal(message.Flags.HasFlag(flag), line.Contains($@"\{flag}", StringComparison.Ordinal));
                foreach (var keyword in message.Keywords) Assert.Contains(keyword, line, StringComparison.Ordinal);
                // A bare LF is a line end to Dovecot, which it counts as CRLF.
                var bareLineFeeds = Encoding.Latin1.GetString(exchange.User.Content(message)).Replace("\r\n", "", StringComparison.Ordinal).Count(static letter => letter == '\n');
                Assert.Contains($"RFC822.SIZE {message.SizeBytes + bareLineFeeds}", line, StringComparison.Ordinal);
                var date = line[(line.IndexOf("INTERNALDATE \"", StringComparison.Ordinal) + 14)..].Split('"')[0];
                Assert.Equal(message.InternalDate, DateTimeOffset.ParseExact(date.Trim(), "d-MMM-yyyy HH:mm:ss zzz", System.Globalization.CultureInfo.InvariantCulture));
            }
        }
        Assert.DoesNotContain("Error", await server.ReadLogAsync(), StringComparison.Ordinal);
    }

    [FactIfInstalled("dovecot")]
    public async Task What_dovecot_made_of_it_comes_back_under_the_same_uids()
    {
        await using var exchange = await ExchangeFixture.OpenAsync();
        await using var server = await DovecotServer.StartAsync();
        await using (var client = await LogInAsync(server))
        {
            for (var number = 1; number <= 4; number++) await client.AppendAsync("INBOX", $"Subject: {number}\r\n\r\nText {number}\r\n");
            await client.OkAsync("SELECT INBOX");
            await client.OkAsync(@"STORE 2 +FLAGS (\Deleted)");
            await client.OkAsync("EXPUNGE");
            await client.OkAsync(@"STORE 2 +FLAGS (\Seen \Flagged $Label1 Work)");
            await client.OkAsync("CREATE Lists/dotnet");
            await client.OkAsync("COPY 1:2 Lists/dotnet");
            await client.OkAsync("SUBSCRIBE Lists/dotnet");
        }
        Directory.Move(server.MaildirOf(User), exchange.Mail);
        Directory.CreateDirectory(server.MaildirOf(User));
        var imported = await exchange.ImportAsync(exchange.User, MailFormat.Maildir, keepUids: true);
        Assert.Empty(imported.Findings);
        var inbox = exchange.User.Store.LoadMessages(exchange.User.Inbox.Id);
        Assert.Equal([1u, 3u, 4u], inbox.Select(message => message.Uid));
        Assert.Equal((SystemFlags.Seen | SystemFlags.Flagged, "$Label1 Work"), (inbox[1].Flags, string.Join(' ', inbox[1].Keywords)));
        Assert.Equal("Subject: 3\r\n\r\nText 3\r\n"u8.ToArray(), exchange.User.Content(inbox[1]));
        Assert.True(exchange.User.Mailbox("Lists/dotnet") is { Messages: 2, Subscribed: true });
        Assert.Empty(exchange.User.Check());
    }

    private static async Task<ImapClient> LogInAsync(DovecotServer server)
    {
        var client = await ImapClient.ConnectAsync(server.EndPoint);
        await client.ReadLineAsync();
        await client.OkAsync($"LOGIN {User} x");
        return client;
    }

    private static async Task<ExchangeFixture> FilledAsync()
    {
        var exchange = await ExchangeFixture.OpenAsync();
        var number = 0;
        foreach (var name in new[] { "INBOX", "Entw\u00fcrfe/Alt", "INBOX/child" })
        {
            await exchange.User.Store.CreateMailboxAsync(new MailboxName(name), null, CancellationToken.None);
            for (var i = 0; i < 5; i++, number++)
            {
                var added = await exchange.User.AddAsync(name, Encoding.Latin1.GetBytes($"Subject: {number}\r\n\r\nFrom \u00e4{new string('\n', number % 2)}\r\n"),
                    new FlagList((SystemFlags)(number * 7 % 32), number % 2 == 0 ? ["$Label1", $"word{number}"] : []), DateTimeOffset.FromUnixTimeSeconds(1_000_000_000 + number));
                if (i is 1 or 4) await exchange.User.Store.ExpungeAsync(exchange.User.Mailbox(name).Id, [added.Uid], CancellationToken.None);
            }
        }
        return exchange;
    }
}
