using ImapDirector.Operations.Tests.Api;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Operations.Tests.Gateway;

public sealed class UserGatewayTests
{
    private static readonly (string, string)[] Token = [("Authorization", $"Bearer {RunningApi.Token}")];

    [FactIfInstalled("redis-server")]
    public async Task A_users_path_leads_to_the_node_that_holds_the_mail_for_whoever_has_the_token()
    {
        await using var one = await RunningServer.StartAsync([RunningServer.Check("one", "here")]);
        await using var two = await RunningServer.StartAsync([RunningServer.Check("two", "here")]);
        await using var api = await RunningApi.StartAsync(pages: new Dictionary<string, Uri> { ["node1"] = one.Address, ["node2"] = two.Address });
        await api.Redis.HashSetAsync("imapdirector:{alice@example.com}:assignment", [new("node", "node1"), new("epoch", 1)]);
        await api.Redis.HashSetAsync("imapdirector:{bob@example.com}:assignment", [new("node", "node2"), new("epoch", 1)]);
        await api.Redis.HashSetAsync("imapdirector:{carol@example.com}:assignment", [new("node", "gone"), new("epoch", 1)]);

        Assert.Equal("one: here\n", (await api.Http.SendAsync("/users/Alice/readyz", "GET", Token)).Body);
        Assert.Equal("two: here\n", (await api.Http.SendAsync("/users/bob@example.com/readyz", "GET", Token)).Body);
        Assert.Equal(401, (await api.Http.SendAsync("/users/alice/readyz")).Status);
        Assert.Equal(404, (await api.Http.SendAsync("/users/carol/readyz", "GET", Token)).Status);
        Assert.Equal(404, (await api.Http.SendAsync("/users/nobody/readyz", "GET", Token)).Status);
        foreach (var path in (string[])["/users/alice", "/users/alice/", "/users/alice/api", "/users/alice/readyz/x", "/users//readyz"])
            Assert.Equal(404, (await api.Http.SendAsync(path, "GET", Token)).Status);
        Assert.Equal(400, (await api.Http.SendAsync("/users/a%2fb/readyz", "GET", Token)).Status);
        Assert.Equal(405, (await api.Http.SendAsync("/users/alice/readyz", "POST", Token)).Status);
    }

    [FactIfInstalled("redis-server")]
    public async Task Whether_a_node_says_that_it_is_ready_is_shown_with_it_and_it_is_reached_all_the_same()
    {
        await using var ready = await RunningServer.StartAsync();
        await using var draining = await RunningServer.StartAsync([RunningServer.Check("node2", "draining")]);
        await using var api = await RunningApi.StartAsync(pages: new Dictionary<string, Uri> { ["node1"] = ready.Address, ["node2"] = draining.Address });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            var nodes = (await api.AskAsync(200, "GET", "/nodes")).GetProperty("nodes").EnumerateArray().Select(static node => node.GetProperty("isReady").GetRawText());
            if (nodes.SequenceEqual(["true", "false"])) break;
            await Task.Delay(50, patience.Token);
        }
        Assert.Equal((503, "node2: draining\n"), ((await api.Http.SendAsync("/nodes/node2/readyz")).Status, (await api.Http.SendAsync("/nodes/node2/readyz")).Body));
    }
}
