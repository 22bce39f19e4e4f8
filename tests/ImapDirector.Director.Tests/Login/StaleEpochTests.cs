using ImapDirector.Director.Tests.Backends;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

/// <summary>A user who moves while they log in.</summary>
public sealed class StaleEpochTests
{
    [FactIfInstalled("redis-server")]
    public async Task Where_the_node_says_that_the_user_is_not_there_any_more_the_map_is_asked_once_more()
    {
        RunningDirector director = null!;
        await using var old = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await director.Redis.Database.HashSetAsync("imapdirector:{alice@example.com}:assignment", [new("node", "node2"), new("epoch", 2)]);
            await session.AnswerLoginAsync("NO [UNAVAILABLE] elsewhere");
            await session.ListenAsync();
        });
        await using var @new = FakeImapNode.Ready("node2");
        await using var started = director = await RunningDirector.StartAsync(old.Backend, options => options with { Nodes = [old.Backend, @new.Backend] });
        await director.Redis.Database.HashSetAsync("imapdirector:{alice@example.com}:assignment", [new("node", "node1"), new("epoch", 1)]);

        await using var client = await director.LogInAsync();

        Assert.Single(old.Sessions);
        Assert.NotNull(@new.Session.Credentials);
    }

    [FactIfInstalled("redis-server")]
    public async Task Where_the_map_says_the_same_again_the_login_is_refused()
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await session.AnswerLoginAsync("NO [UNAVAILABLE] the disk");
            await session.ListenAsync();
        });
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.ConnectAsync();

        Assert.StartsWith("a NO [UNAVAILABLE]", await client.AskAsync($"a LOGIN alice {RunningDirector.Password}"));
        Assert.Single(node.Sessions);
        Assert.Empty(await director.SessionsAsync());
    }
}
