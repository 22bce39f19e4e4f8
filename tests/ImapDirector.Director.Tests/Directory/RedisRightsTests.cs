using System.Text.RegularExpressions;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using ImapDirector.Director.Throttling;
using ImapDirector.Tests.Shared;
using StackExchange.Redis;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed partial class RedisRightsTests
{
    [FactIfInstalled("redis-server")]
    public async Task The_rights_in_the_schema_document_are_enough_for_everything_the_director_does()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        var document = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "redis-schema.md"));
        var rights = UserLine().Match(document).Groups[1].Value.Replace("PASSWORD", "secret", StringComparison.Ordinal)
            .Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        await redis.Database.ExecuteAsync("ACL", ["SETUSER", "director", .. rights]);
        await redis.Database.ExecuteAsync("ACL", "SETUSER", "default", "off");
        var connection = redis.ConnectionString + ",user=director,password=secret";
        await using var director = await TestDirector.StartAsync(connection);
        var accounts = director.Accounts;

        var orders = director.Orders;
        var nodes = new NodeOrders(director.Redis, director.Nodes, TimeSpan.Zero);

        Assert.NotNull(director.Directory.Incarnation);
        var woken = new TaskCompletionSource();
        director.Redis.Subscribe(RedisKeys.ClusterChannel, () => woken.TrySetResult());
        Assert.Equal(NodeOutcome.Done, (await nodes.ChangeAsync("node1", new Dictionary<string, string?> { ["state"] = "draining" }, CancellationToken.None)).Outcome);
        Assert.True(await orders.KickAsync(new SessionFilter(User("alice@example.com"), null, null), CancellationToken.None));
        await UntilAsync(async () =>
        {
            // The subscription may come after the first message.
            await orders.KickAsync(new SessionFilter(User("alice@example.com"), null, null), CancellationToken.None);
            return woken.Task.IsCompleted;
        });
        Assert.Equal(NodeState.Draining, director.Nodes.Current.Find("node1")!.State);
        Assert.Equal(NodeOutcome.Done, (await nodes.RemoveAsync("node1", CancellationToken.None)).Outcome);
        Assert.Equal(NodeOutcome.Done, (await nodes.AddAsync("node1", new Dictionary<string, string?>(), CancellationToken.None)).Outcome);
        Assert.NotNull(await orders.ListSessionsAsync(new SessionFilter(null, null, null), CancellationToken.None));
        Assert.Equal(AccountOutcome.Done, await accounts.AddAsync("alice@example.com", "secret"u8.ToArray(), CancellationToken.None));
        Assert.Equal(AccountOutcome.Done, await accounts.SetPasswordAsync("alice@example.com", "secret"u8.ToArray(), CancellationToken.None));
        Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(User("alice@example.com"), "s1")).Outcome);
        Assert.Equal(AccountOutcome.Done, (await accounts.ShowAsync("alice@example.com", CancellationToken.None)).Outcome);
        Assert.Equal(AccountOutcome.Done, await accounts.ListAsync(_ => { }, CancellationToken.None));
        await director.Directory.CloseSessionAsync(User("alice@example.com"), "s1");
        var moves = new MoveLedger(director.Redis);
        var node = (await director.Directory.AssignAsync(User("alice@example.com"), CancellationToken.None)).Node!.Name;
        Assert.Equal(MoveOutcome.Ordered, (await moves.OrderAsync(User("alice@example.com"), null, node == "node1" ? "node2" : "node1", CancellationToken.None)).Outcome);
        for (var (incarnation, steps) = (director.Directory.Incarnation!, 0); steps < 2; steps++)
        {
            var move = (await moves.ClaimAsync(User("alice@example.com"), incarnation, CancellationToken.None)).Move!;
            Assert.Equal(1, (int)(steps == 0 ? await moves.MarkAsync(move, incarnation.Epoch, CancellationToken.None) : await moves.UndoAsync(move, incarnation.Epoch, "test", CancellationToken.None)).Value!);
            if (steps == 1) await moves.EndAsync(move with { Step = MoveStep.Undoing }, incarnation.Epoch, MoveStep.Failed, CancellationToken.None);
        }
        Assert.Empty((await moves.ListAsync(CancellationToken.None))!);
        Assert.NotNull(await new ClusterSecret(director.Redis).KeyForAsync("test", CancellationToken.None));
        var failures = new SharedFailures(director.Redis);
        await failures.RememberAsync(1, "who", TimeSpan.FromHours(1), CancellationToken.None);
        Assert.True(await failures.IsKnownAsync(1, "who", CancellationToken.None));
        Assert.False(await redis.Database.KeyExistsAsync("imapdirector:{alice@example.com}:sessions"));
        Assert.Equal(AccountOutcome.Done, await accounts.RemoveAsync("alice@example.com", CancellationToken.None));

        // And they are not enough for anything else.
        await using var thief = await ConnectionMultiplexer.ConnectAsync(connection + ",allowAdmin=true");
        await Assert.ThrowsAsync<RedisServerException>(() => thief.GetDatabase().StringGetAsync("other:key"));
        await Assert.ThrowsAsync<RedisServerException>(() => thief.GetDatabase().ExecuteAsync("FLUSHALL"));
        await Assert.ThrowsAsync<RedisServerException>(() => thief.GetDatabase().ExecuteAsync("CONFIG", "SET", "dir", "/"));
    }

    [GeneratedRegex(@"^    user director (.+(?:\n      .+)*)", RegexOptions.Multiline)]
    private static partial Regex UserLine();
}
