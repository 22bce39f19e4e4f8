using ImapDirector.Protocol.Assertions;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>The way into a node for a director that has a key.</summary>
public sealed class AssertionLoginTests : IDisposable
{
    private const string Alice = "alice@example.com";

    private readonly DirectorKey _key = new();

    public void Dispose() => _key.Dispose();

    [Fact]
    public async Task A_director_logs_in_with_an_assertion_as_initial_response_or_when_it_is_asked()
    {
        await using var node = await RunningNode.StartAsync(options => _key.Use(options) with { MasterPassword = null });
        await using var client = await node.ConnectAsync();
        await ImapScript.RunAsync(client, $"""
            C: a CAPABILITY
            S: * CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE ~ LOGINDISABLED AUTH=OAUTHBEARER
            S: a OK ~
            C: b AUTHENTICATE OAUTHBEARER
            S: +~
            C: {_key.Credentials(Alice)}
            S: b OK [CAPABILITY IMAP4rev1 ~] ~
            C: c SELECT INBOX
            S: * FLAGS ~
            """);
        await using var second = await node.ConnectAsync();
        await second.SendLineAsync($"a AUTHENTICATE OAUTHBEARER {_key.Credentials(Alice)}");
        Assert.StartsWith("a OK [CAPABILITY ", await second.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_master_password_there_is_no_way_in_with_one()
    {
        await using var node = await RunningNode.StartAsync(options => _key.Use(options) with { MasterPassword = null });
        await using var client = await node.ConnectAsync();
        foreach (var password in (string[])["", " ", "x"])
            Assert.StartsWith("NO ", (await client.CommandAsync($"AUTHENTICATE PLAIN {RunningNode.Credentials(Alice, password)}"))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beside_a_master_password_both_ways_are_offered()
    {
        await using var node = await RunningNode.StartAsync(_key.Use);
        await using var client = await node.ConnectAsync();
        Assert.EndsWith(" AUTH=PLAIN AUTH=OAUTHBEARER", Assert.Single(await client.OkAsync("CAPABILITY")), StringComparison.Ordinal);
        await using var other = await node.LogInAsync();
        await client.OkAsync($"AUTHENTICATE OAUTHBEARER {_key.Credentials(Alice)}");
    }

    public static TheoryData<string, Func<Assertion, Assertion>> Refused => new()
    {
        { "wrong_node", static said => said with { Audience = "node2" } },
        { "wrong_user", static said => said with { Subject = DirectorKey.Name("bob@example.com") } },
        { "wrong_scope", static said => said with { Scope = AssertionScope.Transfer } },
        { "expired", static said => said with { IssuedAt = said.IssuedAt.AddSeconds(-120), ExpiresAt = said.IssuedAt.AddSeconds(-90) } },
        { "not_yet_valid", static said => said with { IssuedAt = said.IssuedAt.AddSeconds(90), ExpiresAt = said.IssuedAt.AddSeconds(120) } },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_is_no_assertion_about_this_login_is_refused_like_a_wrong_password(string reason, Func<Assertion, Assertion> change)
    {
        await using var node = await RunningNode.StartAsync(_key.Use);
        await using var client = await node.ConnectAsync();
        Assert.Equal("NO [AUTHENTICATIONFAILED] Authentication failed.", Assert.Single(await client.CommandAsync($"AUTHENTICATE OAUTHBEARER {_key.Credentials(Alice, change)}")));
        Assert.Contains($"imapdirector_node_assertions_refused_total{{reason=\"{reason}\"}} 1", await node.MetricsTextAsync(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(node.DataDirectory, "users")));
    }

    [Theory]
    [InlineData("=")]
    [InlineData("AAAA")]
    [InlineData("bixhPWFsaWNlLAFhdXRoPUJlYXJlciB4AQE=")]
    public async Task What_is_no_token_at_all_is_refused_the_same(string response)
    {
        await using var node = await RunningNode.StartAsync(_key.Use);
        await using var client = await node.ConnectAsync();
        Assert.Equal("NO [AUTHENTICATIONFAILED] Authentication failed.", Assert.Single(await client.CommandAsync($"AUTHENTICATE OAUTHBEARER {response}")));
    }

    [Fact]
    public async Task A_token_logs_in_once()
    {
        await using var node = await RunningNode.StartAsync(_key.Use);
        var credentials = _key.Credentials(Alice);
        await using var first = await node.ConnectAsync();
        await first.OkAsync($"AUTHENTICATE OAUTHBEARER {credentials}");
        await using var second = await node.ConnectAsync();
        Assert.StartsWith("NO ", (await second.CommandAsync($"AUTHENTICATE OAUTHBEARER {credentials}"))[^1], StringComparison.Ordinal);
        Assert.Contains("reason=\"replayed\"} 1", await node.MetricsTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_for_another_spelling_of_the_user_is_no_token()
    {
        await using var node = await RunningNode.StartAsync(_key.Use);
        await using var client = await node.ConnectAsync();
        Assert.StartsWith("NO ", (await client.CommandAsync($"AUTHENTICATE OAUTHBEARER {DirectorKey.Response("Alice@example.com", _key.Token(Alice))}"))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_come_and_go_while_the_node_runs()
    {
        using var next = new DirectorKey();
        await using var node = await RunningNode.StartAsync(_key.Use);
        File.Copy(Directory.GetFiles(next.Directory)[0], Path.Combine(_key.Directory, "next.pem"));
        _key.Forget();
        await UntilAsync(() => LogsInAsync(node, next));
        Assert.False(await LogsInAsync(node, _key));
    }

    [Fact]
    public async Task With_the_last_key_taken_back_nobody_is_believed()
    {
        await using var node = await RunningNode.StartAsync(_key.Use);
        Assert.True(await LogsInAsync(node, _key));

        _key.Forget();

        await UntilAsync(async () => !await LogsInAsync(node, _key));
    }

    [Fact]
    public async Task Without_keys_the_mechanism_is_not_there()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.ConnectAsync();
        Assert.StartsWith("NO [CANNOT] ", (await client.CommandAsync($"AUTHENTICATE OAUTHBEARER {_key.Credentials(Alice)}"))[^1], StringComparison.Ordinal);
    }

    private static async Task<bool> LogsInAsync(RunningNode node, DirectorKey key)
    {
        await using var client = await node.ConnectAsync();
        return (await client.CommandAsync($"AUTHENTICATE OAUTHBEARER {key.Credentials(Alice)}"))[^1].StartsWith("OK ", StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition()) await Task.Delay(100, patience.Token);
    }
}
