using System.Globalization;
using System.Text.Json.Serialization;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;
using Prometheus;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>The user → node map as operators keep and bring it back.</summary>
public sealed class AssignmentMap : IAsyncDisposable
{
    private const int LookUpsAtOnce = 100;

    private readonly RedisConnection _redis;
    private readonly NodeRegistry _registry;

    /// <summary>Composes it with a connection of its own, for when no director runs.</summary>
    /// <param name="options">Redis, the nodes, and where more may be' names, pools and weights.</param>
    /// <param name="loggers">Where its loggers are made.</param>
    public AssignmentMap(DirectorOptions options, ILoggerFactory loggers)
    {
        // A command that runs once has nobody to show metrics to.
        _redis = new RedisConnection(options, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), loggers.CreateLogger<RedisConnection>());
        _registry = new NodeRegistry(options, _redis, loggers.CreateLogger<NodeRegistry>());
    }

    internal AssignmentMap(RedisConnection redis, NodeRegistry registry) => (_redis, _registry) = (redis, registry);

    internal NodeRegistry Registry => _registry;

    /// <summary>Connects to <see cref="DirectorOptions.Redis"/>; when Redis is away every call says so.</summary>
    /// <exception cref="ArgumentException"><see cref="DirectorOptions.Redis"/> is no configuration string.</exception>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        await _redis.ConnectAsync(cancellationToken);
        await _registry.RefreshAsync(cancellationToken);
    }

    /// <summary>Hands over every assignment, in no order; each once. One that is made meanwhile may be left out.</summary>
    /// <returns><c>false</c> when Redis went away before the end.</returns>
    public Task<bool> ReadAllAsync(Func<Assignment, ValueTask> take, CancellationToken cancellationToken) => ReadAllAsync(_redis, take, cancellationToken);

    internal static async Task<bool> ReadAllAsync(RedisConnection redis, Func<Assignment, ValueTask> take, CancellationToken cancellationToken)
    {
        var users = new HashSet<string>();
        var isComplete = await redis.ScanAsync(RedisKeys.AllAssignments, key => { users.Add(RedisKeys.UserOfAssignment(key)); return ValueTask.CompletedTask; }, cancellationToken);
        foreach (var some in users.Chunk(LookUpsAtOnce))
        {
            foreach (var (answered, assignment) in await Task.WhenAll(some.Select(user => FindAsync(redis, user, cancellationToken))))
            {
                if (!answered) return false;
                if (assignment is { } found) await take(found);
            }
        }
        return isComplete;
    }

    /// <summary>Brings an assignment back where there is none. One that is there stays: only a move changes it.</summary>
    public async Task<ImportOutcome> ImportAsync(Assignment assignment, CancellationToken cancellationToken)
    {
        if (!UserName.TryCreate(assignment.User, null, out var user) || user.Value != assignment.User || assignment.Epoch is < 1 or > MapRebuild.MaxEpoch) return ImportOutcome.Invalid;
        if (_registry.Current.Find(assignment.Node) is null) return ImportOutcome.UnknownNode;
        var reply = await _redis.CallAsync("import", database => database.ScriptEvaluateAsync(RedisScripts.Import, [RedisKeys.Assignment(user)], [assignment.Node, assignment.Epoch]), cancellationToken);
        if (!reply.Succeeded) return ImportOutcome.Unavailable;
        return (int)reply.Value switch { 1 => ImportOutcome.Done, 0 => ImportOutcome.Same, _ => ImportOutcome.Other };
    }

    /// <summary>What is wrong with an assignment, as a sentence; <c>null</c> when nothing is.</summary>
    public string? FindFault(Assignment assignment)
    {
        if (!UserName.TryCreate(assignment.User, null, out var user) || user.Value != assignment.User) return "the name is none that a user can have: nobody logs in with it; remove the key";
        if (assignment.Epoch is < 1 or > MapRebuild.MaxEpoch) return "the epoch is no number from 1, or too large a one: the user cannot log in; import the assignment from a backup";
        return _registry.Current.Find(assignment.Node) is not null ? null : $"the node \"{assignment.Node}\" is not there: the user cannot log in; add the node, or move the user";
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    /// <summary>Where a user's mail is.</summary>
    /// <returns>Whether Redis answered, and the assignment where there is one.</returns>
    public Task<(bool Answered, Assignment? Assignment)> FindAsync(UserName user, CancellationToken cancellationToken) => FindAsync(_redis, user.Value, cancellationToken);

    internal static async Task<(bool Answered, Assignment? Assignment)> FindAsync(RedisConnection redis, string user, CancellationToken cancellationToken)
    {
        // A key that another hand has made may hold a name that is none: it is shown as it is.
        var reply = await redis.CallAsync("export", database => database.HashGetAsync(RedisKeys.AssignmentOf(user), ["node", "epoch", "moving"]), cancellationToken);
        if (!reply.Succeeded) return (false, null);
        if (reply.Value[0].IsNull) return (true, null);
        return (true, new Assignment(user, reply.Value[0].ToString(), long.TryParse(reply.Value[1].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) ? epoch : 0,
            reply.Value[2].IsNull ? null : reply.Value[2].ToString()));
    }
}

/// <summary>Where a user's mail is.</summary>
/// <param name="User">The canonical name.</param>
/// <param name="Node">The node's name.</param>
/// <param name="Epoch">From 1; 0 where Redis holds no number.</param>
/// <param name="Moving">The node that the mail is on its way to; <c>null</c> where it is on none.</param>
public sealed record Assignment(string User, string Node, long Epoch, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Moving = null);

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
    /// <summary>There is no such node.</summary>
    UnknownNode,
    /// <summary>Redis does not answer.</summary>
    Unavailable,
}
