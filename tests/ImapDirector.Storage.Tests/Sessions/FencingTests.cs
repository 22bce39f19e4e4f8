using ImapDirector.Protocol.Assertions;
using ImapDirector.Storage.Transfer;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>A node serves a user to those with the highest epoch alone, and to nobody once the user is released (design, invariant 1).</summary>
public sealed class FencingTests : IDisposable
{
    private const string Alice = "alice@example.com";

    private readonly DirectorKey _key = new();
    private readonly string _data = Directory.CreateTempSubdirectory("node-").FullName;

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task A_lower_epoch_is_refused_and_the_same_one_joins()
    {
        await using var node = await StartAsync();
        await using var first = await LogInAsync(node, 5);
        await using var second = await LogInAsync(node, 5);
        Assert.StartsWith("NO [UNAVAILABLE] ", await TryAsync(node, 4), StringComparison.Ordinal);
        await first.OkAsync("NOOP");
        await second.OkAsync("SELECT INBOX");
        Assert.Contains("imapdirector_node_fenced_off_total 1", await node.MetricsTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_knows_of_no_assignment_as_a_health_check_joins_those_who_do_unless_the_user_is_released()
    {
        await using var node = await StartAsync();
        await using var user = await LogInAsync(node, 5);
        await using var check = await LogInAsync(node, 0);
        await user.OkAsync("NOOP");
        Assert.Equal(TransferAnswer.Done, await ReleaseAsync(node, 6));
        Assert.StartsWith("NO [UNAVAILABLE] ", await TryAsync(node, 0), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_higher_epoch_ends_the_sessions_before_it_whatever_they_are_about()
    {
        await using var node = await StartAsync();
        await using var silent = await LogInAsync(node, 1);
        await using var idle = await LogInAsync(node, 1);
        await idle.OkAsync("SELECT INBOX");
        await idle.SendLineAsync("i IDLE");
        Assert.StartsWith("+ ", await idle.ReadLineAsync(), StringComparison.Ordinal);
        await using var appending = await LogInAsync(node, 1);
        await appending.SendAsync("a APPEND INBOX {1000+}\r\nhalf of it");
        await using var unfenced = await node.LogInAsync(Alice);

        await using var newer = await LogInAsync(node, 2);

        foreach (var old in (ImapClient[])[silent, idle, appending, unfenced])
        {
            Assert.StartsWith("* BYE [UNAVAILABLE] ", await old.ReadLineAsync(), StringComparison.Ordinal);
            Assert.Null(await old.ReadLineAsync());
        }
        Assert.Contains("* 0 EXISTS", await newer.OkAsync("SELECT INBOX"));
    }

    [Fact]
    public async Task A_session_that_takes_nothing_does_not_stay()
    {
        await using var node = await StartAsync();
        await using var stalled = await LogInAsync(node, 1);
        await stalled.AppendAsync("INBOX", "Subject: large\r\n\r\n" + new string('x', 1_000_000));
        await stalled.OkAsync("SELECT INBOX");
        await stalled.SendAsync(string.Concat(Enumerable.Range(0, 30).Select(static i => $"f{i} FETCH 1 BODY[]\r\n")));

        Assert.Equal(TransferAnswer.Done, await ReleaseAsync(node, 2));
        // The mail is given back before the session is counted out.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!(await node.MetricsTextAsync()).Contains("imapdirector_node_sessions 0\n", StringComparison.Ordinal)) await Task.Delay(20, patience.Token);
    }

    [Fact]
    public async Task Appends_that_race_with_a_higher_epoch_are_all_there_or_were_not_acknowledged()
    {
        await using var node = await StartAsync();
        for (var epoch = 1; epoch <= 12; epoch++)
        {
            var acknowledged = 0;
            var old = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => LogInAsync(node, epoch * 2)));
            var began = new TaskCompletionSource();
            var appending = old.Select(async client =>
            {
                while (await TryAppendAsync(client))
                {
                    Interlocked.Increment(ref acknowledged);
                    began.TrySetResult();
                }
            }).ToArray();
            await began.Task;

            await using var newer = await LogInAsync(node, epoch * 2 + 1);
            var seen = await CountAsync(newer);
            await Task.WhenAll(appending);

            Assert.Equal(seen, await CountAsync(newer));
            // Of what was not acknowledged some may be there: its commit came before the fence.
            Assert.InRange(acknowledged, 1, seen);
            await newer.OkAsync("SELECT INBOX");
            await newer.OkAsync("STORE 1:* +FLAGS (\\Deleted)");
            await newer.OkAsync("CLOSE");
            foreach (var client in old) await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_released_user_comes_back_with_a_higher_epoch_alone()
    {
        await using var node = await StartAsync();
        await using var client = await LogInAsync(node, 1);
        Assert.Equal(TransferAnswer.Done, await ReleaseAsync(node, 2));
        Assert.StartsWith("* BYE ", await client.ReadLineAsync(), StringComparison.Ordinal);

        Assert.StartsWith("NO [UNAVAILABLE] ", await TryAsync(node, 1), StringComparison.Ordinal);
        Assert.StartsWith("NO [UNAVAILABLE] ", await TryAsync(node, 2), StringComparison.Ordinal);
        await using (var master = await node.ConnectAsync())
            Assert.StartsWith("NO [UNAVAILABLE] ", (await master.CommandAsync($"AUTHENTICATE PLAIN {RunningNode.Credentials(Alice)}"))[^1], StringComparison.Ordinal);
        Assert.Equal(TransferAnswer.Done, await ReleaseAsync(node, 2));
        Assert.Equal(TransferAnswer.Stale, await ReleaseAsync(node, 1));
        await using var again = await LogInAsync(node, 3);
        await again.AppendAsync("INBOX", "Subject: x\r\n\r\n");
    }

    [Fact]
    public async Task A_release_is_kept_for_a_user_who_never_was_here_and_over_a_restart()
    {
        await using (var node = await StartAsync())
        {
            Assert.Equal(TransferAnswer.NotHeld, await ReleaseAsync(node, 4));
            await using var bob = await LogInAsync(node, 9, "bob@example.com");
        }
        await using var restarted = await StartAsync();
        Assert.StartsWith("NO [UNAVAILABLE] ", await TryAsync(restarted, 4), StringComparison.Ordinal);
        Assert.StartsWith("NO [UNAVAILABLE] ", await TryAsync(restarted, 8, "bob@example.com"), StringComparison.Ordinal);
        await using var client = await LogInAsync(restarted, 5);
    }

    [Fact]
    public async Task A_delivery_says_with_which_epoch_it_comes()
    {
        await using var node = await StartAsync();
        await using var reader = await LogInAsync(node, 5);
        await using var sender = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        Assert.Equal("250 2.1.5 Recipient ok", await sender.AskAsync($"RCPT TO:<{Alice}> XASSERTION={Delivery(5)}"));
        Assert.Equal(["250 2.0.0 Stored"], await sender.DataAsync("Subject: x\r\n\r\n", 1));

        Assert.Equal("250 2.1.0 Sender ok", await sender.AskAsync("MAIL FROM:<>"));
        Assert.Equal("250 2.1.5 Recipient ok", await sender.AskAsync($"RCPT TO:<{Alice}> XASSERTION={Delivery(4)}"));
        Assert.StartsWith("451 4.3.0 ", Assert.Single(await sender.DataAsync("Subject: late\r\n\r\n", 1)), StringComparison.Ordinal);
        Assert.Equal(1, await CountAsync(reader));
    }

    [Fact]
    public async Task A_delivery_that_is_on_its_way_when_the_user_is_released_is_not_stored()
    {
        await using var node = await StartAsync();
        await using var sender = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        Assert.Equal("250 2.1.5 Recipient ok", await sender.AskAsync($"RCPT TO:<{Alice}> XASSERTION={Delivery(1)}"));
        Assert.StartsWith("354 ", await sender.AskAsync("DATA"), StringComparison.Ordinal);
        await sender.SendAsync("Subject: half\r\n\r\n");
        // There is no store yet that the message could be in.
        Assert.Equal(TransferAnswer.NotHeld, await ReleaseAsync(node, 2));
        Assert.StartsWith("451 4.3.0 ", await sender.AskAsync("."), StringComparison.Ordinal);
        await using var later = await LogInAsync(node, 3);
        Assert.Equal(0, await CountAsync(later));
    }

    [Fact]
    public async Task A_delivery_with_somebody_elses_assertion_or_with_none_where_there_has_to_be_one_is_put_off()
    {
        await using var node = await StartAsync(options => options with { MasterPassword = null });
        await using var sender = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        Assert.StartsWith("451 4.7.0 ", await sender.AskAsync($"RCPT TO:<{Alice}>"), StringComparison.Ordinal);
        Assert.StartsWith("451 4.7.0 ", await sender.AskAsync($"RCPT TO:<bob@example.com> XASSERTION={Delivery(1)}"), StringComparison.Ordinal);
        Assert.StartsWith("451 4.7.0 ", await sender.AskAsync($"RCPT TO:<{Alice}> XASSERTION={_key.Token(Alice)}"), StringComparison.Ordinal);
        var once = Delivery(1);
        Assert.StartsWith("250 ", await sender.AskAsync($"RCPT TO:<{Alice}> XASSERTION={once}"), StringComparison.Ordinal);
        Assert.StartsWith("451 4.7.0 ", await sender.AskAsync($"RCPT TO:<{Alice}> XASSERTION={once}"), StringComparison.Ordinal);
        Assert.StartsWith("501 ", await sender.AskAsync($"RCPT TO:<{Alice}> XASSERTION="), StringComparison.Ordinal);
        Assert.StartsWith("501 ", await sender.AskAsync($"RCPT TO:<{Alice}> XASSERTION={new string('a', AssertionVerifier.MaxTokenBytes + 1)}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_without_keys_neither_offers_nor_takes_assertions()
    {
        await using var node = await RunningNode.StartAsync();
        await using var sender = await LmtpClient.ConnectAsync(node.Node.LmtpEndPoint);
        Assert.DoesNotContain("XASSERTION", await sender.AskAsync("LHLO client.example.net"), StringComparison.Ordinal);
        await sender.AskAsync("MAIL FROM:<>");
        Assert.StartsWith("555 ", await sender.AskAsync($"RCPT TO:<{Alice}> XASSERTION={Delivery(1)}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_others_share_ends_with_its_owner_and_their_own_mail_goes_on()
    {
        await using var node = await StartAsync();
        await using (var owner = await LogInAsync(node, 1)) await owner.OkAsync("SETACL INBOX bob@example.com lrswi");
        await using var bob = await LogInAsync(node, 1, "bob@example.com");
        await bob.OkAsync($"STATUS \"Other Users/{Alice}/INBOX\" (MESSAGES)");
        Assert.Equal(TransferAnswer.Done, await ReleaseAsync(node, 2));
        await bob.OkAsync("SELECT INBOX");
        Assert.StartsWith("NO ", (await bob.CommandAsync($"SELECT \"Other Users/{Alice}/INBOX\""))[^1], StringComparison.Ordinal);
        await bob.OkAsync("NOOP");
    }

    private Task<RunningNode> StartAsync(Func<StorageNodeOptions, StorageNodeOptions>? change = null) =>
        RunningNode.StartAsync(options => change?.Invoke(_key.Use(options)) ?? _key.Use(options), directory: _data);

    private static Task<TransferAnswer> ReleaseAsync(RunningNode node, long epoch) => node.Node.Transfers.ReleaseAsync(DirectorKey.Name(Alice), epoch, CancellationToken.None);

    private string Delivery(long epoch) => _key.Token(Alice, said => said with { Epoch = epoch, Scope = AssertionScope.Lmtp });

    private async Task<ImapClient> LogInAsync(RunningNode node, long epoch, string user = Alice)
    {
        var client = await node.ConnectAsync();
        await client.OkAsync($"AUTHENTICATE OAUTHBEARER {_key.Credentials(user, said => said with { Epoch = epoch })}");
        return client;
    }

    private async Task<string> TryAsync(RunningNode node, long epoch, string user = Alice)
    {
        await using var client = await node.ConnectAsync();
        return (await client.CommandAsync($"AUTHENTICATE OAUTHBEARER {_key.Credentials(user, said => said with { Epoch = epoch })}"))[^1];
    }

    private static async Task<bool> TryAppendAsync(ImapClient client)
    {
        try
        {
            await client.SendAsync("x APPEND INBOX {17+}\r\nSubject: race\r\n\r\n\r\n");
            return await client.ReadLineAsync() is { } answer && answer.StartsWith("x OK ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task<int> CountAsync(ImapClient client)
    {
        var status = (await client.OkAsync("STATUS INBOX (MESSAGES)")).Single(static line => line.StartsWith("* STATUS", StringComparison.Ordinal));
        return int.Parse(status.Split("MESSAGES ")[1].TrimEnd(')'), System.Globalization.CultureInfo.InvariantCulture);
    }
}
