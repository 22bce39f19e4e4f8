using System.Globalization;
using ImapDirector.Tests.Shared;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Search;
using MailKit.Security;
using MimeKit;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary>Clients as people use them, each against everything in one process.</summary>
public sealed class ClientsTests
{
    [FactIfInstalled("curl")]
    public async Task Curl_prints_byte_for_byte_what_came_through_lmtp_behind_its_trace_headers()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await StartAsync(directory);
        string[] messages =
        [
            Mail.Message("plain"),
            "Subject: dots\r\n\r\n.\r\n..\r\n.dot\r\nend\r\n",
            $"Subject: bytes\r\n\r\n{string.Concat(Enumerable.Range(1, 255).Where(value => value is not (10 or 13)).Select(value => (char)value))}\r\n",
            $"Subject: long\r\n\r\n{new string('x', 200_000)}\r\n",
            Mail.Message("large", 2 * 1024 * 1024),
        ];
        for (var i = 0; i < messages.Length; i++)
        {
            await Mail.DeliverAsync(server.Lmtp, Mail.Alice, messages[i]);
            var printed = await ClientProgram.RunAsync("curl", directory.Path, "-sk", "--url", $"imaps://{server.Imaps}/INBOX;MAILINDEX={i + 1}", "-u", $"{Mail.Alice}:{Mail.Password}");
            var trace = printed[..^Math.Min(printed.Length, messages[i].Length)];
            Assert.Equal(messages[i], printed[trace.Length..]);
            Assert.Matches(@"\AReturn-Path: <sender@example\.net>\r\nReceived: from [^\r]+\r\n(\t[^\r]+\r\n)+\z", trace);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MailKit_walks_through_a_mailbox(bool isImplicitTls)
    {
        using var directory = new TemporaryDirectory();
        await using var server = await StartAsync(directory);
        using var client = Mail.Unverified();
        var endPoint = isImplicitTls ? server.Imaps : server.Imap;
        await client.ConnectAsync("127.0.0.1", endPoint.Port, isImplicitTls ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTls);
        await client.AuthenticateAsync(Mail.Alice, Mail.Password);
        Assert.Equal("Sent", client.GetFolder(SpecialFolder.Sent)!.Name);
        Assert.Equal("Trash", client.GetFolder(SpecialFolder.Trash)!.Name);

        var sent = client.GetFolder(SpecialFolder.Sent)!;
        var message = new MimeMessage([new MailboxAddress("Ann", "ann@example.com")], [new MailboxAddress("Bob", "bob@example.com")], "K\u00e4se",
            new Multipart("mixed") { new TextPart("plain") { Text = "Hello" }, new MimePart("image", "png") { Content = new MimeContent(new MemoryStream([1, 2, 3])), FileName = "a.png" } });
        Assert.NotNull(await sent.AppendAsync(message, MessageFlags.Seen));
        await sent.OpenAsync(FolderAccess.ReadWrite);
        var summary = Assert.Single(await sent.FetchAsync(0, -1, MessageSummaryItems.Full | MessageSummaryItems.UniqueId | MessageSummaryItems.BodyStructure));
        Assert.Equal("K\u00e4se", summary.Envelope!.Subject);
        Assert.Equal("a.png", Assert.Single(summary.Attachments).FileName);
        Assert.Equal("Hello", ((TextPart)await sent.GetBodyPartAsync(summary.UniqueId, summary.TextBody!)).Text.Trim());
        Assert.Equal([summary.UniqueId], await sent.SearchAsync(SearchQuery.SubjectContains("K\u00e4se").And(SearchQuery.Seen)));

        var folder = await (await client.GetFolderAsync("")).CreateAsync("Projekte", isMessageFolder: true);
        await folder!.SubscribeAsync();
        Assert.NotNull(await sent.CopyToAsync(summary.UniqueId, folder));
        await sent.MoveToAsync(summary.UniqueId, client.GetFolder(SpecialFolder.Trash)!);
        Assert.Equal(0, sent.Count);
        var top = await client.GetFolderAsync("");
        await folder.RenameAsync(top, "Pl\u00e4ne");
        await folder.OpenAsync(FolderAccess.ReadWrite);
        await folder.AddFlagsAsync(0, MessageFlags.Deleted, silent: false);
        await folder.ExpungeAsync();
        Assert.Equal(0, folder.Count);
        await folder.CloseAsync();
        await folder.DeleteAsync();
        await client.DisconnectAsync(quit: true);
    }

    [Fact]
    public async Task An_idling_session_hears_of_a_delivery()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await StartAsync(directory);
        using var client = await Mail.LogInAsync(server.Imaps);
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        using var done = new CancellationTokenSource();
        client.Inbox.CountChanged += (_, _) => done.Cancel();
        var idling = client.IdleAsync(done.Token);
        await Mail.DeliverAsync(server.Lmtp, Mail.Alice, Mail.Message("hello"));
        await idling.WaitAsync(ClientProgram.Patience);
        Assert.Equal(1, client.Inbox.Count);
    }

    [FactIfInstalled("python3")]
    public async Task Imaplib_walks_through_a_mailbox()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await StartAsync(directory);
        await Mail.DeliverAsync(server.Lmtp, Mail.Alice, Mail.Message("one"));
        await File.WriteAllTextAsync(directory.File("walk.py"), """
            import imaplib, ssl, sys
            port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
            context = ssl._create_unverified_context()
            client = imaplib.IMAP4('127.0.0.1', port)
            client.starttls(context)
            def ok(answer):
                assert answer[0] == 'OK', answer
                return answer[1]
            ok(client.login(user, password))
            assert ok(client.select()) == [b'1']
            assert b'Subject: one' in ok(client.fetch('1', '(RFC822.HEADER)'))[0][1]
            ok(client.append('INBOX', r'(\Flagged)', imaplib.Time2Internaldate(1700000000), b'Subject: two\r\n\r\nbody\r\n'))
            assert ok(client.search(None, 'FLAGGED')) == [b'2']
            assert ok(client.uid('SEARCH', 'SUBJECT', '"one"')) != [b'']
            ok(client.create('Box')); ok(client.copy('1:2', 'Box'))
            ok(client.store('1', '+FLAGS', r'(\Deleted)'))
            assert ok(client.expunge()) == [b'1']
            assert b'MESSAGES 2' in ok(client.status('Box', '(MESSAGES)'))[0]
            ok(client.rename('Box', 'Other')); ok(client.delete('Other'))
            client.logout()
            print('done')
            """);
        Assert.Equal("done", (await ClientProgram.RunAsync("python3", directory.Path, directory.File("walk.py"), server.Imap.Port.ToString(CultureInfo.InvariantCulture), Mail.Alice, Mail.Password)).Trim());
    }

    [FactIfInstalled("mbsync")]
    public async Task Mbsync_keeps_five_hundred_messages_in_step_both_ways()
    {
        using var directory = new TemporaryDirectory();
        await using var server = await StartAsync(directory);
        var inbox = Maildir.Create(directory.File("near/INBOX"), messages: 500);
        await File.WriteAllTextAsync(directory.File("mbsyncrc"), $"""
            IMAPAccount a
            Host 127.0.0.1
            Port {server.Imaps.Port}
            User {Mail.Alice}
            Pass "{Mail.Password}"
            SSLType IMAPS
            CertificateFile {directory.File("tls/cert.pem")}

            IMAPStore far
            Account a

            MaildirStore near
            Path {directory.File("near")}/
            Inbox {directory.File("near/INBOX")}
            SubFolders Verbatim

            Channel c
            Far :far:
            Near :near:
            Patterns INBOX
            Create Both
            Expunge Both
            Sync All
            SyncState *

            """);
        await SyncAsync();
        Assert.Equal(inbox.Flags(), await FarFlagsAsync());
        var (near, far) = (inbox.Files(), await FarStateAsync());
        await SyncAsync();
        Assert.Equal(near, inbox.Files());
        Assert.Equal(far, await FarStateAsync());

        // From the near side: 50 messages deleted, one flagged. From the far side: 50 others deleted, one seen.
        inbox.Delete(subjects: Enumerable.Range(0, 50));
        inbox.Flag(subject: 100, "FS");
        using (var client = await Mail.LogInAsync(server.Imaps))
        {
            await client.Inbox.OpenAsync(FolderAccess.ReadWrite);
            var gone = await client.Inbox.SearchAsync(SearchQuery.HeaderContains("X-Half", "second"));
            await client.Inbox.AddFlagsAsync(gone.Take(50).ToList(), MessageFlags.Deleted, silent: true);
            await client.Inbox.ExpungeAsync();
            await client.Inbox.AddFlagsAsync(gone.Skip(50).Take(1).ToList(), MessageFlags.Answered | MessageFlags.Flagged, silent: true);
        }
        await SyncAsync();
        Assert.Equal(400, inbox.Flags().Count);
        Assert.Equal(inbox.Flags(), await FarFlagsAsync());
        (near, far) = (inbox.Files(), await FarStateAsync());
        await SyncAsync();
        Assert.Equal(near, inbox.Files());
        Assert.Equal(far, await FarStateAsync());

        Task<string> SyncAsync() => ClientProgram.RunAsync("mbsync", directory.Path, "-c", directory.File("mbsyncrc"), "-a");

        async Task<SortedDictionary<string, string>> FarFlagsAsync()
        {
            var flags = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var summary in await FetchAsync()) flags.Add(summary.Envelope!.Subject!, Maildir.Letters(summary.Flags!.Value));
            return flags;
        }

        async Task<string> FarStateAsync() => string.Join('\n', (await FetchAsync()).Select(summary => $"{summary.UniqueId} {summary.Envelope!.Subject} {summary.Flags & ~MessageFlags.Recent}"));

        async Task<IList<IMessageSummary>> FetchAsync()
        {
            using var client = await Mail.LogInAsync(server.Imaps);
            await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
            return await client.Inbox.FetchAsync(0, -1, MessageSummaryItems.UniqueId | MessageSummaryItems.Flags | MessageSummaryItems.Envelope);
        }
    }

    private static Task<RunningProgram> StartAsync(TemporaryDirectory directory) =>
        RunningProgram.StandaloneAsync(directory.Path, "--user", Mail.Alice, "--password", Mail.Password);
}
