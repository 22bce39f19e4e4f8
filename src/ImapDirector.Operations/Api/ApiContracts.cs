using System.Text.Json;
using System.Text.Json.Serialization;
using ImapDirector.Director.Directory;

namespace ImapDirector.Operations.Api;

/// <summary>A node.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State"><c>up</c>, <c>draining</c> or <c>down</c>.</param>
/// <param name="Since">When that was set; <c>null</c> when it never was.</param>
/// <param name="IsWell">Whether it answers, as this director sees it.</param>
/// <param name="IsReady">Whether its <c>/readyz</c> says so; <c>null</c> where it has no HTTP, or was not asked yet.</param>
/// <param name="Pool">Its pool.</param>
/// <param name="Weight">Its share of new users.</param>
/// <param name="ConfiguredWeight">The configured share; <c>null</c> for a node that was added.</param>
/// <param name="Host">Its address.</param>
/// <param name="ImapPort">Its IMAP port.</param>
/// <param name="LmtpPort">Its LMTP port.</param>
/// <param name="Http">Where its HTTP is.</param>
/// <param name="Tls"><c>none</c>, <c>starttls</c> or <c>implicit</c>.</param>
/// <param name="TlsName">The name its certificate must carry.</param>
/// <param name="TlsFingerprint">Its certificate's SHA-256.</param>
/// <param name="Fault">Why this director cannot do what is set of it.</param>
/// <param name="Kind"><c>bundled</c> or <c>generic</c>.</param>
/// <param name="Login">Who logs in there: <c>master</c>, the director, or <c>password</c>, the user.</param>
public sealed record ApiNode(string Name, string State, DateTimeOffset? Since, bool IsWell, bool? IsReady, string Pool, int Weight, int? ConfiguredWeight, string Host, int ImapPort, int LmtpPort,
    string? Http, string Tls, string? TlsName, string? TlsFingerprint, string? Fault, string Kind, string Login);

/// <summary>Some nodes.</summary>
/// <param name="Nodes">By name.</param>
public sealed record ApiNodes(IReadOnlyList<ApiNode> Nodes);

/// <summary>A pool.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsDefault">Whether new users go to it.</param>
/// <param name="Nodes">The names of its nodes.</param>
/// <param name="Weight">The weights of those that take new users, together.</param>
public sealed record ApiPool(string Name, bool IsDefault, IReadOnlyList<string> Nodes, int Weight);

/// <summary>All pools.</summary>
/// <param name="Pools">By name.</param>
public sealed record ApiPools(IReadOnlyList<ApiPool> Pools);

/// <summary>An account to make.</summary>
/// <param name="Name">The user's name.</param>
/// <param name="Password">Its password, 1 to 1024 bytes.</param>
public sealed record ApiNewUser(string Name, string Password)
{
    /// <summary>Leaves the password out.</summary>
    public override string ToString() => nameof(ApiNewUser);
}

/// <summary>A new password.</summary>
/// <param name="Password">The password, 1 to 1024 bytes.</param>
public sealed record ApiPassword(string Password)
{
    /// <summary>Leaves the password out.</summary>
    public override string ToString() => nameof(ApiPassword);
}

/// <summary>A user.</summary>
/// <param name="Name">The canonical name.</param>
/// <param name="Created">When the account was made.</param>
/// <param name="IsDisabled">Whether logins are refused.</param>
/// <param name="Node">Where the mail is; <c>null</c> before the first login or delivery.</param>
/// <param name="Epoch">The assignment's epoch.</param>
/// <param name="Sessions">The sessions that run.</param>
public sealed record ApiUser(string Name, DateTimeOffset Created, bool IsDisabled, string? Node, long Epoch, IReadOnlyList<ApiSession> Sessions);

/// <summary>A page of users.</summary>
/// <param name="Users">Their names, in order.</param>
/// <param name="Next">What to give as <c>after</c> for the next page; <c>null</c> on the last.</param>
public sealed record ApiUserNames(IReadOnlyList<string> Users, string? Next);

/// <summary>A session.</summary>
/// <param name="Id">Its id at the director.</param>
/// <param name="User">Whose it is.</param>
/// <param name="Node">Where the user's mail is.</param>
/// <param name="Address">The client's address.</param>
/// <param name="Director">The director that relays it.</param>
/// <param name="Started">When it logged in.</param>
public sealed record ApiSession(string Id, string User, string? Node, string Address, string Director, DateTimeOffset Started)
{
    /// <summary>The version of TLS between the client and the director, as <c>1.3</c>; <c>null</c> without TLS.</summary>
    public string? Tls { get; init; }

    /// <summary>How the user has logged in, as <c>imapdirector_logins_total</c> calls it.</summary>
    public string? Mechanism { get; init; }

    /// <summary>What the client has called itself before the login, at most 64 characters; what cannot be shown is <c>\u{…}</c>.</summary>
    public string? Client { get; init; }

    /// <summary>The master who has logged in as the user; <c>null</c> where it was the user.</summary>
    public string? Master { get; init; }

    /// <summary>Bytes passed to the node, as of at most ten seconds ago.</summary>
    public long BytesToNode { get; init; }

    /// <summary>Bytes passed to the client, likewise.</summary>
    public long BytesToClient { get; init; }
}

/// <summary>Some sessions.</summary>
/// <param name="Sessions">In no order.</param>
/// <param name="HasMore">Whether there are more than were asked for.</param>
public sealed record ApiSessions(IReadOnlyList<ApiSession> Sessions, bool HasMore);

/// <summary>Which sessions are to end: all that agree with every field; at least one is given.</summary>
/// <param name="User">Of this user.</param>
/// <param name="Node">At this node.</param>
/// <param name="Address">From this address.</param>
public sealed record ApiKick(string? User = null, string? Node = null, string? Address = null);

/// <summary>What was ordered.</summary>
/// <param name="Sessions">The sessions that there were.</param>
public sealed record ApiKicked(IReadOnlyList<ApiSession> Sessions);

/// <summary>Why a user is where they are.</summary>
/// <param name="User">The canonical name.</param>
/// <param name="Node">Where the mail is; <c>null</c> before the first login or delivery.</param>
/// <param name="Epoch">The assignment's epoch.</param>
/// <param name="Moving">Where the mail is moving to.</param>
/// <param name="Pool">The pool that new users go to.</param>
/// <param name="Director">Who says so.</param>
/// <param name="Nodes">All nodes, those first that a new user of this name would be given, in that order.</param>
/// <param name="Sessions">The sessions that run.</param>
/// <param name="NextLogin">What would happen at the next login.</param>
public sealed record ApiExplanation(string User, string? Node, long Epoch, string? Moving, string Pool, string Director, IReadOnlyList<ApiCandidate> Nodes, IReadOnlyList<ApiSession> Sessions, ApiNextLogin NextLogin);

/// <summary>A node that a user might be given.</summary>
/// <param name="Node">The node.</param>
/// <param name="Rank">1 for the one that a new user of this name would be given; <c>null</c> where it takes no new users.</param>
/// <param name="Share">Its share of new users, 0 to 1.</param>
public sealed record ApiCandidate(ApiNode Node, int? Rank, double Share);

/// <summary>What would happen at a login.</summary>
/// <param name="Node">Where it would go; <c>null</c> when it would be refused, with <c>NO [UNAVAILABLE]</c>.</param>
/// <param name="Reason">Why, as half a sentence.</param>
public sealed record ApiNextLogin(string? Node, string Reason);

/// <summary>What became of assignments that were to be brought back.</summary>
/// <param name="BroughtBack">How many are there now.</param>
/// <param name="ThereAlready">How many were.</param>
/// <param name="LeftOut">Why the others are not, a line each; the first thousand.</param>
/// <param name="LeftOutCount">How many those are.</param>
public sealed record ApiImported(int BroughtBack, int ThereAlready, IReadOnlyList<string> LeftOut, int LeftOutCount)
{
    /// <summary>Why an assignment was left out.</summary>
    public static string Reason(ImportOutcome outcome) => outcome switch
    {
        ImportOutcome.Other => "the user has another assignment, which stays: only a move changes it",
        ImportOutcome.UnknownNode => "there is no such node",
        _ => "not a line that \"directory export\" writes",
    };
}

/// <summary>Assignments that nobody can log in with.</summary>
/// <param name="Looked">How many assignments there are.</param>
/// <param name="Faults">What is wrong, a line each; the first thousand.</param>
/// <param name="FaultCount">How many those are.</param>
public sealed record ApiVerified(int Looked, IReadOnlyList<string> Faults, int FaultCount);

/// <summary>Where a user is to go.</summary>
/// <param name="To">The node, or <c>pool:</c> and a pool's name.</param>
/// <param name="From">Where the user has to be for it; <c>null</c> for anywhere.</param>
/// <param name="IsDry">Whether it is only told what would be done.</param>
public sealed record ApiMoveOrder(string To, string? From = null, bool IsDry = false);

/// <summary>What was ordered.</summary>
/// <param name="User">Who goes.</param>
/// <param name="From">Where the user is.</param>
/// <param name="To">Where the user goes; the same where the user is there already.</param>
/// <param name="Id">The move's id; <c>null</c> where nothing was ordered.</param>
public sealed record ApiMoveOrdered(string User, string From, string To, string? Id);

/// <summary>A user's way from one node to another.</summary>
/// <param name="Id">What tells it from the user's other moves.</param>
/// <param name="User">Who moves.</param>
/// <param name="From">The node that the user leaves.</param>
/// <param name="To">The node that the user goes to.</param>
/// <param name="Step"><c>ordered</c>, <c>marked</c>, <c>ended</c>, <c>released</c>, <c>copied</c>, <c>switched</c>, <c>opened</c>, <c>done</c>, <c>undoing</c> or <c>failed</c>.</param>
/// <param name="Director">Who carries it out; <c>null</c> before somebody does.</param>
/// <param name="Messages">How many messages there are, once that is known.</param>
/// <param name="BytesDone">What has come to the new node.</param>
/// <param name="BytesTotal">What there is to come.</param>
/// <param name="WaitSeconds">How long logins and deliveries waited; <c>null</c> before they went on.</param>
/// <param name="Reason">Why it was called off, or what it waits for.</param>
public sealed record ApiMove(string Id, string User, string From, string To, string Step, string? Director, long Messages, long BytesDone, long BytesTotal, double? WaitSeconds, string? Reason);

/// <summary>Some moves.</summary>
/// <param name="Moves">Oldest first.</param>
public sealed record ApiMoves(IReadOnlyList<ApiMove> Moves);

/// <summary>Moves that could be ordered.</summary>
/// <param name="Moves">In the order of the users' names; none of them has an id.</param>
public sealed record ApiMovePlan(IReadOnlyList<ApiMoveOrdered> Moves);

/// <summary>What would become of a change of the nodes.</summary>
/// <param name="Pool">The pool it is about.</param>
/// <param name="Nodes">The pool's nodes, before and after.</param>
/// <param name="Moves">How many users would move.</param>
/// <param name="ToBalance">How many <c>rebalance</c> would move afterwards, to where the weights would put them.</param>
/// <param name="Obstacle">Why the change cannot be made; <c>null</c> when it can.</param>
/// <param name="FirstMoves">Some of those who would move, as many as were asked for.</param>
public sealed record ApiPlan(string Pool, IReadOnlyList<ApiPlannedNode> Nodes, int Moves, int ToBalance, string? Obstacle, IReadOnlyList<ApiPlannedMove> FirstMoves);

/// <summary>A node in a plan.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Users">How many users it holds.</param>
/// <param name="UsersAfter">How many it would hold.</param>
/// <param name="Share">Its share of the pool's new users, 0 to 1.</param>
/// <param name="ShareAfter">Its share then.</param>
public sealed record ApiPlannedNode(string Name, int Users, int UsersAfter, double Share, double ShareAfter);

/// <summary>A user who would move.</summary>
/// <param name="User">The canonical name.</param>
/// <param name="From">The node that holds the mail.</param>
/// <param name="To">The node that would.</param>
public sealed record ApiPlannedMove(string User, string From, string To);

/// <summary>How all of it is written, without reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false, MaxDepth = 8)]
[JsonSerializable(typeof(ApiProblem))]
[JsonSerializable(typeof(ApiNode))]
[JsonSerializable(typeof(ApiNodes))]
[JsonSerializable(typeof(ApiPools))]
[JsonSerializable(typeof(ApiNewUser))]
[JsonSerializable(typeof(ApiPassword))]
[JsonSerializable(typeof(ApiUser))]
[JsonSerializable(typeof(ApiUserNames))]
[JsonSerializable(typeof(ApiSessions))]
[JsonSerializable(typeof(ApiKick))]
[JsonSerializable(typeof(ApiKicked))]
[JsonSerializable(typeof(ApiExplanation))]
[JsonSerializable(typeof(ApiImported))]
[JsonSerializable(typeof(ApiVerified))]
[JsonSerializable(typeof(ApiMoveOrder))]
[JsonSerializable(typeof(ApiMoveOrdered))]
[JsonSerializable(typeof(ApiMoves))]
[JsonSerializable(typeof(ApiMovePlan))]
[JsonSerializable(typeof(ApiPlan))]
[JsonSerializable(typeof(Assignment))]
[JsonSerializable(typeof(RebuildLine))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
public sealed partial class ApiJson : JsonSerializerContext;
