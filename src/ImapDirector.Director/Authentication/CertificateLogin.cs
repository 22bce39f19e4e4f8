using System.Net;
using ImapDirector.Network;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Authentication;

/// <summary>Logs in whom a client's certificate names, if there is such a user who may log in.</summary>
internal sealed class CertificateLogin(DatabaseChain chain, string? defaultDomain)
{
    /// <summary>The canonical name of whom a connection's certificate names.</summary>
    /// <returns><c>false</c> where there is no certificate that counts, or nobody can have the name in it.</returns>
    public static bool TryName(Connection client, string? defaultDomain, out UserName user)
    {
        user = default;
        return client.Identity is { IsVerified: true, User: { } name } && LoginName.TryReadIssued(name, defaultDomain, out user);
    }

    /// <summary>Why a certificate that the client has shown cannot log it in; <c>null</c> where it can, or none was shown.</summary>
    public static string? FaultOf(Connection client, string? defaultDomain) =>
        client.Identity.Fault ?? (client.Identity.User is null || TryName(client, defaultDomain, out _) ? null : "no user can have the name in it");

    /// <summary>The canonical name of whom a connection's certificate names; <c>default</c> where it names nobody.</summary>
    public UserName NameOf(Connection client) => TryName(client, defaultDomain, out var user) ? user : default;

    /// <summary>Checks it.</summary>
    /// <param name="client">The connection.</param>
    /// <param name="identity">Whom the client wants to be, UTF-8; empty to be whom the certificate names.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<AuthenticationResult> CheckAsync(Connection client, ReadOnlyMemory<byte> identity, CancellationToken cancellationToken)
    {
        if (!TryName(client, defaultDomain, out var user)) return new AuthenticationResult(AuthenticationOutcome.NoSuchUser, default);
        // Nobody may ask to be somebody else (limits P24).
        if (!identity.IsEmpty && (!LoginName.TryRead(identity.Span, defaultDomain, out var asked) || asked != user)) return new AuthenticationResult(AuthenticationOutcome.NoSuchUser, user);
        return new AuthenticationResult(await chain.AdmitAsync(user, client.RemoteEndPoint.Address, cancellationToken), user);
    }
}
