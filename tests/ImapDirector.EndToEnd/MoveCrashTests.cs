using ImapDirector.Director;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Moves;
using ImapDirector.Protocol;
using ImapDirector.Tests.Shared;
using MailKit;
using MailKit.Net.Imap;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Xunit;
using Move = ImapDirector.Director.Moves.Move;

namespace ImapDirector.EndToEnd;

/// <summary>Whatever dies and whenever: afterwards the user is on one node, with every message.</summary>
public sealed class MoveCrashTests
{
    private const int Messages = 6;

    [FactIfInstalled("redis-server")]
    public async Task A_director_that_dies_behind_any_step_is_replaced_by_another()
    {
        await using var cluster = await MovingCluster.StartAsync([Mail.Alice]);
        await FillAsync(cluster);
        // Behind each step but the last, with which the move is over: the cluster's own director goes on.
        for (var steps = 0; steps <= 6; steps++)
        {
            await using var dying = await LoneCoordinator.StartAsync(cluster);
            var target = await cluster.NodeOfAsync(Mail.Alice) == "node0" ? "node1" : "node0";
            var reached = await dying.DoAsync(target, steps);
            Assert.Equal(steps, reached);
            await dying.DieAsync();
            Assert.Equal("done", await cluster.EndOfMoveAsync(Mail.Alice));
            await HoldAsync(cluster, target);
        }
    }

    [FactIfInstalled("redis-server")]
    public async Task Two_that_carry_out_one_move_do_no_harm()
    {
        await using var cluster = await MovingCluster.StartAsync([Mail.Alice], directors: 2);
        await FillAsync(cluster);
        for (var round = 0; round < 4; round++)
        {
            var target = await cluster.NodeOfAsync(Mail.Alice) == "node0" ? "node1" : "node0";
            await using var slow = await LoneCoordinator.StartAsync(cluster);
            // It believes that the move is its own, while its lease is over and somebody else has it.
            var claimed = slow.DoAsync(target, 1);
            await claimed;
            await slow.LoseLeaseAsync();
            var late = slow.GoOnAsync();
            Assert.Equal("done", await cluster.EndOfMoveAsync(Mail.Alice));
            await late;
            await HoldAsync(cluster, target);
        }
    }

    [TheoryIfInstalled("redis-server")]
    [InlineData("director")]
    [InlineData("source")]
    [InlineData("target")]
    [InlineData("redis")]
    public async Task A_process_that_is_killed_at_any_moment_of_a_move_costs_no_message(string victim)
    {
        await using var cluster = await MovingCluster.StartAsync([Mail.Alice], directors: 2);
        await FillAsync(cluster);
        foreach (var step in new[] { "ordered", "marked", "ended", "released", "copied", "switched", "opened" })
        {
            var (from, to) = await cluster.NodeOfAsync(Mail.Alice) == "node0" ? (0, 1) : (1, 0);
            await cluster.OrderAsync(Mail.Alice, $"node{to}");
            await ReachAsync(cluster, step);
            switch (victim)
            {
                case "director":
                    await cluster.KillDirectorAsync(0);
                    await cluster.StartDirectorAsync(0);
                    break;
                case "redis":
                    await cluster.Redis.KillAsync();
                    await cluster.Redis.RestartAsync();
                    break;
                default:
                    var node = victim == "source" ? from : to;
                    await cluster.KillNodeAsync(node);
                    await cluster.StartNodeAsync(node);
                    break;
            }
            var end = await cluster.EndOfMoveAsync(Mail.Alice);
            await HoldAsync(cluster, end == "done" ? $"node{to}" : $"node{from}");
        }
    }

    private static async Task FillAsync(MovingCluster cluster)
    {
        for (var number = 0; number < Messages; number++) await Mail.DeliverAsync(cluster.Director.Lmtp, Mail.Alice, Mail.Message($"message {number}", number % 2 == 0 ? 100 : 100_000));
    }

    /// <summary>As soon as the move is at the step, or has passed it.</summary>
    private static async Task ReachAsync(MovingCluster cluster, string step)
    {
        string[] steps = ["ordered", "marked", "ended", "released", "copied", "switched", "opened", "done", "undoing", "failed"];
        while (Array.IndexOf(steps, await cluster.StepAsync(Mail.Alice)) < Array.IndexOf(steps, step))
        {
            // A moment is as long as a call to Redis.
        }
    }

    private static async Task HoldAsync(MovingCluster cluster, string node)
    {
        Assert.Equal(node, await cluster.NodeOfAsync(Mail.Alice));
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var client = await Mail.LogInAsync(cluster.DirectorAt(0).Imaps);
                await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
                var subjects = (await client.Inbox.FetchAsync(0, -1, MessageSummaryItems.Envelope)).Select(static message => message.Envelope!.Subject!);
                Assert.Equal(Enumerable.Range(0, Messages).Select(static number => $"message {number}"), subjects);
                break;
            }
            catch (Exception notYet) when (attempt < 100
                && notYet is MailKit.Security.AuthenticationException or IOException or ServiceNotConnectedException or ImapProtocolException or ImapCommandException or ServiceNotAuthenticatedException)
            {
                // A node that was away counts as away until it has answered twice, and a kick may come late.
                await Task.Delay(200);
            }
        }
        var active = (await cluster.HeldAsync()).Where(static held => held.State == "Active").ToList();
        Assert.Equal((int.Parse(node[4..], System.Globalization.CultureInfo.InvariantCulture), (long)Messages), (Assert.Single(active).Node, active[0].Messages));
    }

    /// <summary>What carries moves out in a director, in this process, and as many steps as it is told.</summary>
    private sealed class LoneCoordinator : IAsyncDisposable
    {
        private readonly DirectorOptions _options;
        private readonly RedisConnection _redis;
        private readonly NodeRegistry _registry;
        private readonly UserDirectory _directory;
        private readonly MoveLedger _ledger;
        private readonly NodeControl _control;
        private readonly MoveCoordinator _coordinator;
        private Incarnation? _incarnation;
        private Move? _move;

        private LoneCoordinator(MovingCluster cluster)
        {
            _options = new DirectorOptions
            {
                Name = $"lone-{Guid.NewGuid():N}",
                Redis = cluster.Redis.ConnectionString,
                RedisTimeout = TimeSpan.FromSeconds(30),
                AssertionKeyFile = cluster.KeyFile,
                Nodes = [Node(cluster, 0), Node(cluster, 1)],
            };
            var metrics = new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()));
            _redis = new RedisConnection(_options, metrics, NullLogger<RedisConnection>.Instance);
            _registry = new NodeRegistry(_options, _redis, NullLogger<NodeRegistry>.Instance);
            var health = new NodeHealth(_options, new BackendTlsOptions(null), new NodeCapabilities(), metrics, NullLogger<NodeHealth>.Instance);
            _directory = new UserDirectory(_options, _redis, _registry, health, metrics, NullLoggerFactory.Instance);
            _ledger = new MoveLedger(_redis);
            _control = new NodeControl(AssertionIssuer.Create(_options, NullLoggerFactory.Instance));
            _coordinator = new MoveCoordinator(_options, _ledger, new MoveSessions(_redis, () => _directory.Incarnation), _registry, health, _control, metrics, NullLogger.Instance);
        }

        public static async Task<LoneCoordinator> StartAsync(MovingCluster cluster)
        {
            var lone = new LoneCoordinator(cluster);
            await lone._redis.ConnectAsync(CancellationToken.None);
            await lone._directory.StartAsync(CancellationToken.None);
            lone._incarnation = lone._directory.Incarnation;
            return lone;
        }

        /// <summary>Orders a move, takes it before anybody else, and does some steps of it.</summary>
        /// <returns>How many it has done.</returns>
        public async Task<int> DoAsync(string target, int steps)
        {
            Assert.True(UserName.TryCreate(Mail.Alice, null, out var user));
            // Taken in the moment in which it is made: directors that run find it owned.
            await _redis.CallAsync("test", database => database.HashSetAsync(RedisKeys.Move(user), "owner", _incarnation!.Epoch), CancellationToken.None);
            var (outcome, _, _) = await _ledger.OrderAsync(user, null, target, CancellationToken.None);
            Assert.Equal(MoveOutcome.Ordered, outcome);
            (_, _move) = await _ledger.ClaimAsync(user, _incarnation!, CancellationToken.None);
            if (_move is null) return steps;
            var done = 0;
            await _coordinator.RunAsync(_move, () => done++ < steps ? _incarnation : null, CancellationToken.None);
            return done - 1;
        }

        /// <summary>Goes on as if nothing had happened.</summary>
        public async Task GoOnAsync()
        {
            if (_move is { } move) await _coordinator.RunAsync(move, () => _incarnation, CancellationToken.None);
        }

        /// <summary>Others take it for dead.</summary>
        public async Task LoseLeaseAsync()
        {
            await _directory.DisposeAsync();
            // They look at the leases every ten seconds; a newer incarnation makes them look at once.
            await _redis.CallAsync("test", database => database.PublishAsync(StackExchange.Redis.RedisChannel.Literal(RedisKeys.ClusterChannel), ""), CancellationToken.None);
        }

        public async Task DieAsync()
        {
            await LoseLeaseAsync();
            await _redis.DisposeAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await _directory.DisposeAsync();
            await _redis.DisposeAsync();
            _control.Dispose();
        }

        private static BackendNode Node(MovingCluster cluster, int number) => new() { Name = $"node{number}", Host = "127.0.0.1", ImapPort = cluster.ImapPortOf(number), Http = cluster.HttpOf(number) };
    }
}
