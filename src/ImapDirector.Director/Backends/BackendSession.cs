using System.Net;
using ImapDirector.Network;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Backends;

/// <summary>A session that is logged in at its node.</summary>
/// <param name="Connection">The connection; bytes behind the node's last answer are still in its input. Whoever takes the session disposes it.</param>
/// <param name="Node">Where it is: the user's node, or the one that it has referred to.</param>
/// <param name="Capabilities">What the node offers this user, fit for a response code; empty when it does not say.</param>
internal sealed record BackendSession(Connection Connection, BackendNode Node, string Capabilities);

/// <summary>A login at a node, or why there is none.</summary>
/// <param name="Failure">Why there is none.</param>
/// <param name="Session">The session, when the failure is <see cref="BackendFailure.None"/>.</param>
/// <param name="Referral">Where else the user is said to be, when it is <see cref="BackendFailure.Referred"/> and the node named a place.</param>
internal readonly record struct BackendLogin(BackendFailure Failure, BackendSession? Session, LoginReferral? Referral = null);

/// <summary>Who is to be logged in at a node.</summary>
/// <param name="Name">Whose mail it is to be.</param>
/// <param name="Password">What they have logged in with here; empty where they have proved who they are in another way. Whoever calls wipes it, once the login
/// at the node is over.</param>
/// <param name="HasSessions">Whether they have a session here already.</param>
internal readonly record struct BackendUser(UserName Name, ReadOnlyMemory<byte> Password, bool HasSessions = false)
{
    /// <summary>The epoch of the user's assignment to the node; 0 where nobody has assigned them.</summary>
    public long Epoch { get; init; }

    /// <summary>Whether it is only asked if the password is right.</summary>
    public bool IsCheck { get; init; }

    /// <summary>Before whom they come in at a node where not all find a place.</summary>
    public LoginRank Rank => IsCheck ? LoginRank.Check : HasSessions ? LoginRank.Another : LoginRank.New;
}

/// <summary>What a node is told about the client it will talk to through us.</summary>
/// <param name="SessionId">The connection's id.</param>
/// <param name="Remote">The client's address and port.</param>
/// <param name="Local">The address and port it connected to.</param>
/// <param name="IsSecure">Whether the client came with TLS.</param>
/// <param name="HopsLeft">How many directors may still come, this one among them, before it is a loop: 2 to <see cref="MostHops"/>.</param>
internal sealed record ForwardedClient(string SessionId, IPEndPoint Remote, IPEndPoint Local, bool IsSecure, int HopsLeft = ForwardedClient.MostHops)
{
    /// <summary>So many directors in a row are a loop: the last of them refuses (limits D7).</summary>
    public const int MostHops = 5;
}
