using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

/// <summary>Logging in while Redis is away.</summary>
public sealed class OutageLoginTests
{
    private const string Unavailable = "a NO [UNAVAILABLE] Your mail cannot be reached now, please try again later.";

    [FactIfInstalled("redis-server")]
    public async Task Guesses_at_what_is_remembered_are_told_nothing_and_count()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, static options => options with { Throttle = options.Throttle with { AddressFailures = 2 } });
        await (await director.LogInAsync()).DisposeAsync();
        await director.EndCodesAsync();
        await director.Redis.Process.KillAsync();

        // Alice is known here: of her ten are checked, and one more of everybody in fifteen seconds.
        for (var number = 0; number < 11; number++) Assert.Equal(Unavailable, await SayAsync($"a LOGIN alice guess{number}"));
        Assert.StartsWith("a NO [LIMIT]", await SayAsync("a LOGIN alice guess11"));
        Assert.StartsWith("a NO [LIMIT]", await SayAsync($"a LOGIN alice {RunningDirector.Password}"));
        Assert.Equal(11, director.Lines.Count(static line => line.Contains("login refused: likely_wrong, user=alice@example.com mechanism=login client=127.0.0.1:", StringComparison.Ordinal)));

        async Task<string> SayAsync(string line)
        {
            await using var client = await director.ConnectAsync();
            return await client.AskAsync(line);
        }
    }

    [FactIfInstalled("redis-server")]
    public async Task A_user_has_no_more_sessions_than_the_limit()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, static options => options with { MaxSessionsPerUser = 2 });
        await using var first = await director.LogInAsync();
        await director.Redis.Process.KillAsync();
        await using var second = await director.LogInAsync();

        await using var third = await director.ConnectAsync();
        Assert.Equal("a NO [LIMIT] Too many sessions.", await third.AskAsync($"a LOGIN alice {RunningDirector.Password}"));

        await first.DisposeAsync();
        await TestDirector.UntilAsync(async () =>
        {
            await using var again = await director.ConnectAsync();
            return (await again.AskAsync($"a LOGIN alice {RunningDirector.Password}")).StartsWith("a OK ", StringComparison.Ordinal);
        });
    }
}
