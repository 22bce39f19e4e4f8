using ImapDirector.Operations.Tests.Api;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Operations.Tests.Https;

public sealed class OperatorsTests
{
    private const string Nodes = "/api/v1/nodes";
    private const string Drain = "/api/v1/nodes/node1/drain";

    private static readonly (string, string) Token = ("Authorization", $"Bearer {RunningApi.Token}");

    [FactIfInstalled("redis-server")]
    public async Task An_operators_certificate_gives_orders_without_a_token_and_its_name_is_in_the_log()
    {
        using var side = new HttpsSide();
        await using var api = await RunningApi.StartAsync(https: side.Options("alice", "bob"));
        using var alice = side.Authority.Issue("CN=alice");
        Assert.Equal(200, (await HttpsSide.SendAsync(api.Http, alice, Nodes)).Status);
        Assert.Equal(200, (await HttpsSide.SendAsync(api.Http, alice, Drain, "POST", ("X-Operator", "mallory"))).Status);
        var line = Assert.Single(api.Audit);
        Assert.Contains("the certificate of alice at 127.0.0.1 has ordered", line, StringComparison.Ordinal);
        Assert.DoesNotContain("mallory", line, StringComparison.Ordinal);
    }

    [FactIfInstalled("redis-server")]
    public async Task Anybody_elses_certificate_reads_pages_and_gives_orders_with_the_token_alone()
    {
        using var side = new HttpsSide();
        await using var api = await RunningApi.StartAsync(https: side.Options("alice"));
        // At once, since each refusal waits.
        await Task.WhenAll(((string[])["CN=Alice", "CN=alice@example.com", "CN=prometheus", "O=alice", "CN=alice, CN=bob", "CN=*"]).Select(async subject =>
        {
            using var other = side.Authority.Issue(subject);
            Assert.Equal(200, (await HttpsSide.SendAsync(api.Http, other, "/metrics")).Status);
            Assert.Equal(401, (await HttpsSide.SendAsync(api.Http, other, Nodes)).Status);
            Assert.Equal(401, (await HttpsSide.SendAsync(api.Http, other, "/users/alice@example.com/livez")).Status);
            Assert.Equal(200, (await HttpsSide.SendAsync(api.Http, other, Nodes, "GET", Token)).Status);
        }));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_star_stands_for_whoever_has_a_certificate_that_counts_and_a_name_in_it()
    {
        using var side = new HttpsSide(isRequired: false);
        await using var api = await RunningApi.StartAsync(https: side.Options("*"));
        foreach (var (subject, status) in ((string, int)[])[("CN=anybody", 200), ("O=nobody", 401), ("CN=alice, CN=bob", 401)])
        {
            using var shown = side.Authority.Issue(subject);
            Assert.Equal(status, (await HttpsSide.SendAsync(api.Http, shown, Nodes)).Status);
        }
        Assert.Equal(401, (await HttpsSide.SendAsync(api.Http, null, Nodes)).Status);
    }

    [FactIfInstalled("redis-server")]
    public async Task Where_none_is_required_one_that_does_not_count_is_as_good_as_none()
    {
        using var side = new HttpsSide(isRequired: false);
        await using var api = await RunningApi.StartAsync(https: side.Options("alice", "*"));
        Assert.Equal(401, (await HttpsSide.SendAsync(api.Http, null, Nodes)).Status);
        Assert.Equal(200, (await HttpsSide.SendAsync(api.Http, null, Nodes, "GET", Token)).Status);
        foreach (var (what, shown) in side.Faulty())
        {
            Assert.True((await HttpsSide.SendAsync(api.Http, shown, Nodes)).Status == 401, $"A certificate {what} gave an order.");
            Assert.Equal(200, (await HttpsSide.SendAsync(api.Http, shown, Nodes, "GET", Token)).Status);
            shown.Dispose();
        }
    }

    [FactIfInstalled("redis-server")]
    public async Task Without_a_token_operators_alone_give_orders()
    {
        using var side = new HttpsSide();
        await using var api = await RunningApi.StartAsync(withToken: false, https: side.Options("alice"));
        using var alice = side.Authority.Issue("CN=alice");
        using var bob = side.Authority.Issue("CN=bob");
        Assert.Equal(200, (await HttpsSide.SendAsync(api.Http, alice, Nodes)).Status);
        Assert.Equal(401, (await HttpsSide.SendAsync(api.Http, bob, Nodes)).Status);
        Assert.Equal(401, (await api.SendAsync("GET", "/nodes")).Status);
    }

    [FactIfInstalled("redis-server")]
    public async Task Without_operators_a_certificate_is_no_token()
    {
        using var side = new HttpsSide();
        await using var api = await RunningApi.StartAsync(https: side.Options());
        using var alice = side.Authority.Issue("CN=alice");
        Assert.Equal(401, (await HttpsSide.SendAsync(api.Http, alice, Nodes)).Status);
        Assert.Equal(200, (await HttpsSide.SendAsync(api.Http, alice, Nodes, "GET", Token)).Status);
    }

    [FactIfInstalled("redis-server")]
    public async Task What_a_browser_sends_for_a_page_is_no_order_of_its_certificate()
    {
        using var side = new HttpsSide();
        await using var api = await RunningApi.StartAsync(https: side.Options("alice"));
        using var alice = side.Authority.Issue("CN=alice");
        foreach (var header in ((string, string)[])[("Origin", "https://evil.example.com"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "none")])
        {
            Assert.Equal(403, (await HttpsSide.SendAsync(api.Http, alice, Drain, "POST", header)).Status);
            Assert.Equal(200, (await HttpsSide.SendAsync(api.Http, alice, Drain, "POST", header, Token)).Status);
        }
    }
}
