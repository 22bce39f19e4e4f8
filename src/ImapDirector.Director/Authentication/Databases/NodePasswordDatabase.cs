using System.Net;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Directory;

namespace ImapDirector.Director.Authentication;

/// <summary>The user's own node: whom it lets in with this password is let in. It is asked by a login of its own, so that a name that somebody made up is never
/// assigned to a node.</summary>
internal sealed class NodePasswordDatabase(UserDirectory directory, BackendConnector backends) : IPasswordDatabase
{
    private const string SessionId = "password-check";
    private static readonly IPEndPoint Nowhere = new(IPAddress.Any, 0);

    /// <inheritdoc />
    public string Name => "node";

    /// <inheritdoc />
    public async ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken)
    {
        if (question.Password is not { } password) return DatabaseAnswer.CannotTell;
        if (await directory.FindNodeAsync(question.User, cancellationToken) is not { } node) return DatabaseAnswer.Failure;
        var client = new ForwardedClient(SessionId, new IPEndPoint(question.Client, 0), Nowhere, IsSecure: true, question.HopsLeft);
        var login = await backends.LogInAsync(node.AsUsers, new BackendUser(question.User, password) { IsCheck = true }, client, cancellationToken);
        if (login.Session is not { } session)
        {
            return login.Failure switch
            {
                BackendFailure.LoginRefused => DatabaseAnswer.WrongPassword,
                BackendFailure.Crowded => DatabaseAnswer.Busy,
                _ => DatabaseAnswer.Failure,
            };
        }
        await session.Connection.DisposeAsync();
        return new DatabaseAnswer(DatabaseAnswerKind.RightPassword, Node: session.Node.Name);
    }
}
