using System.Text.Json;
using ImapDirector.Protocol.Assertions;
using Xunit;

namespace ImapDirector.Operations.Tests.Control;

public sealed class NodeControlTests : IAsyncLifetime
{
    private const string Alice = "alice@example.com";
    private readonly AssertionSigner _director = AssertionSigner.Create();
    private ControlledNode _from = null!;
    private ControlledNode _to = null!;

    public async Task InitializeAsync() => (_from, _to) = (await ControlledNode.StartAsync("node1", _director), await ControlledNode.StartAsync("node2", _director));

    public async Task DisposeAsync()
    {
        await _from.DisposeAsync();
        await _to.DisposeAsync();
        _director.Dispose();
    }

    [Fact]
    public async Task A_user_goes_from_one_node_to_the_other_with_everything()
    {
        await _from.DeliverAsync(Alice, 6, 100_000);
        Assert.Equal("Done", await _from.AnswerAsync("release", Alice, 2));
        var offered = await OfferedAsync(2);
        Assert.Equal(6, offered.GetProperty("messages").GetInt64());
        Assert.Equal("Done", await ReceiveAsync(2));
        var status = await EndOfTransferAsync(2);
        Assert.Equal("Received", status.GetProperty("stage").GetString());
        Assert.Equal(offered.GetProperty("fingerprint").GetString(), status.GetProperty("fingerprint").GetString());
        // Asked again it is done already.
        Assert.Equal("Done", await ReceiveAsync(2));
        var waiting = Assert.Single((await _to.ListAsync()).EnumerateArray());
        Assert.Equal("Received", waiting.GetProperty("state").GetString());

        Assert.Equal("Done", await _to.AnswerAsync("activate", Alice, 3));
        Assert.Equal("Done", await _to.AnswerAsync("activate", Alice, 3));
        Assert.Equal("Stale", await _to.AnswerAsync("activate", Alice, 2));
        Assert.Equal("Done", await _from.AnswerAsync("set-aside", Alice, 3));
        Assert.Empty((await _from.ListAsync()).EnumerateArray());
        var held = Assert.Single((await _to.ListAsync()).EnumerateArray());
        Assert.Equal((Alice, 3, "Active", 6), (held.GetProperty("user").GetString(), held.GetProperty("epoch").GetInt64(), held.GetProperty("state").GetString(), held.GetProperty("messages").GetInt64()));
        Assert.Equal("InUse", await _to.AnswerAsync("discard", Alice, 2));

        // And back again, where an old copy was set aside.
        await _to.DeliverAsync(Alice, 1, 10);
        (_from, _to) = (_to, _from);
        Assert.Equal("Done", await _from.AnswerAsync("release", Alice, 4));
        await OfferedAsync(4);
        Assert.Equal("Done", await ReceiveAsync(4));
        Assert.Equal(7, (await EndOfTransferAsync(4)).GetProperty("messages").GetInt64());
        Assert.Equal("Done", await _to.AnswerAsync("activate", Alice, 5));
    }

    [Fact]
    public async Task What_is_called_off_leaves_nothing_and_the_user_stays()
    {
        await _from.DeliverAsync(Alice, 2, 10);
        await _from.AnswerAsync("release", Alice, 2);
        await OfferedAsync(2);
        Assert.Equal("Done", await ReceiveAsync(2));
        await EndOfTransferAsync(2);
        Assert.Equal("Done", await _to.AnswerAsync("discard", Alice, 2));
        Assert.Equal("Done", await _to.AnswerAsync("discard", Alice, 2));
        Assert.Empty((await _to.ListAsync()).EnumerateArray());
        Assert.Equal("Done", await _from.AnswerAsync("activate", Alice, 3));
        await _from.DeliverAsync(Alice, 1, 10);
        Assert.Equal(3, Assert.Single((await _from.ListAsync()).EnumerateArray()).GetProperty("messages").GetInt64());
    }

    [Theory]
    [InlineData("release")]
    [InlineData("offer")]
    [InlineData("receive")]
    [InlineData("status")]
    [InlineData("activate")]
    [InlineData("set-aside")]
    [InlineData("discard")]
    public async Task An_order_needs_an_assertion_for_it_and_for_nothing_else(string verb)
    {
        await _from.DeliverAsync(Alice, 1, 10);
        Assert.Equal(401, (await _from.Http.SendAsync("/api/v1/users/" + verb, "POST")).Status);
        Assert.Equal(401, (await _from.Http.SendAsync("/api/v1/users/" + verb, "POST", ("Authorization", "Bearer nonsense"))).Status);
        var good = Says(_from, verb);
        foreach (var bad in new[]
        {
            good with { Scope = AssertionScope.Imap },
            good with { Scope = AssertionScope.Transfer },
            good with { Audience = "node2" },
            good with { SessionId = "another.0123456789abcdef" },
            good with { Subject = null },
            good with { IssuedAt = good.IssuedAt.AddHours(-1), ExpiresAt = good.ExpiresAt.AddHours(-1) },
        })
            Assert.Equal(401, (await _from.SendAsync(verb, bad)).Status);
        using (var stranger = AssertionSigner.Create())
            Assert.Equal(401, (await _from.Http.SendAsync("/api/v1/users/" + verb, "POST", ("Authorization", "Bearer " + stranger.Sign(good)))).Status);
        var fresh = Says(_from, verb);
        Assert.NotEqual(401, (await _from.SendAsync(verb, fresh)).Status);
        // It works once.
        Assert.Equal(401, (await _from.SendAsync(verb, fresh)).Status);
        Assert.Equal(405, (await _from.Http.SendAsync("/api/v1/users/" + verb)).Status);
    }

    [Fact]
    public async Task The_list_and_the_files_need_their_own()
    {
        await _from.DeliverAsync(Alice, 1, 10);
        Assert.Equal(401, (await _from.Http.SendAsync("/api/v1/users")).Status);
        Assert.Equal(401, (await _from.Http.SendAsync("/api/v1/users", "GET", ("Authorization", "Bearer " + _from.Sign(_from.Says("list", Alice, 0))))).Status);
        Assert.Equal(400, (await _from.Http.SendAsync("/api/v1/users?after=../x", "GET", ("Authorization", "Bearer " + _from.Sign(_from.Says("list", null, 0))))).Status);
        Assert.Empty((await _from.ListAsync("?after=" + Alice)).EnumerateArray());
        await _from.AnswerAsync("release", Alice, 2);
        Assert.Equal(401, (await OpenAsync(_from.Says("release", Alice, 2))).Status);
        Assert.Equal(409, (await OpenAsync(_from.Says("transfer", Alice, 3, AssertionScope.Transfer))).Status);
        Assert.Equal(404, (await OpenAsync(_from.Says("transfer", "bob@example.com", 2, AssertionScope.Transfer))).Status);
        var opened = await OpenAsync(_from.Says("transfer", Alice, 2, AssertionScope.Transfer));
        var ticket = JsonSerializer.Deserialize<JsonElement>(opened.Body).GetProperty("token").GetString()!;
        Answer manifest;
        while ((manifest = await FetchAsync("manifest", ticket)).Status == 202) await Task.Delay(10);
        Assert.Equal(200, manifest.Status);
        Assert.Equal(404, (await FetchAsync("manifest", "another")).Status);
        Assert.Equal(401, (await FetchAsync("files/0", "another")).Status);
        Assert.Equal(401, (await FetchAsync("files/1", ticket)).Status);
        Assert.Equal(404, (await FetchAsync("files/-x", ticket)).Status);
        var whole = await FetchAsync("files/0", ticket);
        Assert.Equal(200, whole.Status);
        var size = long.Parse(whole.Headers["Content-Length"], System.Globalization.CultureInfo.InvariantCulture);
        var part = await FetchAsync("files/0", ticket, ("Range", $"bytes={size - 3}-"));
        Assert.Equal((206, "3", $"bytes {size - 3}-{size - 1}/{size}"), (part.Status, part.Headers["Content-Length"], part.Headers["Content-Range"]));
        foreach (var range in new[] { "bytes=0-1", "bytes=-5", "bytes=1-,2-", "lines=1-", "bytes=99999999999999999999-" })
            Assert.Equal(416, (await FetchAsync("files/0", ticket, ("Range", range))).Status);
        Assert.Equal(401, (await FetchAsync("files/0", ticket, ("Range", $"bytes={size + 1}-"))).Status);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("http://user@127.0.0.1/")]
    [InlineData("http://127.0.0.1/path")]
    [InlineData("nonsense")]
    public async Task A_source_that_is_no_nodes_address_is_refused(string source)
    {
        var order = new ReceiveOrder(source, new string('0', 64), "x");
        Assert.Equal(400, (await ReceiveAsync(2, order, order)).Status);
        var tooShort = new ReceiveOrder("http://127.0.0.1:1", new string('0', 63), "x");
        Assert.Equal(400, (await ReceiveAsync(2, tooShort, tooShort)).Status);
    }

    [Fact]
    public async Task What_the_director_has_not_signed_of_an_order_is_refused()
    {
        await _from.DeliverAsync(Alice, 2, 10);
        await _from.AnswerAsync("release", Alice, 2);
        var signed = await ReceiveOrderAsync(2);
        Assert.Equal(401, (await ReceiveAsync(2, signed, signed with { Source = "http://127.0.0.1:1/" })).Status);
        Assert.Equal(401, (await ReceiveAsync(2, signed, signed with { Manifest = new string('0', 64) })).Status);
        Assert.Equal(401, (await ReceiveAsync(2, signed, signed with { Assertion = "x" })).Status);
        Assert.Equal("None", (await EndOfTransferAsync(2)).GetProperty("stage").GetString());
        // Another store than the director was told of.
        var another = signed with { Manifest = new string('0', 64) };
        Assert.Equal(200, (await ReceiveAsync(2, another, another)).Status);
        var status = await EndOfTransferAsync(2);
        Assert.Equal(("Failed", "Different"), (status.GetProperty("stage").GetString(), status.GetProperty("fault").GetString()));
        Assert.Equal("Done", await ReceiveAsync(2));
        Assert.Equal("Received", (await EndOfTransferAsync(2)).GetProperty("stage").GetString());
    }

    [Fact]
    public async Task An_order_with_a_body_is_refused()
    {
        var answer = await _from.Http.SendRawAsync("POST /api/v1/users/release HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_has_not_started_or_knows_no_director_takes_no_orders()
    {
        await _from.Node.DrainAsync(TimeSpan.Zero);
        (_from, _to) = (_to, _from);
        var order = new ReceiveOrder("http://127.0.0.1:1", new string('0', 64), "x");
        Assert.Equal(503, (await ReceiveAsync(2, order, order)).Status);
    }

    private Task<Answer> OpenAsync(Assertion assertion) => _from.Http.SendAsync("/api/v1/transfers", "POST", ("Authorization", "Bearer " + _from.Sign(assertion)));

    private Task<Answer> FetchAsync(string what, string ticket, params (string, string)[] headers) =>
        _from.Http.SendAsync("/api/v1/transfers/" + what, "GET", [("Authorization", "Bearer " + ticket), .. headers]);

    private async Task<ReceiveOrder> ReceiveOrderAsync(long epoch) => new(_from.Http.Address.ToString(), (await OfferedAsync(epoch)).GetProperty("manifest").GetString()!,
        _from.Sign(_from.Says("transfer", Alice, epoch, AssertionScope.Transfer)));

    private async Task<string> ReceiveAsync(long epoch)
    {
        var order = await ReceiveOrderAsync(epoch);
        var answer = await ReceiveAsync(epoch, order, order);
        Assert.Equal(200, answer.Status);
        return JsonSerializer.Deserialize<JsonElement>(answer.Body).GetProperty("answer").GetString()!;
    }

    private Task<Answer> ReceiveAsync(long epoch, ReceiveOrder signed, ReceiveOrder sent) => _to.SendAsync("receive", _to.Says("receive", Alice, epoch) with { SessionId = signed.SessionId },
        ("Transfer-Source", sent.Source), ("Transfer-Manifest", sent.Manifest), ("Transfer-Assertion", sent.Assertion));

    private static Assertion Says(ControlledNode node, string verb) =>
        node.Says(verb, Alice, 2) is var said && verb == "receive" ? said with { SessionId = new ReceiveOrder("", "", "").SessionId } : said;

    private async Task<JsonElement> OfferedAsync(long epoch)
    {
        JsonElement offered;
        while ((offered = await _from.OrderAsync("offer", Alice, epoch)).GetProperty("answer").GetString() == "Busy") await Task.Delay(10);
        Assert.Equal("Done", offered.GetProperty("answer").GetString());
        return offered;
    }

    private async Task<JsonElement> EndOfTransferAsync(long epoch)
    {
        JsonElement status;
        while ((status = await _to.OrderAsync("status", Alice, epoch)).GetProperty("stage").GetString() == "Copying") await Task.Delay(10);
        return status;
    }
}
