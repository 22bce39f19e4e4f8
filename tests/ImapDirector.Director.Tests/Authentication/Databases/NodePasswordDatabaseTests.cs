using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication.Databases;

public sealed class NodePasswordDatabaseTests
{
    private const string CarolAssignment = "imapdirector:{carol@example.com}:assignment";

    [FactIfInstalled("redis-server")]
    public async Task Whom_the_node_lets_in_is_let_in_and_only_then_assigned()
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            while (true)
            {
                var line = await session.ReadLineAsync();
                var tag = line.Split(' ')[0];
                if (!line.Contains(" AUTHENTICATE PLAIN ", StringComparison.Ordinal)) await session.WriteLineAsync($"{tag} OK done");
                else if (System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(line.Split(' ')[^1])).EndsWith("carol@example.com\0own secret", StringComparison.Ordinal)) await session.WriteLineAsync($"{tag} {NodeSession.LoggedIn}");
                else await session.WriteLineAsync($"{tag} NO [AUTHENTICATIONFAILED] no");
            }
        });
        await using var director = await RunningDirector.StartAsync(node.Backend with { Login = NodeLogin.Password }, o => o with { Authentication = new AuthenticationOptions { Databases = [new NodeDatabaseOptions()] } });
        await using var client = await director.ConnectAsync();

        Assert.StartsWith("a NO [AUTHENTICATIONFAILED]", await client.AskAsync("a LOGIN carol wrong"));
        Assert.StartsWith("b NO [AUTHENTICATIONFAILED]", await client.AskAsync("b LOGIN nobody secret"));
        Assert.Empty(director.Redis.Probe.GetServers()[0].Keys(pattern: "*:assignment"));

        Assert.StartsWith("c OK ", await client.AskAsync("c LOGIN carol \"own secret\""));
        Assert.Equal("node1", await director.Redis.Database.HashGetAsync(CarolAssignment, "node"));
    }

    [FactIfInstalled("redis-server")]
    public async Task What_is_left_of_the_way_is_told_with_the_question_too_so_that_directors_in_a_circle_end_it()
    {
        var told = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            while (true)
            {
                var line = await session.ReadLineAsync();
                if (line.Contains(" ID (", StringComparison.Ordinal)) told.Enqueue(line);
                await session.WriteLineAsync(line.Contains(" AUTHENTICATE ", StringComparison.Ordinal) ? $"{line.Split(' ')[0]} {NodeSession.LoggedIn}" : $"{line.Split(' ')[0]} OK done");
            }
        });
        await using var director = await RunningDirector.StartAsync(node.Backend with { Login = NodeLogin.Password }, o => o with { Authentication = new AuthenticationOptions { Databases = [new NodeDatabaseOptions()] }, DirectorNetworks = [System.Net.IPNetwork.Parse("127.0.0.0/8")] });
        await using var client = await director.ConnectAsync();

        await client.AskAsync("a ID (\"x-proxy-ttl\" \"3\")");
        Assert.StartsWith("b OK ", await client.AskAsync("b LOGIN carol secret"));

        Assert.Equal(2, told.Count);
        Assert.All(told, static line => Assert.Contains("\"x-proxy-ttl\" \"2\"", line, StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_node_that_is_away_is_no_wrong_password()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend with { ImapPort = FreePort.Next() }, o => o with { Authentication = new AuthenticationOptions { Databases = [new NodeDatabaseOptions()] } });
        await using var client = await director.ConnectAsync();
        Assert.StartsWith("a NO [UNAVAILABLE]", await client.AskAsync("a LOGIN carol secret"));
    }
}
