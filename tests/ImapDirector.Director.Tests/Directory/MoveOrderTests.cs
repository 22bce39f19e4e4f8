using System.Threading.Channels;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using ImapDirector.Tests.Shared;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class MoveOrderTests
{
    [FactIfInstalled("redis-server")]
    public async Task An_order_is_found_though_a_director_looked_at_the_list_in_the_middle_of_it()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var (ledger, user, steps) = (new MoveLedger(director.Redis), User("alice@example.com"), new Steps());
        var node = (await director.OpenAsync(user, "s")).Node!.Name;

        var order = steps.Begin(() => ledger.OrderAsync(user, null, node == "node1" ? "node2" : "node1", CancellationToken.None));
        while (!order.IsCompleted)
        {
            var next = steps.NextAsync();
            if (await Task.WhenAny(next, order) == order) break;
            // Before each thing that the order goes on with, a director finds that there is no move and takes it off the list.
            await ledger.ClaimAsync(user, director.Directory.Incarnation!, CancellationToken.None);
            steps.Run(await next);
        }
        Assert.Equal(MoveOutcome.Ordered, (await order).Outcome);
        Assert.Equal([user], await ledger.ListAsync(CancellationToken.None));
    }

    [FactIfInstalled("redis-server")]
    public async Task What_a_node_says_of_a_move_steers_no_terminal_and_fills_no_screen()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var (ledger, user) = (new MoveLedger(director.Redis), User("alice@example.com"));
        var node = (await director.OpenAsync(user, "s")).Node!.Name;
        await ledger.OrderAsync(user, null, node == "node1" ? "node2" : "node1", CancellationToken.None);
        await director.Redis.CallAsync("test", database => database.HashSetAsync(RedisKeys.Move(user), "reason", "\u001b[2K\rall is well" + new string('!', 5000)), CancellationToken.None);

        var reason = (await ledger.FindAsync(user, CancellationToken.None)).Move!.Reason!;

        Assert.StartsWith(@"\u{1b}[2K\u{d}all is well!", reason, StringComparison.Ordinal);
        Assert.InRange(reason.Length, 1000, 1020);
    }

    /// <summary>Holds what is behind each await until it is told to go on.</summary>
    private sealed class Steps : SynchronizationContext
    {
        private readonly Channel<Action> _waiting = Channel.CreateUnbounded<Action>();

        public Task<T> Begin<T>(Func<Task<T>> work)
        {
            Task<T>? begun = null;
            Run(() => begun = work());
            return begun!;
        }

        public Task<Action> NextAsync() => _waiting.Reader.ReadAsync().AsTask();

        public void Run(Action step)
        {
            var before = Current;
            SetSynchronizationContext(this);
            try
            {
                step();
            }
            finally
            {
                SetSynchronizationContext(before);
            }
        }

        public override void Post(SendOrPostCallback d, object? state) => _waiting.Writer.TryWrite(() => d(state));
    }
}
