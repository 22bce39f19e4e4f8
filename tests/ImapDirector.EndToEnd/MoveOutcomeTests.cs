using ImapDirector.Tests.Shared;
using StackExchange.Redis;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary>What is said of moves whose records are not there to be asked. Nobody carries these out.</summary>
public sealed class MoveOutcomeTests
{
    private static readonly string Record = $"imapdirector:{{{Mail.Alice}}}:move";

    [FactIfInstalled("redis-server")]
    public async Task A_move_whose_record_is_gone_or_is_another_s_has_not_succeeded()
    {
        await using var cluster = await StartAsync();
        foreach (var spoil in (Func<Task>[])[() => cluster.Database.KeyDeleteAsync(Record), () => EndAnotherAsync(cluster)])
        {
            var moving = cluster.RunAsync("user", "move", Mail.Alice, "node1");
            await UntilOrderedAsync(cluster);
            await spoil();

            var (code, printed, error) = await moving;

            Assert.True(code == 69, $"{code}: {error}");
            Assert.Equal("", printed);
            Assert.Contains("What became of the move is not known", error, StringComparison.Ordinal);
            await cluster.Database.KeyDeleteAsync(Record);
        }
    }

    [FactIfInstalled("redis-server")]
    public async Task Of_many_users_those_count_as_moved_whose_own_move_is_done()
    {
        await using var cluster = await StartAsync();
        foreach (var (spoil, moved) in ((Func<Task>, int)[])[(() => cluster.Database.KeyDeleteAsync(Record), 0), (() => EndAnotherAsync(cluster), 0), (() => cluster.Database.HashSetAsync(Record, "step", "done"), 1)])
        {
            var moving = cluster.RunAsync("user", "move", "--all", "--from", "node0", "--to", "node1");
            await UntilOrderedAsync(cluster);
            await spoil();

            var (code, printed, error) = await moving;

            Assert.True(code == (moved == 1 ? 0 : 2), $"{code}: {printed} {error}");
            Assert.Contains($"{moved} of 1 users have moved, {1 - moved} have not, or it is not known.", printed, StringComparison.Ordinal);
            await cluster.Database.KeyDeleteAsync(Record);
        }
    }

    private static async Task<MovingCluster> StartAsync()
    {
        var cluster = await MovingCluster.StartAsync([Mail.Alice], more: "\"MaxMoves\": 0,");
        await Mail.DeliverAsync(cluster.Director.Lmtp, Mail.Alice, Mail.Message("one"));
        return cluster;
    }

    private static Task EndAnotherAsync(MovingCluster cluster) => cluster.Database.HashSetAsync(Record, [new HashEntry("id", "another"), new HashEntry("step", "done")]);

    private static async Task UntilOrderedAsync(MovingCluster cluster)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await cluster.StepAsync(Mail.Alice) != "ordered") await Task.Delay(20, patience.Token);
        // Seen by whoever has ordered it; what is spoiled before that is the same.
        await Task.Delay(500, patience.Token);
    }
}
