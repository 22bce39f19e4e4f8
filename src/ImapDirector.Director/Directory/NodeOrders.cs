using System.Globalization;
using System.Net;
using ImapDirector.Network;

namespace ImapDirector.Director.Directory;

/// <summary>Adds, changes and takes out nodes while the directors run. Two operators at one moment do not overwrite each other: each change is made to what is there.</summary>
public sealed class NodeOrders
{
    private const int Attempts = 20;

    /// <summary>As long as a director may take to hear that a node gets no new users, twice over.</summary>
    private static readonly TimeSpan Heard = TimeSpan.FromSeconds(10);

    private readonly RedisConnection _redis;
    private readonly NodeRegistry _registry;
    private readonly TimeSpan _heard;

    internal NodeOrders(RedisConnection redis, NodeRegistry registry)
        : this(redis, registry, Heard)
    {
    }

    /// <summary>As above, with the time that a node must have drained before it is taken out.</summary>
    internal NodeOrders(RedisConnection redis, NodeRegistry registry, TimeSpan heard) => (_redis, _registry, _heard) = (redis, registry, heard);

    /// <summary>The nodes of now.</summary>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<NodeSet?> ListAsync(CancellationToken cancellationToken) => await _registry.RefreshAsync(cancellationToken) ? _registry.Current : null;

    /// <summary>Adds a node, or brings back a configured one that was taken out.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="fields">What is to be set of it, as <see cref="ChangeAsync"/> takes it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<NodeResult> AddAsync(string name, IReadOnlyDictionary<string, string?> fields, CancellationToken cancellationToken) => EditAsync(name, (before, entry) =>
    {
        if (!SettingRules.IsName(name)) return Refuse(NodeOutcome.Invalid, $"The name is \"{SettingRules.Shown(name)}\": {SettingRules.NameRule}.");
        if (before is not null) return Refuse(NodeOutcome.Exists, $"There is a node {name} already: change that one.");
        if (_registry.Configured(name) is null && _registry.Current.All.Count >= NodeRegistry.MaxNodes)
            return Refuse(NodeOutcome.Invalid, $"There are {NodeRegistry.MaxNodes} nodes, and no more can be.");
        return With(NodeEntry.Empty, fields, null);
    }, cancellationToken);

    /// <summary>Changes what is set of a node.</summary>
    /// <param name="name">A node there is.</param>
    /// <param name="fields">The fields and what they are to be: <c>state</c>, <c>weight</c>, <c>pool</c>, <c>host</c>, <c>imapPort</c>, <c>lmtpPort</c>, <c>http</c>,
    /// <c>tls</c>; of one that is not configured also <c>tlsName</c>, <c>tlsFingerprint</c>, <c>kind</c> and <c>login</c>. One that is <c>null</c> is as it is configured again; one that is left out stays.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<NodeResult> ChangeAsync(string name, IReadOnlyDictionary<string, string?> fields, CancellationToken cancellationToken) => EditAsync(name, (before, entry) =>
        before is null ? Refuse(NodeOutcome.NoSuchNode, null) : With(entry, fields, before), cancellationToken);

    /// <summary>Takes a node out that has no users any more.</summary>
    /// <param name="name">A node that drains, or is down, for a while already.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<NodeResult> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        if (await ListAsync(cancellationToken) is not { } nodes) return new NodeResult(NodeOutcome.Unavailable);
        if (nodes.Find(name) is not { } status) return new NodeResult(NodeOutcome.NoSuchNode);
        if (status.State == NodeState.Up) return new NodeResult(NodeOutcome.InUse, $"Node {name} takes new users: drain it first.", status);
        var time = await _redis.CallAsync("nodes", static database => database.ScriptEvaluateAsync(RedisScripts.Time), cancellationToken);
        if (!time.Succeeded) return new NodeResult(NodeOutcome.Unavailable);
        var drained = DateTimeOffset.FromUnixTimeMilliseconds((long)time.Value) - (status.Since ?? DateTimeOffset.UnixEpoch);
        if (drained < _heard)
            return new NodeResult(NodeOutcome.InUse, string.Create(CultureInfo.InvariantCulture, $"Node {name} takes no new users since a moment ago, and not every director may have heard: wait {Math.Ceiling((_heard - drained).TotalSeconds)} s."), status);
        var users = 0;
        if (!await AssignmentMap.ReadAllAsync(_redis, assignment =>
        {
            if (assignment.Node == name || assignment.Moving == name) users++;
            return ValueTask.CompletedTask;
        }, cancellationToken)) return new NodeResult(NodeOutcome.Unavailable);
        if (users > 0) return new NodeResult(NodeOutcome.InUse, string.Create(CultureInfo.InvariantCulture, $"Node {name} holds the mail of {users} users: move them first."), status);
        return await EditAsync(name, (before, entry) => before switch
        {
            null => Refuse(NodeOutcome.NoSuchNode, null),
            _ when before != status => Refuse(NodeOutcome.InUse, $"Node {name} was changed meanwhile: look at it again."),
            { Configured: null } => new Edit(NodeOutcome.Done, null, null),
            _ => new Edit(NodeOutcome.Done, null, NodeEntry.Removed),
        }, cancellationToken);
    }

    private static Edit With(NodeEntry entry, IReadOnlyDictionary<string, string?> fields, NodeStatus? before)
    {
        foreach (var (field, value) in fields)
        {
            if (field != NodeFields.State && !NodeFields.Names.Contains(field)) return Refuse(NodeOutcome.Invalid, $"{SettingRules.Shown(field)} is nothing that can be set of a node.");
            if (value is not null && !NodeEntry.IsValue(value)) return Refuse(NodeOutcome.Invalid, $"{field} is \"{SettingRules.Shown(value)}\": give 1 to 255 characters without spaces.");
            if (field == NodeFields.State && value is not null && NodeFields.StateOf(value) is null)
                return Refuse(NodeOutcome.Invalid, $"{field} is \"{SettingRules.Shown(value)}\": write up, draining or down.");
            entry = entry.With(field, value);
        }
        // Redis' clock tells the time behind it.
        if (fields.ContainsKey(NodeFields.State) || before is null) entry = entry.With(NodeFields.Since, null).With(NodeFields.Since, RedisScripts.Now);
        return new Edit(NodeOutcome.Done, null, entry);
    }

    private static Edit Refuse(NodeOutcome outcome, string? reason) => new(outcome, reason, null);

    /// <summary>Reads what is there, and writes what is made of it where nobody has changed it in between.</summary>
    private async Task<NodeResult> EditAsync(string name, Func<NodeStatus?, NodeEntry, Edit> edit, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var read = await _redis.CallAsync("nodes", database => database.HashGetAsync(RedisKeys.Nodes, name), cancellationToken);
            if (!read.Succeeded) return new NodeResult(NodeOutcome.Unavailable);
            var text = read.Value.ToString();
            var configured = _registry.Configured(name);
            var entry = NodeEntry.TryParse(text);
            var before = entry is null ? NodeFields.Unreadable(name, configured) : StatusOf(name, configured, entry, isThere: !read.Value.IsNull);
            var edited = edit(before, entry ?? NodeEntry.Empty);
            if (edited.Outcome != NodeOutcome.Done) return new NodeResult(edited.Outcome, edited.Reason, before);
            var after = edited.Entry is null ? null : StatusOf(name, configured, edited.Entry, isThere: true);
            if (after?.Fault is { } fault) return new NodeResult(NodeOutcome.Invalid, fault, before);
            var written = await _redis.CallAsync("nodes", database => database.ScriptEvaluateAsync(RedisScripts.SetNode, [RedisKeys.Nodes],
                [name, text, edited.Entry?.ToString() ?? "", RedisKeys.ClusterChannel]), cancellationToken);
            if (!written.Succeeded) return new NodeResult(NodeOutcome.Unavailable);
            if ((int)written.Value == 0) continue;
            await _registry.RefreshAsync(cancellationToken);
            return new NodeResult(NodeOutcome.Done, null, before, after is null ? null : _registry.Current.Find(name) ?? after);
        }
        return new NodeResult(NodeOutcome.Unavailable);
    }

    private NodeStatus? StatusOf(string name, BackendNode? configured, NodeEntry entry, bool isThere) =>
        entry.IsRemoved || (configured is null && !isThere) ? null : NodeFields.Build(name, configured, entry, _registry.Options);

    private readonly record struct Edit(NodeOutcome Outcome, string? Reason, NodeEntry? Entry);
}

/// <summary>What became of a change.</summary>
/// <param name="Outcome">Whether it was made.</param>
/// <param name="Reason">Why not, as a sentence; <c>null</c> where the outcome says all.</param>
/// <param name="Before">The node before; <c>null</c> where there was none.</param>
/// <param name="After">The node now; <c>null</c> where it was taken out, or nothing was changed.</param>
public sealed record NodeResult(NodeOutcome Outcome, string? Reason = null, NodeStatus? Before = null, NodeStatus? After = null);

/// <summary>Every way a change of a node can end.</summary>
public enum NodeOutcome
{
    /// <summary>It is made.</summary>
    Done,
    /// <summary>There is no node of this name.</summary>
    NoSuchNode,
    /// <summary>There is one already.</summary>
    Exists,
    /// <summary>What is to be set cannot be; the reason says why.</summary>
    Invalid,
    /// <summary>It takes users, or has some; the reason says which.</summary>
    InUse,
    /// <summary>Redis does not answer; the change may or may not have been made.</summary>
    Unavailable,
}
