using ImapDirector.Protocol;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>Every key the director uses; <c>docs/redis-schema.md</c> says what they hold. A user's keys share a hash tag, so that a
/// script about one user touches one slot of a cluster. A name's alphabet has no brace, so it cannot break out of the tag.</summary>
internal static class RedisKeys
{
    private const string Prefix = "imapdirector:{";
    private const string AccountSuffix = "}:account";
    private const string SessionsSuffix = "}:sessions";
    private const string AssignmentSuffix = "}:assignment";

    /// <summary>Matches the account of every user.</summary>
    public const string AllAccounts = Prefix + "*" + AccountSuffix;

    /// <summary>Matches the assignment of every user.</summary>
    public const string AllAssignments = Prefix + "*" + AssignmentSuffix;

    /// <summary>Matches the sessions of every user.</summary>
    public const string AllSessions = Prefix + "*" + SessionsSuffix;

    /// <summary>Sorted set: member <c>epoch name</c>, score the lease's end in Redis milliseconds.</summary>
    public static readonly RedisKey Leases = Prefix + "incarnations}:leases";

    /// <summary>String: the start epoch of who has a director's name, and the <see cref="ProcessIdentity"/> behind it.</summary>
    public static RedisKey NameOf(string director) => $"{Prefix}incarnations}}:name:{director}";

    /// <summary>Hash: a node's name → <see cref="NodeSetting"/>.</summary>
    public static readonly RedisKey Nodes = Prefix + "cluster}:nodes";

    /// <summary>Sorted set: member <c>number order</c> (a <see cref="SessionFilter"/>), score the number.</summary>
    public static readonly RedisKey Kicks = Prefix + "cluster}:kicks";

    /// <summary>The number of the last kick.</summary>
    public static readonly RedisKey KickSequence = Prefix + "cluster}:kick-sequence";

    /// <summary>What <see cref="ClusterSecret"/> keeps, Base64.</summary>
    public static readonly RedisKey Secret = Prefix + "cluster}:secret";

    /// <summary>Hash: the minute (<c>m</c>) and its failed logins (<c>n</c>).</summary>
    public static readonly RedisKey FailuresInMinute = Prefix + "throttle}:minute";

    /// <summary>Sorted set: the users whose moves are not over, by when they were ordered.</summary>
    public static readonly RedisKey Moves = Prefix + "cluster}:moves";

    /// <summary>Where directors are woken when one of those has changed. The message says nothing.</summary>
    public const string ClusterChannel = "imapdirector:cluster";

    /// <summary>The start epoch that was given out last.</summary>
    public static readonly RedisKey StartEpoch = Prefix + "incarnations}:epoch";

    /// <summary>Hash: failed logins (<c>n</c>), of a user at an address the last guesses' digests (<c>g</c>), and when the next may be checked (<c>t</c>, Redis milliseconds).</summary>
    public static RedisKey Failures(string kind, int bucket) => $"{Prefix}throttle}}:{kind}:{bucket}";

    /// <summary>String: the digest of a user and an address they have logged in from.</summary>
    public static RedisKey KnownAt(int bucket) => $"{Prefix}throttle}}:k:{bucket}";

    /// <summary>Hash: session id → <see cref="SessionTraffic"/>, of one incarnation.</summary>
    public static RedisKey Traffic(long startEpoch) => $"{Prefix}incarnations}}:traffic:{startEpoch}";

    /// <summary>Hash: <c>node NAME</c> or <c>address ADDRESS</c> → how many sessions of one incarnation are at it, or from it.</summary>
    public static RedisKey Counts(long startEpoch) => $"{Prefix}incarnations}}:counts:{startEpoch}";

    /// <summary>Hash: <c>password</c>, <c>disabled</c>, <c>created</c>, <c>scram-sha-256</c>, <c>scram-sha-1</c>.</summary>
    public static RedisKey Account(UserName user) => Prefix + user.Value + AccountSuffix;

    /// <summary>Hash: <c>node</c>, <c>epoch</c>, <c>confirmed</c> (the epoch that replicas are known to have); while the user moves also <c>moving</c>, the node they go to, and <c>move</c>, the move's id.</summary>
    public static RedisKey Assignment(UserName user) => AssignmentOf(user.Value);

    /// <summary>Hash: a move, as <see cref="Director.Moves.Move"/> reads it.</summary>
    public static RedisKey Move(UserName user) => Prefix + user.Value + "}:move";

    /// <summary>Hash: session id → <see cref="SessionValue"/>.</summary>
    public static RedisKey Sessions(UserName user) => Prefix + user.Value + SessionsSuffix;

    /// <summary>As <see cref="Assignment"/>, for the name in a key that <see cref="AllAssignments"/> matched.</summary>
    public static RedisKey AssignmentOf(string user) => Prefix + user + AssignmentSuffix;

    /// <summary>The name in a key that <see cref="AllAssignments"/> matched.</summary>
    public static string UserOfAssignment(string key) => key[Prefix.Length..^AssignmentSuffix.Length];

    /// <summary>The name in a key that <see cref="AllSessions"/> matched.</summary>
    public static string UserOfSessions(string key) => key[Prefix.Length..^SessionsSuffix.Length];

    /// <summary>The name in a key that <see cref="AllAccounts"/> matched.</summary>
    public static string UserOfAccount(string key) => key[Prefix.Length..^AccountSuffix.Length];
}
