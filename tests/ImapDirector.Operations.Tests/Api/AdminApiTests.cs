using System.Text.Json;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Operations.Tests.Api;

public sealed class AdminApiTests
{
    [FactIfInstalled("redis-server")]
    public async Task Nodes_are_added_changed_drained_and_listed_and_each_change_is_told_in_the_log()
    {
        await using var api = await RunningApi.StartAsync();
        var added = await api.SendAsync("POST", "/nodes", """{"name":"node3","host":"10.0.0.7","imapPort":1143,"weight":"50"}""", by: "eve\u0001\u001b[2J");
        Assert.Equal(201, added.Status);
        Assert.Equal((409, "exists", "There is a node node3 already: change that one."), await api.RefusalAsync("POST", "/nodes", """{"name":"node3","host":"10.0.0.8"}"""));
        Assert.Equal("draining", (await api.AskAsync(200, "POST", "/nodes/node3/drain")).GetProperty("state").GetString());
        var patched = await api.AskAsync(200, "PATCH", "/nodes/node3", """{"weight":70,"pool":"archive"}""");
        Assert.Equal(("draining", 70, "archive", JsonValueKind.Null), (patched.GetProperty("state").GetString(), patched.GetProperty("weight").GetInt32(), patched.GetProperty("pool").GetString(), patched.GetProperty("configuredWeight").ValueKind));
        Assert.Equal(70, (await api.AskAsync(200, "GET", "/nodes/node3")).GetProperty("weight").GetInt32());
        Assert.Equal(["node1", "node2", "node3"], (await api.AskAsync(200, "GET", "/nodes")).GetProperty("nodes").EnumerateArray().Select(static node => node.GetProperty("name").GetString()));
        Assert.Equal(["archive", "default"], (await api.AskAsync(200, "GET", "/pools")).GetProperty("pools").EnumerateArray().Select(static pool => pool.GetProperty("name").GetString()));
        var refused = await api.RefusalAsync("DELETE", "/nodes/node3");
        Assert.Equal((409, "in_use"), (refused.Status, refused.Code));
        Assert.Equal((409, "in_use", "Node node1 takes new users: drain it first."), await api.RefusalAsync("DELETE", "/nodes/node1"));

        Assert.Equal(3, api.Audit.Count);
        Assert.EndsWith("eve??[2J at 127.0.0.1 has ordered: add node node3; before: none; after: up weight=50 pool=default 10.0.0.7:1143 ", api.Audit[0], StringComparison.Ordinal);
        Assert.EndsWith("somebody at 127.0.0.1 has ordered: change node node3: weight=70 pool=archive; before: draining weight=50 pool=default 10.0.0.7:1143; after: draining weight=70 pool=archive 10.0.0.7:1143 ", api.Audit[2], StringComparison.Ordinal);
    }

    [FactIfInstalled("redis-server")]
    public async Task What_is_not_there_is_404_with_the_nearest_names()
    {
        await using var api = await RunningApi.StartAsync();
        await api.AskNothingAsync("POST", "/users", """{"name":"alice@example.com","password":"secret"}""");
        await api.AskNothingAsync("POST", "/users", """{"name":"bob","password":"secret"}""");
        Assert.Equal((404, "no_such_node", "There is no node \"node7\": the nearest names are node1, node2."), await api.RefusalAsync("POST", "/nodes/node7/drain"));
        Assert.Equal((404, "no_such_node", "There is no node \"x\"."), await api.RefusalAsync("GET", "/nodes/x"));
        Assert.Equal((404, "no_such_node", "There is no node \"node\": the nearest names are node1, node2."), await api.RefusalAsync("GET", "/sessions?node=node"));
        Assert.Equal((404, "no_such_user", "There is no user \"alise@example.com\": the nearest names are alice@example.com, bob@example.com."), await api.RefusalAsync("GET", "/users/alise"));
        Assert.Equal((404, "no_such_user"), Two(await api.RefusalAsync("DELETE", "/users/alise")));
        Assert.Equal((404, "no_such_user"), Two(await api.RefusalAsync("PUT", "/users/alise/password", """{"password":"x"}""")));
        Assert.Equal((404, "no_such_user"), Two(await api.RefusalAsync("POST", "/users/alise/disable")));
    }

    [FactIfInstalled("redis-server")]
    public async Task Accounts_are_made_changed_disabled_paged_and_removed_and_no_password_is_told()
    {
        await using var api = await RunningApi.StartAsync();
        foreach (var name in (string[])["carol", "alice", "bob"]) await api.AskNothingAsync("POST", "/users", $$"""{"name":"{{name}}","password":"topsecret"}""");
        Assert.Equal((409, "exists"), Two(await api.RefusalAsync("POST", "/users", """{"name":"ALICE","password":"topsecret"}""")));
        var page = await api.AskAsync(200, "GET", "/users?limit=2");
        Assert.Equal(["alice@example.com", "bob@example.com"], page.GetProperty("users").EnumerateArray().Select(static user => user.GetString()));
        var last = await api.AskAsync(200, "GET", $"/users?limit=2&after={page.GetProperty("next").GetString()}");
        Assert.Equal(["carol@example.com"], last.GetProperty("users").EnumerateArray().Select(static user => user.GetString()));
        Assert.Equal(JsonValueKind.Null, last.GetProperty("next").ValueKind);

        await api.AskNothingAsync("PUT", "/users/alice/password", """{"password":"topsecret2"}""");
        await api.AskNothingAsync("POST", "/users/alice@example.com/disable");
        Assert.True((await api.AskAsync(200, "GET", "/users/alice")).GetProperty("isDisabled").GetBoolean());
        await api.AskNothingAsync("POST", "/users/alice/enable");
        Assert.False((await api.AskAsync(200, "GET", "/users/alice")).GetProperty("isDisabled").GetBoolean());
        await api.AskNothingAsync("DELETE", "/users/alice");
        Assert.Equal((404, "no_such_user"), Two(await api.RefusalAsync("GET", "/users/alice")));
        Assert.Equal(7, api.Audit.Count);
        Assert.DoesNotContain(api.Http.Log.Lines, static line => line.Text.Contains("topsecret", StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task Sessions_are_listed_and_told_to_end()
    {
        await using var api = await RunningApi.StartAsync();
        await api.AddSessionAsync("alice@example.com", "a1", "192.0.2.1");
        await api.AddSessionAsync("alice@example.com", "a2", "2001:db8::1");
        await api.AddSessionAsync("bob@example.com", "b1", "192.0.2.1");
        async Task<IEnumerable<string?>> ListAsync(string query) => (await api.AskAsync(200, "GET", "/sessions" + query)).GetProperty("sessions").EnumerateArray().Select(static session => session.GetProperty("id").GetString()).Order();
        Assert.Equal(["a1", "a2", "b1"], await ListAsync(""));
        Assert.Equal(["a1", "a2"], await ListAsync("?user=Alice"));
        Assert.Equal(["a2"], await ListAsync("?user=alice&address=2001:db8:0::1"));
        Assert.True((await api.AskAsync(200, "GET", "/sessions?limit=2")).GetProperty("hasMore").GetBoolean());
        Assert.Equal((400, "invalid"), Two(await api.RefusalAsync("POST", "/sessions/kick", "{}")));
        Assert.Equal((400, "invalid"), Two(await api.RefusalAsync("GET", "/sessions?uesr=alice")));
        Assert.Equal((400, "invalid"), Two(await api.RefusalAsync("GET", "/sessions?user=alice&user=bob")));
        Assert.Equal((400, "invalid"), Two(await api.RefusalAsync("POST", "/sessions/kick", """{"address":"everywhere"}""")));
        var kicked = await api.AskAsync(200, "POST", "/sessions/kick", """{"user":"alice","address":"192.0.2.1"}""");
        Assert.Equal("a1", Assert.Single(kicked.GetProperty("sessions").EnumerateArray()).GetProperty("id").GetString());
        Assert.EndsWith("end sessions of user=alice@example.com address=192.0.2.1; before: 1 sessions; after: told to end ", Assert.Single(api.Audit), StringComparison.Ordinal);
    }

    [FactIfInstalled("redis-server")]
    public async Task The_map_is_exported_brought_back_and_verified()
    {
        await using var api = await RunningApi.StartAsync();
        await api.Redis.HashSetAsync("imapdirector:{alice@example.com}:assignment", [new("node", "node1"), new("epoch", 3)]);
        await api.Redis.HashSetAsync("imapdirector:{bob@example.com}:assignment", [new("node", "node9"), new("epoch", 1)]);
        var export = await api.SendAsync("GET", "/directory");
        Assert.Equal("application/x-ndjson", export.Headers["Content-Type"]);
        Assert.Equal(["{\"user\":\"alice@example.com\",\"node\":\"node1\",\"epoch\":3}", "{\"user\":\"bob@example.com\",\"node\":\"node9\",\"epoch\":1}"], export.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        var verified = await api.AskAsync(200, "GET", "/directory/faults");
        Assert.Equal((2, 1), (verified.GetProperty("looked").GetInt32(), verified.GetProperty("faultCount").GetInt32()));

        await api.Redis.KeyDeleteAsync("imapdirector:{alice@example.com}:assignment");
        var lines = export.Body + $$"""{"user":"{{new string('a', 1100)}}","node":"node1","epoch":1}""" + "\n\nnonsense\n{\"user\":\"carol@example.com\",\"node\":\"node2\",\"epoch\":1}";
        var answer = await api.SendAsync("POST", "/directory", lines, mediaType: "application/x-ndjson");
        var imported = JsonDocument.Parse(answer.Body).RootElement;
        Assert.Equal((2, 0, 3), (imported.GetProperty("broughtBack").GetInt32(), imported.GetProperty("thereAlready").GetInt32(), imported.GetProperty("leftOutCount").GetInt32()));
        Assert.Equal(3, (int)await api.Redis.HashGetAsync("imapdirector:{alice@example.com}:assignment", "epoch"));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_user_is_explained()
    {
        await using var api = await RunningApi.StartAsync();
        await api.AddSessionAsync("alice@example.com", "a1", "192.0.2.1");
        await api.Redis.HashSetAsync("imapdirector:{alice@example.com}:assignment", [new("node", "node1"), new("epoch", 3)]);
        var why = await api.AskAsync(200, "GET", "/users/alice/explain");
        Assert.Equal(("node1", 3, "director1", "node1"), (why.GetProperty("node").GetString(), why.GetProperty("epoch").GetInt32(), why.GetProperty("director").GetString(), why.GetProperty("nextLogin").GetProperty("node").GetString()));
        Assert.Equal([1, 2], why.GetProperty("nodes").EnumerateArray().Select(static node => node.GetProperty("rank").GetInt32()));
        Assert.Equal(0.5, why.GetProperty("nodes")[0].GetProperty("share").GetDouble());
        Assert.Single(why.GetProperty("sessions").EnumerateArray());
        await api.AskAsync(200, "POST", "/nodes/node1/down");
        var down = (await api.AskAsync(200, "GET", "/users/alice/explain")).GetProperty("nextLogin");
        Assert.Equal((JsonValueKind.Null, "node1 is down; \"nodes up node1\" brings it back"), (down.GetProperty("node").ValueKind, down.GetProperty("reason").GetString()));
        var bob = await api.AskAsync(200, "GET", "/users/bob/explain");
        Assert.Equal((JsonValueKind.Null, "node2", "for good"), (bob.GetProperty("node").ValueKind, bob.GetProperty("nextLogin").GetProperty("node").GetString(), bob.GetProperty("nextLogin").GetProperty("reason").GetString()));
    }

    [FactIfInstalled("redis-server")]
    public async Task With_Redis_away_everything_is_unavailable()
    {
        await using var api = await RunningApi.StartAsync();
        await api.RedisProcess.KillAsync();
        foreach (var (method, path, body) in new[]
        {
            ("GET", "/nodes", null), ("POST", "/nodes/node1/drain", null), ("DELETE", "/nodes/node1", null), ("GET", "/users", null), ("GET", "/users/alice", null), ("GET", "/users/alice/explain", null),
            ("GET", "/sessions", null), ("POST", "/sessions/kick", """{"user":"alice"}"""), ("GET", "/directory/faults", null),
        })
            Assert.Equal((503, "unavailable"), Two(await api.RefusalAsync(method, path, body)));
        // An export that cannot be completed is none.
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => api.SendAsync("GET", "/directory"));
    }

    [FactIfInstalled("redis-server")]
    public async Task The_document_describes_every_route_and_each_of_its_references_leads_somewhere()
    {
        await using var api = await RunningApi.StartAsync();
        var text = (await api.SendAsync("GET", "/openapi.json")).Body;
        var document = JsonDocument.Parse(text).RootElement;
        var described = document.GetProperty("paths").EnumerateObject().SelectMany(static path => path.Value.EnumerateObject().Select(verb => $"{verb.Name.ToUpperInvariant()} {path.Name}"));
        Assert.Equal(new ImapDirector.Operations.Api.AdminApi(api.Director, static _ => null, api.Http.Log).Routes.Select(static route => $"{route.Method} /api/v1{route.Path}").Order(), described.Order());
        var schemas = document.GetProperty("components").GetProperty("schemas").EnumerateObject().Select(static schema => schema.Name).ToHashSet();
        foreach (var part in text.Split("#/components/schemas/")[1..]) Assert.Contains(part[..part.IndexOf('"', StringComparison.Ordinal)], schemas);
        Assert.Contains("ApiNode", schemas);
    }

    private static (int, string) Two((int Status, string Code, string Detail) refusal) => (refusal.Status, refusal.Code);
}
