using System.Net;
using ImapDirector.Director.Relay;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

public sealed class DrainWavesTests
{
    private static readonly Task Never = new TaskCompletionSource().Task;

    private static LiveSessions Of(int count)
    {
        var sessions = new LiveSessions();
        for (var i = 0; i < count; i++) sessions.Add(new LiveSession(TestDirector.User($"user{i}@example.com"), "node1", IPAddress.Loopback));
        return sessions;
    }

    [Theory]
    [InlineData(10, 10_000, 10)]
    [InlineData(25, 10_000, 10)]
    [InlineData(5000, 10_000, 50)]
    [InlineData(5000, 1000, 500)]
    [InlineData(5000, 0, 5000)]
    public async Task The_first_wave_is_as_small_as_the_time_allows(int sessions, int milliseconds, int first)
    {
        var all = Of(sessions);
        // Everybody is gone after the first one, so that there is no other.
        await DrainWaves.RunAsync(all, TimeSpan.FromMilliseconds(milliseconds), Task.CompletedTask);
        Assert.Equal(first, all.Snapshot().Count(static session => session.IsKicked));
    }

    [Fact]
    public async Task In_the_end_all_have_been_told()
    {
        var all = Of(35);
        await DrainWaves.RunAsync(all, TimeSpan.FromSeconds(1), Never);
        Assert.All(all.Snapshot(), static session => Assert.True(session.IsKicked));
    }

    [FactIfInstalled("redis-server")]
    public async Task The_next_director_takes_new_clients_on_the_same_port_while_the_old_one_drains()
    {
        await using var node = FakeImapNode.Ready();
        await using var old = await RunningDirector.StartAsync(node.Backend, static options => options with { ReusePort = true });
        await using var idle = await old.LogInAsync();
        await using var young = await RunningDirector.StartAsync(node.Backend, options => options with
        {
            Name = "director2",
            ReusePort = true,
            Imap = old.Server.ImapEndPoint,
            Imaps = null,
        }, old.Redis);

        var drained = old.Server.DrainAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("* BYE The session is closed, please connect again.\r\n", await idle.ReadToEndAsync());
        await drained;
        for (var i = 0; i < 5; i++)
        {
            await using var client = await young.LogInAsync("bob");
        }
    }
}
