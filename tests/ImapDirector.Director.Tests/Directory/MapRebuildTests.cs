using System.Globalization;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Tests.Authentication.Databases;
using ImapDirector.Director.Tests.Backends;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

/// <summary>A rebuild with nodes that say what a test tells them to; one with real nodes is among the end-to-end tests.</summary>
public sealed class MapRebuildTests
{
    private const string Alice = "alice@example.com";
    private const string Bob = "bob@example.com";

    [Theory, OnRedis]
    public async Task Users_whom_Redis_does_not_know_come_back_above_the_epoch_that_their_node_has_seen(RedisKind kind)
    {
        await using var setting = await Setting.StartAsync(kind, Page(Held(Alice, 7), Held(Bob, 0, "Released")), Page(Held("carol@example.com", 3)));
        var (lines, end) = await setting.RunAsync(isDry: true);
        Assert.Equal(new RebuildEnd(RebuildOutcome.Done, 3, 0, 0), end);
        Assert.Equal("3 users would be brought back, 0 were there already, 0 findings.", lines[^1].Text);
        Assert.Null(await setting.AssignmentAsync(Alice));

        Assert.Equal(new RebuildEnd(RebuildOutcome.Done, 3, 0, 0), (await setting.RunAsync()).End);
        Assert.Equal(("node1", 8L), await setting.AssignmentAsync(Alice));
        // No move of theirs is known any more: whoever holds the only store is their node.
        Assert.Equal(("node1", 1L), await setting.AssignmentAsync(Bob));
        Assert.Equal(("node2", 4L), await setting.AssignmentAsync("carol@example.com"));
        Assert.Equal(new RebuildEnd(RebuildOutcome.Done, 0, 3, 0), (await setting.RunAsync()).End);
    }

    [Theory, OnRedis]
    public async Task A_user_on_two_nodes_is_told_with_what_each_holds_and_nobody_chooses(RedisKind kind)
    {
        await using var setting = await Setting.StartAsync(kind, Page(Held(Alice, 7, messages: 12, changed: "2026-11-27T10:11:12.5+00:00"), Held(Bob, 1)), Page(Held(Alice, 2, "Received")));
        var (lines, end) = await setting.RunAsync();
        Assert.Equal(new RebuildEnd(RebuildOutcome.Done, 1, 0, 1), end);
        var finding = Assert.Single(lines, static line => line.Kind == RebuildKind.Finding);
        Assert.Equal((Alice, 2), (finding.User, finding.Stores!.Count));
        Assert.StartsWith($"{Alice} is found more than once, at node1 (active, epoch 7, 12 messages, changed 2026-11-27T10:11:12Z) and node2 (received, epoch 2, 0 messages): ", finding.Text, StringComparison.Ordinal);
        Assert.Null(await setting.AssignmentAsync(Alice));
        Assert.Equal(("node1", 2L), await setting.AssignmentAsync(Bob));
    }

    [Theory, OnRedis]
    public async Task An_assignment_that_is_there_stays_and_what_the_nodes_say_against_it_is_told(RedisKind kind)
    {
        await using var setting = await Setting.StartAsync(kind, Page(Held(Alice, 7), Held(Bob, 4), Held("carol@example.com", 5, "Released")), Page(Held("carol@example.com", 5, "Received")));
        await setting.AssignAsync(Alice, "node2", 1);
        await setting.AssignAsync(Bob, "node1", 3);
        // Carol moves, which is as it should be.
        await setting.AssignAsync("carol@example.com", "node1", 5, "node2");
        var (lines, end) = await setting.RunAsync();
        Assert.Equal(new RebuildEnd(RebuildOutcome.Done, 0, 1, 2), end);
        var findings = lines.Where(static line => line.Kind == RebuildKind.Finding).Select(static line => line.Text).ToList();
        Assert.StartsWith($"{Alice} is assigned to node2, epoch 1, which stays, and there is node1 (active, epoch 7, 0 messages)", findings[0], StringComparison.Ordinal);
        Assert.StartsWith($"{Bob} cannot log in: the epoch is 3, and there is node1 (active, epoch 4", findings[1], StringComparison.Ordinal);
        Assert.Equal(("node2", 1L), await setting.AssignmentAsync(Alice));
        Assert.Equal(("node1", 3L), await setting.AssignmentAsync(Bob));
    }

    [Theory, OnRedis]
    public async Task Stores_that_cannot_be_read_and_epochs_that_cannot_be_are_told(RedisKind kind)
    {
        await using var setting = await Setting.StartAsync(kind, Page(Held(Alice, 0, "Unreadable"), Held(Bob, MapRebuild.MaxEpoch), Held("carol@example.com", MapRebuild.MaxEpoch - 1)), Page());
        Assert.Equal(new RebuildEnd(RebuildOutcome.Done, 1, 0, 2), (await setting.RunAsync()).End);
        Assert.Null(await setting.AssignmentAsync(Alice));
        Assert.Null(await setting.AssignmentAsync(Bob));
        Assert.Equal(("node1", MapRebuild.MaxEpoch), await setting.AssignmentAsync("carol@example.com"));
    }

    [Theory, OnRedis]
    public async Task Without_a_node_nothing_is_written_until_it_is_left_out_and_then_only_what_is_plain(RedisKind kind)
    {
        await using var setting = await Setting.StartAsync(kind, Page(Held(Alice, 7), Held(Bob, 3, "Released")), "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
        var (lines, end) = await setting.RunAsync();
        Assert.Equal(new RebuildEnd(RebuildOutcome.Incomplete, 0, 0, 1), end);
        Assert.Contains(lines, static line => line.Text == "Node node2 does not answer, or does not take the assertions of this director. Without it nothing is written: see to it, or leave it out with \"--without node2\".");
        Assert.Null(await setting.AssignmentAsync(Alice));

        (lines, end) = await setting.RunAsync(without: ["node2"]);
        Assert.Equal(new RebuildEnd(RebuildOutcome.Done, 1, 0, 1), end);
        Assert.Equal(("node1", 8L), await setting.AssignmentAsync(Alice));
        // The other half of the move may be at the node that was not asked.
        Assert.StartsWith($"{Bob} was on the way between two nodes", Assert.Single(lines, static line => line.Kind == RebuildKind.Finding).Text, StringComparison.Ordinal);
        Assert.Null(await setting.AssignmentAsync(Bob));
    }

    [Theory, OnRedis]
    public async Task A_node_that_is_none_of_ours_cannot_be_asked_and_it_says_so(RedisKind kind)
    {
        await using var setting = await Setting.StartAsync(kind, Page(Held(Alice, 1)), Page(), static node => node.Name == "node2" ? node with { Kind = BackendKind.Generic } : node);
        var (lines, end) = await setting.RunAsync();
        Assert.Equal(new RebuildEnd(RebuildOutcome.Done, 1, 0, 1), end);
        Assert.Contains(lines, static line => line.Text == "Node node2 is none of ours and cannot be asked whom it holds: bring its users back with \"directory import\".");
    }

    [Theory, OnRedis]
    public async Task A_node_that_has_no_Http_counts_as_one_that_is_away(RedisKind kind)
    {
        await using var setting = await Setting.StartAsync(kind, Page(Held(Alice, 1)), Page(), static node => node.Name == "node2" ? node with { Http = null } : node);
        Assert.Equal(RebuildOutcome.Incomplete, (await setting.RunAsync()).End.Outcome);
        Assert.Null(await setting.AssignmentAsync(Alice));
    }

    [Theory, OnRedis]
    public async Task A_node_that_talks_nonsense_or_never_ends_counts_as_one_that_is_away(RedisKind kind)
    {
        await using var redis = await TestRedis.StartAsync(kind);
        var page = Page(Held(Alice, 1));
        foreach (var nonsense in new[]
        {
            "[null]", "[{}]", "{}", "[", "null", $"[{Held("Alice@example.com", 1)}]", $"[{Held("../../x", 1)}]", $"[{Held(Alice, -1)}]", $"[{Held(Alice, 1, "Elsewhere")}]", $"[{Held(Alice, 1)},{Held(Alice, 1)}]",
            "[" + new string(' ', 1024 * 1024) + "]",
        })
        {
            await using var setting = await Setting.StartAsync(redis, Page(), HttpAuthServer.Json(nonsense));
            Assert.True((await setting.RunAsync()).End.Outcome == RebuildOutcome.Incomplete, nonsense[..Math.Min(nonsense.Length, 80)]);
        }
        // The same page whatever is asked for.
        await using var endless = await Setting.StartAsync(redis, Page(), _ => page(""));
        var (lines, end) = await endless.RunAsync();
        Assert.Equal(RebuildOutcome.Incomplete, end.Outcome);
        Assert.Contains(lines, static line => line.Text.StartsWith("Node node2 tells of a user twice.", StringComparison.Ordinal));
        Assert.Null(await endless.AssignmentAsync(Alice));
    }

    [Theory, OnRedis]
    public async Task Without_Redis_it_ends_at_once_and_says_so(RedisKind kind)
    {
        await using var setting = await Setting.StartAsync(kind, Page(Held(Alice, 1)), Page());
        await setting.Director.CrashAsync();
        var (lines, end) = await setting.RunAsync();
        Assert.Equal(RebuildOutcome.Unavailable, end.Outcome);
        Assert.StartsWith("Redis does not answer", Assert.Single(lines).Text, StringComparison.Ordinal);
    }

    [Theory, OnRedis]
    public async Task One_runs_at_a_time(RedisKind kind)
    {
        await using var setting = await Setting.StartAsync(kind, Page(Held(Alice, 1)), Page());
        RebuildEnd? second = null;
        var first = await setting.Rebuild.RunAsync(false, [], async line =>
        {
            if (second is null && line.Kind == RebuildKind.Progress) second = await setting.Rebuild.RunAsync(false, [], static _ => ValueTask.CompletedTask, CancellationToken.None);
        }, CancellationToken.None);
        Assert.Equal((RebuildOutcome.Done, RebuildOutcome.Busy), (first.Outcome, second!.Outcome));
        Assert.Equal(RebuildOutcome.Done, (await setting.RunAsync()).End.Outcome);
    }

    private static string Held(string user, long epoch, string state = "Active", int messages = 0, string? changed = null) => string.Create(CultureInfo.InvariantCulture,
        $$"""{"user":"{{user}}","epoch":{{epoch}},"state":"{{state}}","messages":{{messages}},"bytes":0,"changed":{{(changed is null ? "null" : $"\"{changed}\"")}}}""");

    /// <summary>All that a node holds.</summary>
    private static Func<string, string> Page(params string[] users) => request => HttpAuthServer.Json(request.Contains("?after=", StringComparison.Ordinal) ? "[]" : $"[{string.Join(',', users)}]");

    /// <summary>Two nodes that answer what they are told to, and a director.</summary>
    private sealed class Setting : IAsyncDisposable
    {
        private readonly AssertionKey _key = new();
        private readonly TestRedis? _own;
        private readonly TestRedis _redis;
        private readonly HttpAuthServer[] _nodes;

        private Setting(TestRedis redis, TestRedis? own, HttpAuthServer[] nodes) => (_redis, _own, _nodes) = (redis, own, nodes);

        public TestDirector Director { get; private set; } = null!;

        public MapRebuild Rebuild { get; private set; } = null!;

        public static async Task<Setting> StartAsync(RedisKind kind, Func<string, string> first, string second) => await StartAsync(kind, first, _ => second);

        public static Task<Setting> StartAsync(TestRedis redis, Func<string, string> first, string second) => StartAsync(redis, first, _ => second);

        public static async Task<Setting> StartAsync(RedisKind kind, Func<string, string> first, Func<string, string> second, Func<BackendNode, BackendNode>? with = null)
        {
            var redis = await TestRedis.StartAsync(kind);
            return await StartAsync(redis, first, second, with, redis);
        }

        public static async Task<Setting> StartAsync(TestRedis redis, Func<string, string> first, Func<string, string> second, Func<BackendNode, BackendNode>? with = null, TestRedis? own = null)
        {
            var setting = new Setting(redis, own, [new HttpAuthServer(first), new HttpAuthServer(second)]);
            BackendNode[] nodes = [.. setting._nodes.Select((server, number) => Node($"node{number + 1}") with { Http = new Uri(server.Url, "/") })];
            if (with is not null) nodes = [.. nodes.Select(with)];
            setting.Director = await TestDirector.StartAsync(redis.ConnectionString, nodes: nodes, with: setting._key.Use);
            setting.Rebuild = new MapRebuild(setting.Director.Map, setting.Director.Options, NullLoggerFactory.Instance);
            return setting;
        }

        public async Task<(List<RebuildLine> Lines, RebuildEnd End)> RunAsync(bool isDry = false, params string[] without)
        {
            var lines = new List<RebuildLine>();
            var end = await Rebuild.RunAsync(isDry, without, line =>
            {
                lines.Add(line);
                return ValueTask.CompletedTask;
            }, CancellationToken.None);
            Assert.Equal(end, lines[^1].End);
            return (lines, end);
        }

        public async Task<(string Node, long Epoch)?> AssignmentAsync(string user)
        {
            var fields = await _redis.Database.HashGetAsync($"imapdirector:{{{user}}}:assignment", ["node", "epoch"]);
            return fields[0].IsNull ? null : (fields[0].ToString(), (long)fields[1]);
        }

        public Task AssignAsync(string user, string node, long epoch, string? moving = null) => _redis.Database.HashSetAsync($"imapdirector:{{{user}}}:assignment",
            [new("node", node), new("epoch", epoch), .. moving is null ? Array.Empty<StackExchange.Redis.HashEntry>() : [new("moving", moving)]]);

        public async ValueTask DisposeAsync()
        {
            Rebuild.Dispose();
            await Director.DisposeAsync();
            foreach (var node in _nodes) await node.DisposeAsync();
            if (_own is not null) await _own.DisposeAsync();
            _key.Dispose();
        }
    }
}
