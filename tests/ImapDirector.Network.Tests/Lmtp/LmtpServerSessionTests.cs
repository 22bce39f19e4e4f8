using CsCheck;
using ImapDirector.Network.Lmtp;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Lmtp;

public sealed class LmtpServerSessionTests
{
    [Fact]
    public async Task A_message_goes_to_its_recipients_with_a_reply_for_each()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);

        Assert.Equal("250-mx.example.com\n250-PIPELINING\n250-ENHANCEDSTATUSCODES\n250-8BITMIME\n250-CHUNKING\n250-SMTPUTF8\n250 SIZE 1000", await client.AskAsync("LHLO client.example.net"));
        Assert.Equal("250 2.1.0 Sender ok", await client.AskAsync("MAIL FROM:<sender@example.net> SIZE=20 BODY=8BITMIME SMTPUTF8"));
        Assert.Equal("250 2.1.5 Ok", await client.AskAsync("RCPT TO:<alice@example.com>"));
        Assert.Equal("250 2.1.5 Ok", await client.AskAsync("RCPT TO:<\"bob\"@example.com>"));
        Assert.Equal(["250 2.0.0 Stored for alice@example.com", "250 2.0.0 Stored for bob@example.com"], await client.DataAsync("Subject: x\r\n\r\n..dot", 2));
        Assert.Equal("221 2.0.0 Bye", await client.AskAsync("QUIT"));
        Assert.Equal(LmtpClient.Closed, await client.ReplyAsync());

        var (envelope, message) = Assert.Single(server.Messages);
        Assert.Equal("Subject: x\r\n\r\n.dot\r\n", message);
        Assert.Equal(("sender@example.net", "client.example.net", true, true), (envelope.ReversePath, envelope.PeerName, envelope.IsUtf8, envelope.Is8Bit));
        Assert.Equal(["alice@example.com", "bob@example.com"], envelope.Recipients.Select(static recipient => recipient.Address));
        Assert.NotEmpty(envelope.ConnectionId);
    }

    [Fact]
    public async Task Commands_sent_together_are_answered_in_order_and_the_next_message_begins_anew()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);

        await client.SendAsync("LHLO c\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<alice>\r\nRCPT TO:<nobody>\r\nDATA\r\n");
        Assert.Equal(["250 2.1.0 Sender ok", "250 2.1.5 Ok", "550 5.1.1 No such user", "354 End data with <CR><LF>.<CR><LF>"], (await client.RepliesAsync(5))[1..]);
        await client.SendAsync("one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<bob>\r\nDATA\r\n");
        Assert.Equal(["250 2.0.0 Stored for alice", "250 2.1.0 Sender ok", "250 2.1.5 Ok", "354 End data with <CR><LF>.<CR><LF>"], await client.RepliesAsync(4));
        await client.SendAsync("two\r\n.\r\nQUIT\r\n");
        Assert.Equal(["250 2.0.0 Stored for bob", "221 2.0.0 Bye", LmtpClient.Closed], await client.RepliesAsync(3));

        Assert.Equal(["a@example.net one\r\n", " two\r\n"], server.Messages.Select(static message => $"{message.Envelope.ReversePath} {message.Message}"));
    }

    [Fact]
    public async Task Every_byte_arrives_as_it_was_sent_however_it_is_cut()
    {
        var message = string.Concat(Enumerable.Range(0, 256).Where(static code => code is not ('\r' or '\n')).Select(static code => (char)code)) + "\r\n";
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint, "MAIL FROM:<a@example.net> BODY=8BITMIME");
        await client.AskAsync("RCPT TO:<alice>");
        await client.AskAsync("DATA");
        foreach (var part in (message + "..\r\n.\r\n").Chunk(7)) await client.SendAsync(new string(part));
        Assert.Equal("250 2.0.0 Stored for alice", await client.ReplyAsync());
        Assert.Equal(message + ".\r\n", Assert.Single(server.Messages).Message);
    }

    [Theory]
    [InlineData("RCPT TO:<alice>", "503 5.5.1 MAIL first")]
    [InlineData("DATA", "503 5.5.1 MAIL first")]
    [InlineData("EHLO c", "500 5.5.1 Unknown command")]
    [InlineData("HELO c", "500 5.5.1 Unknown command")]
    [InlineData("VRFY alice", "252 2.1.5 Send some mail, we try to deliver it")]
    [InlineData("NOOP", "250 2.0.0 Ok")]
    [InlineData("RSET", "250 2.0.0 Ok")]
    [InlineData("MAIL FROM:<a@example.net> RET=HDRS ENVID=QQ314159+2B", "250 2.1.0 Sender ok")]
    [InlineData("MAIL FROM:<a@example.net> RET=SOME", "501 5.5.4 A parameter has a bad value, or comes twice")]
    [InlineData("MAIL FROM:<a@example.net> ENVID=+2b", "501 5.5.4 A parameter has a bad value, or comes twice")]
    [InlineData("MAIL FROM:<a@example.net> MTRK=x", "555 5.5.4 A parameter is not known here")]
    [InlineData("BDAT 0 LAST", "503 5.5.1 MAIL first")]
    [InlineData("BDAT x", "501 5.5.4 Those are not the arguments of this command")]
    [InlineData("BDAT 1 FIRST", "501 5.5.4 Those are not the arguments of this command")]
    [InlineData("MAIL FROM:<a@example.net> SIZE=x", "501 5.5.4 A parameter has a bad value, or comes twice")]
    [InlineData("MAIL FROM:<a b>", "501 5.1.7 The sender is no address")]
    [InlineData("MAIL FROM:<\u00c3\u00a9@example.net>", "553 5.6.7 The address needs SMTPUTF8")]
    [InlineData("NOOP\n", "500 5.5.2 A command is a line of UTF-8 without control characters, and ends with CRLF")]
    public async Task Each_command_has_its_reply_before_a_message(string command, string reply)
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);
        await client.AskAsync("LHLO c");
        Assert.Equal(reply, await client.AskAsync(command));
    }

    [Theory]
    [InlineData("MAIL FROM:<b@example.net>", "503 5.5.1 A message has been begun already")]
    [InlineData("DATA", "503 5.5.1 No valid recipients")]
    [InlineData("RCPT TO:<>", "501 5.1.3 The recipient is no address")]
    [InlineData("RCPT TO:<\u00c3\u00a9@example.com>", "553 5.6.7 The address needs SMTPUTF8")]
    [InlineData("RCPT TO:<alice> NOTIFY=NEVER", "250 2.1.5 Ok")]
    [InlineData("RCPT TO:<alice> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob@example.com", "250 2.1.5 Ok")]
    [InlineData("RCPT TO:<alice> NOTIFY=NEVER,DELAY", "501 5.5.4 A parameter has a bad value, or comes twice")]
    [InlineData("RCPT TO:<alice> ORCPT=rfc822;", "501 5.5.4 A parameter has a bad value, or comes twice")]
    [InlineData("RCPT TO:<alice> X=1", "555 5.5.4 A parameter is not known here")]
    [InlineData("BDAT 0 LAST", "503 5.5.1 No valid recipients")]
    public async Task Each_command_has_its_reply_in_a_message(string command, string reply)
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        Assert.Equal(reply, await client.AskAsync(command));
    }

    [Fact]
    public async Task MAIL_waits_for_LHLO_and_RSET_and_LHLO_forget_what_was_begun()
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.ConnectAsync(server.EndPoint);
        Assert.Equal("503 5.5.1 LHLO first", await client.AskAsync("MAIL FROM:<>"));
        foreach (var forget in new[] { "RSET", "LHLO again" })
        {
            await client.AskAsync("LHLO c");
            Assert.Equal("250 2.1.0 Sender ok", await client.AskAsync("MAIL FROM:<>"));
            Assert.Equal("250 2.1.5 Ok", await client.AskAsync("RCPT TO:<alice>"));
            await client.AskAsync(forget);
            Assert.Equal("503 5.5.1 MAIL first", await client.AskAsync("DATA"));
        }
    }

    [Fact]
    public async Task L6_One_bad_recipient_never_fails_the_others()
    {
        await using var server = LmtpServer.Start();
        server.Recipient = static address => address switch
        {
            "fault" => throw new InvalidOperationException("a defect of the handler"),
            "silent" => default,
            "later" => new LmtpReply(451, "4.3.0", "Later"),
            "" => new LmtpReply(550, "5.1.1", "No such user"),
            _ => new LmtpReply(250, "2.1.5", "Ok"),
        };
        server.Delivered = static _ => Task.FromResult<IReadOnlyList<LmtpReply>>([new(250, "2.0.0", "Stored"), new(552, "5.2.2", "Full"), new(451, "4.2.0", "Busy")]);
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);

        // CVE-2020-10967 is the empty quoted local part.
        foreach (var bad in new[] { "fault", "silent", "later", "\"\"", "\"\"@example.com>x", "a@b@c", "\xFF", "", "\"", "\"\\" })
        {
            Assert.Matches("^(451 4.3.0|5[05][013] 5.1.[13]) ", await client.AskAsync($"RCPT TO:<{bad}>"));
        }
        foreach (var good in new[] { "a", "b", "c" }) Assert.Equal("250 2.1.5 Ok", await client.AskAsync($"RCPT TO:<{good}>"));

        Assert.Equal(["250 2.0.0 Stored", "552 5.2.2 Full", "451 4.2.0 Busy"], await client.DataAsync("x", 3));
        Assert.Equal(["a", "b", "c"], Assert.Single(server.Messages).Envelope.Recipients.Select(static recipient => recipient.Address));
    }

    [Fact]
    public async Task L6_Whoever_is_refused_the_accepted_ones_get_their_own_replies_in_order()
    {
        await using var server = LmtpServer.Start();
        string[] kinds = ["<alice{0}>", "<\"bob{0}\"@example.com>", "<no{0}>", "<\"\"@x{0}>", "<>", "<\xFF{0}>", "<a..{0}>", "user{0}", "<carol{0}> X=Y"];
        await Gen.Int[0, kinds.Length - 1].Array[1, 30].SampleAsync(async recipients =>
        {
            await using var client = await LmtpClient.BeginAsync(server.EndPoint);
            await client.SendAsync(string.Concat(recipients.Select((kind, i) => "RCPT TO:" + kinds[kind].Replace("{0}", $"{i}", StringComparison.Ordinal) + "\r\n")));
            var accepted = (await client.RepliesAsync(recipients.Length)).Select(static reply => reply.StartsWith("250 ", StringComparison.Ordinal)).ToArray();
            // The local part that is empty is the handler's to refuse, and this one does not mind.
            Assert.Equal(recipients.Select(static kind => kind is 0 or 1 or 3), accepted);
            string[] names = [.. recipients.Select(static (kind, i) => kind switch { 0 => $"alice{i}", 1 => $"bob{i}@example.com", 3 => $"@x{i}", _ => "" }).Where(static name => name != "")];
            if (names.Length > 0) Assert.Equal(names.Select(static name => $"250 2.0.0 Stored for {name}"), await client.DataAsync("x", names.Length));
            else Assert.StartsWith("503 ", await client.AskAsync("DATA"), StringComparison.Ordinal);
        }, iter: 50, threads: 4);
    }

    public static TheoryData<string> Defects => ["throws", "cancels", "too few", "no answer", "go ahead"];

    [Theory]
    [MemberData(nameof(Defects))]
    public async Task A_handler_that_fails_is_answered_451_for_each_recipient_and_the_session_goes_on(string defect)
    {
        await using var server = LmtpServer.Start();
        var good = server.Delivered;
        server.Delivered = _ => defect switch
        {
            "throws" => throw new InvalidOperationException("a defect of the handler"),
            "cancels" => throw new OperationCanceledException(),
            "too few" => Task.FromResult<IReadOnlyList<LmtpReply>>([new(250, "2.0.0", "Stored")]),
            "no answer" => Task.FromResult<IReadOnlyList<LmtpReply>>([new(250, "2.0.0", "Stored"), default]),
            _ => Task.FromResult<IReadOnlyList<LmtpReply>>([new(354, "", "Go"), new(250, "2.0.0", "Stored")]),
        };
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.AskAsync("RCPT TO:<alice>");
        await client.AskAsync("RCPT TO:<bob>");
        var failed = "451 4.3.0 Temporary failure, try again later";
        Assert.Equal([failed, failed], await client.DataAsync("x", 2));

        server.Delivered = good;
        await client.AskAsync("MAIL FROM:<>");
        await client.AskAsync("RCPT TO:<alice>");
        Assert.Equal(["250 2.0.0 Stored for alice"], await client.DataAsync("x", 1));
    }

    [Theory]
    [InlineData("a\n.\nb")]
    [InlineData("a\r.\rb")]
    [InlineData("a\n.\r\nb")]
    [InlineData("a\r\n.\nb")]
    [InlineData("a\r\n.\rb")]
    [InlineData("a\r.\r\nb")]
    public async Task L1_A_message_with_a_bare_CR_or_LF_is_refused_after_its_end_and_smuggles_nothing(string message)
    {
        await using var server = LmtpServer.Start();
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        await client.AskAsync("RCPT TO:<alice>");
        await client.AskAsync("RCPT TO:<bob>");
        var refused = "550 5.6.11 The message has a CR without LF or an LF without CR";
        Assert.Equal([refused, refused], await client.DataAsync(message + "\r\nMAIL FROM:<evil@example.net>\r\nRCPT TO:<victim>", 2));
        Assert.Equal("221 2.0.0 Bye", await client.AskAsync("QUIT"));
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_of_a_message_delivers_nothing()
    {
        await using var server = LmtpServer.Start();
        await using (var client = await LmtpClient.BeginAsync(server.EndPoint))
        {
            await client.AskAsync("RCPT TO:<alice>");
            await client.AskAsync("DATA");
            await client.SendAsync("half a message\r\n.");
        }
        await server.Listener.DrainAsync(TimeSpan.FromSeconds(20));
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task A_reply_of_the_handler_stays_one_line()
    {
        await using var server = LmtpServer.Start();
        server.Recipient = static address => new LmtpReply(550, "5.1.1", "Not here\r\n250 2.1.5 Ok");
        await using var client = await LmtpClient.BeginAsync(server.EndPoint);
        Assert.Equal("550 5.1.1 Not here??250 2.1.5 Ok", await client.AskAsync("RCPT TO:<alice>"));
        Assert.Equal("250 2.0.0 Ok", await client.AskAsync("NOOP"));
    }
}
