using System.Net;
using ImapDirector.Network;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Backends;

/// <summary>A session that is logged in at its node.</summary>
/// <param name="Connection">The connection; bytes behind the node's last answer are still in its input. Whoever takes the session disposes it.</param>
/// <param name="Capabilities">What the node offers this user, fit for a response code; empty when it does not say.</param>
internal sealed record BackendSession(Connection Connection, string Capabilities);

/// <summary>A login at a node, or why there is none.</summary>
/// <param name="Failure">Why there is none.</param>
/// <param name="Session">The session, when the failure is <see cref="BackendFailure.None"/>.</param>
internal readonly record struct BackendLogin(BackendFailure Failure, BackendSession? Session);

/// <summary>Who is to be logged in at a node.</summary>
/// <param name="Name">Whose mail it is to be.</param>
/// <param name="Password">What they have logged in with here; empty where they have proved who they are in another way. Whoever calls wipes it, once the login
/// at the node is over.</param>
internal readonly record struct BackendUser(UserName Name, ReadOnlyMemory<byte> Password);

/// <summary>What a node is told about the client it will talk to through us.</summary>
/// <param name="SessionId">The connection's id.</param>
/// <param name="Remote">The client's address and port.</param>
/// <param name="Local">The address and port it connected to.</param>
/// <param name="IsSecure">Whether the client came with TLS.</param>
internal sealed record ForwardedClient(string SessionId, IPEndPoint Remote, IPEndPoint Local, bool IsSecure);
