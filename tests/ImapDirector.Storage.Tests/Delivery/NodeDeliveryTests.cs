using System.Globalization;
using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Sessions;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Storage.Tests.Delivery;

/// <summary>What is handed in by LMTP at a running node and found there by IMAP.</summary>
public sealed class NodeDeliveryTests : IDisposable
{
    private const string Stored = "250 2.0.0 Stored";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_message_is_in_INBOX_byte_for_byte_behind_its_trace_headers()
    {
        var everyByte = string.Concat(Enumerable.Range(1, 255).Where(static code => code is not ('\r' or '\n')).Select(static code => (char)code));
        var message = $"Subject: 8 bit\r\n\r\n{everyByte}\r\n.dot\r\n";
        await using var node = await RunningNode.StartAsync();
        await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint, "MAIL FROM:<sender@example.net> BODY=8BITMIME");
        Assert.Equal("250 2.1.5 Recipient ok", await client.AskAsync("RCPT TO:<alice@example.com>"));
        Assert.Equal([Stored], await client.DataAsync(message[..^2].Replace("\r\n.", "\r\n..", StringComparison.Ordinal), 1));

        var found = Assert.Single(await ReadAsync(node, "alice@example.com"));
        Assert.Equal(message, found[^message.Length..]);
        Assert.Matches(
            @"^Return-Path: <sender@example\.net>\r\nReceived: from client\.example\.net \(\[127\.0\.0\.1\]\)\r\n" +
            @"\tby node1 with LMTP id [A-Za-z0-9_-]{16}\r\n" +
            @"\tfor <alice@example\.com>; [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} \+0000\r\n$",
            found[..^message.Length]);
    }

    [Fact]
    public async Task Each_user_gets_a_copy_of_the_own_and_two_spellings_are_one_delivery_answered_twice()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        foreach (var recipient in new[] { "Alice+lists@Example.COM", "bob@example.com", "alice@example.com", "\"alice\"@example.com" })
            Assert.Equal("250 2.1.5 Recipient ok", await client.AskAsync($"RCPT TO:<{recipient}>"));

        Assert.Equal([Stored, Stored, Stored, Stored], await client.DataAsync("Subject: x\r\n\r\ntext", 4));

        foreach (var user in new[] { "alice@example.com", "bob@example.com" })
            Assert.Contains($"for <{user}>;", Assert.Single(await ReadAsync(node, user)), StringComparison.Ordinal);
        Assert.Contains("imapdirector_node_deliveries_total{result=\"stored\"} 4", await node.MetricsTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subaddress_names_a_mailbox_where_there_is_one()
    {
        await using var node = await RunningNode.StartAsync();
        await using (var user = await node.LogInAsync())
        {
            await user.OkAsync("CREATE Lists/dotnet");
            await user.OkAsync("CREATE twins");
            await user.OkAsync("CREATE Twins");
        }
        await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        foreach (var detail in new[] { "lists/dotnet", "Lists/dotnet", "TWINS", "twins", "nowhere", "" })
            Assert.Equal("250 2.1.5 Recipient ok", await client.AskAsync($"RCPT TO:<alice+{detail}@example.com>"));
        Assert.Equal(Enumerable.Repeat(Stored, 6), await client.DataAsync("Subject: x\r\n\r\ntext", 6));
        await using var reader = await node.LogInAsync();
        foreach (var (mailbox, count) in new[] { ("Lists/dotnet", 1), ("twins", 1), ("Twins", 0), ("INBOX", 1) })
            Assert.Equal([$"* STATUS {mailbox} (MESSAGES {count})"], await reader.OkAsync($"STATUS {mailbox} (MESSAGES)"));
    }

    [Fact]
    public async Task A_full_mailbox_refuses_for_good_and_the_other_recipients_get_theirs()
    {
        await using var node = await RunningNode.StartAsync(static options => options with { QuotaMessages = 1 });
        await using (var user = await node.LogInAsync()) await user.AppendAsync("Trash", "Subject: old\r\n\r\n");
        await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        await client.AskAsync("RCPT TO:<alice@example.com>");
        await client.AskAsync("RCPT TO:<bob@example.com>");
        Assert.Equal(["552 5.2.2 The mailbox is full", Stored], await client.DataAsync("Subject: x\r\n\r\ntext", 2));
        Assert.Empty(await ReadAsync(node, "alice@example.com"));
        Assert.Single(await ReadAsync(node, "bob@example.com"));
    }

    [Fact]
    public async Task A_message_of_the_same_id_is_dropped_within_the_window_and_only_in_the_same_mailbox()
    {
        await using var node = await RunningNode.StartAsync(static options => options with { DuplicateWindow = TimeSpan.FromHours(1) });
        await using (var user = await node.LogInAsync()) await user.OkAsync("CREATE work");
        var large = new string('x', MessageContents.MaxBodyBytesInDatabase);
        foreach (var (recipient, message) in new[] { ("alice", "Message-ID: <1@x>\r\n\r\na"), ("alice", "Message-ID: <1@x>\r\n\r\nb"), ("alice", $"Message-ID: <1@x>\r\n\r\n{large}"),
            ("alice+work", "Message-ID: <1@x>\r\n\r\nc"), ("alice", "Message-ID: <2@x>\r\n\r\nd"), ("alice", "Subject: none\r\n\r\ne"), ("alice", "Subject: none\r\n\r\nf") })
        {
            await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
            await client.AskAsync($"RCPT TO:<{recipient}@example.com>");
            Assert.Equal([Stored], await client.DataAsync(message, 1));
        }
        await using var reader = await node.LogInAsync();
        Assert.Equal(["* STATUS INBOX (MESSAGES 4)"], await reader.OkAsync("STATUS INBOX (MESSAGES)"));
        Assert.Equal(["* STATUS work (MESSAGES 1)"], await reader.OkAsync("STATUS work (MESSAGES)"));
    }

    [Theory]
    [InlineData("\"\"@example.com")]
    [InlineData("\"\"")]
    [InlineData("\"a b\"@example.com")]
    [InlineData("\"../../etc/passwd\"@example.com")]
    [InlineData("alice@[127.0.0.1]")]
    [InlineData("a%b@example.com")]
    public async Task Who_cannot_be_a_user_is_refused_and_fails_nobody_else(string recipient)
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        Assert.Equal("550 5.1.1 No such user here", await client.AskAsync($"RCPT TO:<{recipient}>"));
        Assert.Equal("250 2.1.5 Recipient ok", await client.AskAsync("RCPT TO:<alice>"));
        Assert.Equal([Stored], await client.DataAsync("x", 1));
        Assert.Single(await ReadAsync(node, "alice"));
        Assert.Contains("imapdirector_node_deliveries_total{result=\"refused\"} 1", await node.MetricsTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task L6_A_user_whose_store_cannot_be_opened_is_put_off_and_the_others_get_their_message()
    {
        Assert.True(UserName.TryCreate("bob@example.com", null, out var bob));
        var place = UserStorePath.Of(_directory.FullName, bob);
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        await File.WriteAllTextAsync(place, "a file where the user's directory should be");
        await using var node = await RunningNode.StartAsync(directory: _directory.FullName);
        await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        foreach (var user in new[] { "alice", "bob", "carol" }) await client.AskAsync($"RCPT TO:<{user}@example.com>");

        Assert.Equal([Stored, "451 4.3.0 The message could not be stored, try again later", Stored], await client.DataAsync("x", 3));

        Assert.Single(await ReadAsync(node, "alice@example.com"));
        Assert.Single(await ReadAsync(node, "carol@example.com"));
        var metrics = await node.MetricsTextAsync();
        Assert.Contains("imapdirector_node_deliveries_total{result=\"stored\"} 2", metrics, StringComparison.Ordinal);
        Assert.Contains("imapdirector_node_deliveries_total{result=\"failed\"} 1", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_idles_is_told_of_the_message()
    {
        await using var node = await RunningNode.StartAsync();
        await using var session = await node.LogInAsync();
        await session.OkAsync("SELECT INBOX");
        await session.SendLineAsync("i IDLE");
        Assert.StartsWith("+ ", await session.ReadLineAsync(), StringComparison.Ordinal);

        await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        await client.AskAsync($"RCPT TO:<{RunningNode.User}>");
        Assert.Equal([Stored], await client.DataAsync("x", 1));

        Assert.Equal("* 1 EXISTS", await session.ReadLineAsync());
    }

    [Fact]
    public async Task A_drain_lets_a_delivery_finish_and_what_was_answered_250_is_there_after_a_restart()
    {
        await using (var node = await RunningNode.StartAsync(directory: _directory.FullName))
        {
            await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
            await client.AskAsync("RCPT TO:<alice@example.com>");
            Assert.StartsWith("354 ", await client.AskAsync("DATA"), StringComparison.Ordinal);
            await client.SendAsync("first half, ");
            var draining = node.Node.DrainAsync(TimeSpan.FromSeconds(20));
            await client.SendAsync("second half\r\n.\r\n");
            Assert.Equal([Stored, "421 4.3.2 The server is going down, try again later", LmtpClient.Closed], await client.RepliesAsync(3));
            await draining;
        }
        await using var restarted = await RunningNode.StartAsync(directory: _directory.FullName);
        Assert.EndsWith("\r\nfirst half, second half\r\n", Assert.Single(await ReadAsync(restarted, "alice@example.com")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_at_the_limit_is_taken_and_one_above_it_is_not()
    {
        const int Limit = 1_000_000;
        const string Header = "Subject: x\r\n\r\n";
        // The last line's CRLF belongs to the message.
        var text = new string('x', Limit - Header.Length - 2);
        await using var node = await RunningNode.StartAsync(static options => options with { MaxMessageBytes = Limit });
        await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        await client.AskAsync("RCPT TO:<alice>");
        Assert.Equal([Stored], await client.DataAsync(Header + text, 1));
        await client.AskAsync("MAIL FROM:<>");
        await client.AskAsync("RCPT TO:<alice>");
        Assert.StartsWith("552 5.3.4 ", Assert.Single(await client.DataAsync(Header + text + "x", 1)), StringComparison.Ordinal);
        Assert.EndsWith(Header + text + "\r\n", Assert.Single(await ReadAsync(node, "alice")), StringComparison.Ordinal);
    }

    /// <summary>All messages of a user's INBOX, a character for each byte.</summary>
    private static async Task<List<string>> ReadAsync(RunningNode node, string user)
    {
        await using var session = await node.LogInAsync(user);
        var exists = (await session.OkAsync("EXAMINE INBOX")).Single(static line => line.EndsWith(" EXISTS", StringComparison.Ordinal));
        var messages = new List<string>();
        for (var i = 1; i <= int.Parse(exists.Split(' ')[1], CultureInfo.InvariantCulture); i++)
        {
            await session.SendLineAsync($"f{i} FETCH {i} BODY.PEEK[]");
            var header = await session.ReadLineAsync() ?? "";
            Assert.Matches(@"^\* [0-9]+ FETCH \(BODY\[\] \{[0-9]+\}$", header);
            var size = int.Parse(header[(header.LastIndexOf('{') + 1)..^1], CultureInfo.InvariantCulture);
            messages.Add(Encoding.Latin1.GetString(await session.ReadBytesAsync(size)));
            Assert.Equal(")", await session.ReadLineAsync());
            Assert.StartsWith("OK ", (await session.ReadAnswerAsync($"f{i}"))[^1], StringComparison.Ordinal);
        }
        return messages;
    }
}
