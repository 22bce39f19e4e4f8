using System.Globalization;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;
using Prometheus;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>The user → node map as operators keep, bring back and explain it. Directors may run meanwhile.</summary>
public sealed class AssignmentMap : IAsyncDisposable
{
    private const int LookUpsAtOnce = 100;

    private readonly DirectorOptions _options;
    private readonly RedisConnection _redis;

    /// <summary>Composes it; nothing is opened yet.</summary>
    /// <param name="options">Redis, the default domain and pool, and the nodes' names, pools and weights.</param>
    /// <param name="loggers">Where its loggers are made.</param>
    public AssignmentMap(DirectorOptions options, ILoggerFactory loggers)
    {
        _options = options;
        // A command that runs once has nobody to show metrics to.
        _redis = new RedisConnection(options, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), loggers.CreateLogger<RedisConnection>());
    }

    /// <summary>Connects to <see cref="DirectorOptions.Redis"/>; when Redis is away every call says so.</summary>
    /// <exception cref="ArgumentException"><see cref="DirectorOptions.Redis"/> is no configuration string.</exception>
    public Task ConnectAsync(CancellationToken cancellationToken) => _redis.ConnectAsync(cancellationToken);

    /// <summary>Hands over every assignment, in no order; each once. One that is made meanwhile may be left out.</summary>
    /// <returns><c>false</c> when Redis went away before the end.</returns>
    public async Task<bool> ReadAllAsync(Action<Assignment> take, CancellationToken cancellationToken)
    {
        var users = new HashSet<string>();
        var isComplete = await _redis.ScanAsync(RedisKeys.AllAssignments, key => { users.Add(RedisKeys.UserOfAssignment(key)); return ValueTask.CompletedTask; }, cancellationToken);
        foreach (var some in users.Chunk(LookUpsAtOnce))
        {
            foreach (var (answered, assignment) in await Task.WhenAll(some.Select(user => FindAsync(user, cancellationToken))))
            {
                if (!answered) return false;
                if (assignment is { } found) take(found);
            }
        }
        return isComplete;
    }

    /// <summary>Brings an assignment back where there is none. One that is there stays: only a move changes it.</summary>
    public async Task<ImportOutcome> ImportAsync(Assignment assignment, CancellationToken cancellationToken)
    {
        if (!UserName.TryCreate(assignment.User, null, out var user) || user.Value != assignment.User || assignment.Epoch < 1) return ImportOutcome.Invalid;
        if (_options.Nodes.All(node => node.Name != assignment.Node)) return ImportOutcome.UnknownNode;
        var reply = await _redis.CallAsync("import", database => database.ScriptEvaluateAsync(RedisScripts.Import, [RedisKeys.Assignment(user)], [assignment.Node, assignment.Epoch]), cancellationToken);
        if (!reply.Succeeded) return ImportOutcome.Unavailable;
        return (int)reply.Value switch { 1 => ImportOutcome.Done, 0 => ImportOutcome.Same, _ => ImportOutcome.Other };
    }

    /// <summary>What is wrong with an assignment, as a sentence; <c>null</c> when nothing is.</summary>
    public string? FindFault(Assignment assignment)
    {
        if (!UserName.TryCreate(assignment.User, null, out var user) || user.Value != assignment.User) return "the name is none that a user can have: nobody logs in with it; remove the key";
        if (assignment.Epoch < 1) return "the epoch is no number from 1: the user cannot log in; import the assignment from a backup";
        return _options.Nodes.Any(node => node.Name == assignment.Node) ? null : $"the node \"{assignment.Node}\" is not configured: the user cannot log in; configure the node, or move the user";
    }

    /// <summary>Why a user is where they are, and what would happen at the next login.</summary>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<UserExplanation?> ExplainAsync(UserName user, CancellationToken cancellationToken)
    {
        var (answered, assignment) = await FindAsync(user.Value, cancellationToken);
        var settings = await _redis.CallAsync("nodes", database => database.HashGetAllAsync(RedisKeys.Nodes), cancellationToken);
        if (!answered || !settings.Succeeded) return null;
        var nodes = NodeStatus.Of(_options.Nodes, settings.Value);
        var takers = nodes.Where(static status => status.State == NodeState.Up).Select(static status => status.Weight is { } weight ? status.Node with { Weight = weight } : status.Node).ToList();
        return new UserExplanation(assignment, nodes, RendezvousHash.Pick(user, _options.DefaultPool, takers)?.Name);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    private async Task<(bool Answered, Assignment? Assignment)> FindAsync(string user, CancellationToken cancellationToken)
    {
        // A key that another hand has made may hold a name that is none: it is shown as it is.
        var reply = await _redis.CallAsync("export", database => database.HashGetAsync(RedisKeys.AssignmentOf(user), ["node", "epoch"]), cancellationToken);
        if (!reply.Succeeded) return (false, null);
        if (reply.Value[0].IsNull) return (true, null);
        return (true, new Assignment(user, reply.Value[0].ToString(), long.TryParse(reply.Value[1].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) ? epoch : 0));
    }
}

/// <summary>Where a user's mail is.</summary>
/// <param name="User">The canonical name.</param>
/// <param name="Node">The node's name.</param>
/// <param name="Epoch">From 1; 0 where Redis holds no number.</param>
public sealed record Assignment(string User, string Node, long Epoch);

/// <summary>What became of an assignment that was to be brought back.</summary>
public enum ImportOutcome
{
    /// <summary>It is there now.</summary>
    Done,
    /// <summary>It was there already.</summary>
    Same,
    /// <summary>The user has another, which stays.</summary>
    Other,
    /// <summary>The name or the epoch cannot be.</summary>
    Invalid,
    /// <summary>The node is not configured.</summary>
    UnknownNode,
    /// <summary>Redis does not answer.</summary>
    Unavailable,
}

/// <summary>Why a user is where they are.</summary>
/// <param name="Assignment">The assignment, or <c>null</c> before the first login or delivery.</param>
/// <param name="Nodes">The nodes, with what is set of them.</param>
/// <param name="Candidate">The node that a user of this name would be given today; <c>null</c> when none takes new users.</param>
public sealed record UserExplanation(Assignment? Assignment, IReadOnlyList<NodeStatus> Nodes, string? Candidate);
