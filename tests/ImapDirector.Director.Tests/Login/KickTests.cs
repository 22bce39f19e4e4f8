using System.Net;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class KickTests
{
    private const string Bye = "* BYE The session is closed, please connect again.\r\n";

    [FactIfInstalled("redis-server")]
    public async Task A_kick_ends_the_sessions_that_are_meant_at_every_director_and_no_others()
    {
        await using var node = FakeImapNode.Ready();
        await using var one = await RunningDirector.StartAsync(node.Backend);
        await using var two = await RunningDirector.StartAsync(node.Backend, static options => options with { Name = "director2" }, one.Redis);
        await using var first = await one.LogInAsync();
        await using var second = await two.LogInAsync();
        await using var other = await one.LogInAsync("bob");
        var orders = one.Server.Sessions;

        Assert.True(await orders.KickAsync(new SessionFilter(TestDirector.User("alice@example.com"), null, null), CancellationToken.None));

        Assert.Equal(Bye, await first.ReadToEndAsync());
        Assert.Equal(Bye, await second.ReadToEndAsync());
        Assert.Equal(["KI"], await one.EndCodesAsync());
        // The other director's record goes when its session has ended, and nobody has waited for that.
        await TestDirector.UntilAsync(async () =>
            (await orders.ListSessionsAsync(new SessionFilter(null, null, null), CancellationToken.None))!.Select(static session => session.User.Value).SequenceEqual(["bob@example.com"]));
        // Who was kicked may come back.
        await using var again = await one.LogInAsync();
        Assert.True(await orders.KickAsync(new SessionFilter(null, node.Backend.Name, IPAddress.Loopback), CancellationToken.None));
        Assert.Equal(Bye, await again.ReadToEndAsync());
        Assert.Equal(Bye, await other.ReadToEndAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task A_session_that_is_still_logging_in_at_its_node_is_kicked_as_well()
    {
        var release = new TaskCompletionSource();
        await using var node = new FakeImapNode(async session =>
        {
            await release.Task;
            await session.LogInAsync();
            await session.ListenAsync();
        });
        await using var director = await RunningDirector.StartAsync(node.Backend);
        var orders = director.Server.Sessions;
        await using var client = await director.ConnectAsync();
        await client.SendAsync($"a LOGIN alice {RunningDirector.Password}\r\n");
        await TestDirector.UntilAsync(async () => (await director.SessionsAsync()).Count == 1);

        // Once is enough: the directory knows of it a moment before its director does.
        Assert.True(await orders.KickAsync(new SessionFilter(TestDirector.User("alice@example.com"), null, null), CancellationToken.None));
        await TestDirector.UntilAsync(() => Task.FromResult(director.Lines.Any(static line => line.StartsWith("3041 ", StringComparison.Ordinal))));
        release.SetResult();

        Assert.EndsWith(Bye, await client.ReadToEndAsync(), StringComparison.Ordinal);
    }
}
