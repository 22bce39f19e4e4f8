using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Operations.Tests.Api;

public sealed class PlanEndpointTests
{
    [FactIfInstalled("redis-server")]
    public async Task Plans_tell_who_would_move_and_change_nothing()
    {
        await using var api = await RunningApi.StartAsync();
        foreach (var number in Enumerable.Range(0, 10)) await api.Redis.HashSetAsync($"imapdirector:{{user{number}@example.com}}:assignment", [new("node", "node1"), new("epoch", 1)]);
        var remove = await api.AskAsync(200, "GET", "/plans/remove?node=node1&limit=3");
        Assert.Equal((10, 3, 10, 0), (remove.GetProperty("moves").GetInt32(), remove.GetProperty("firstMoves").GetArrayLength(), remove.GetProperty("nodes")[0].GetProperty("users").GetInt32(), remove.GetProperty("nodes")[0].GetProperty("usersAfter").GetInt32()));
        Assert.Equal(0.5, (await api.AskAsync(200, "GET", "/plans/add?node=node3&weight=200")).GetProperty("nodes")[2].GetProperty("shareAfter").GetDouble());
        Assert.Equal(0.75, (await api.AskAsync(200, "GET", "/plans/weight?node=node1&weight=300")).GetProperty("nodes")[0].GetProperty("shareAfter").GetDouble());
        foreach (var (path, status, code) in new[]
        {
            ("/plans/remove", 400, "invalid"), ("/plans/remove?node=x", 404, "no_such_node"), ("/plans/remove?node=node1&limit=10001", 400, "invalid"), ("/plans/add?node=node1", 409, "exists"), ("/plans/add?node=../x", 400, "invalid"),
            ("/plans/add?node=node3&weight=1001", 400, "invalid"), ("/plans/weight?node=node1", 400, "invalid"), ("/plans/weight?node=node1&weight=-1", 400, "invalid"), ("/plans/rebalance", 404, "not_found"),
        })
        {
            var refused = await api.RefusalAsync("GET", path);
            Assert.Equal((path, status, code), (path, refused.Status, refused.Code));
        }
        Assert.Empty(api.Audit);
    }
}
