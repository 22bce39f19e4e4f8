using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>The password databases in their order. It never changes; another configuration is another chain.</summary>
internal sealed class DatabaseChain : IAsyncDisposable
{
    /// <summary>Composes it of databases that are there.</summary>
    public DatabaseChain(IReadOnlyList<ChainStep> steps) => Steps = steps;

    /// <summary>The databases.</summary>
    public IReadOnlyList<ChainStep> Steps { get; }

    /// <summary>Makes every database that the settings name; nothing is opened yet.</summary>
    /// <param name="options">Settings without faults.</param>
    /// <param name="redis">The accounts in Redis.</param>
    /// <param name="nodes">The nodes there are now.</param>
    /// <param name="atNodes">Asks the users' nodes.</param>
    /// <param name="loggers">Where their loggers are made.</param>
    public static DatabaseChain Create(DirectorOptions options, RedisConnection redis, Func<IEnumerable<BackendNode>> nodes, NodePasswordDatabase? atNodes, ILoggerFactory loggers) =>
        new([.. options.Authentication.Databases.Select(database => new ChainStep(database switch
        {
            RedisDatabaseOptions => new RedisPasswordDatabase(redis),
            PasswdFileOptions file => new PasswdFileDatabase(file, options.DefaultDomain, TimeProvider.System, loggers.CreateLogger<PasswdFileDatabase>()),
            LdapDatabaseOptions ldap => new LdapDatabase(ldap, loggers.CreateLogger<LdapDatabase>()),
            HttpDatabaseOptions http => new HttpDatabase(http, nodes, loggers.CreateLogger<HttpDatabase>()),
            NodeDatabaseOptions when atNodes is not null => atNodes,
            _ => throw new ArgumentException($"A database of kind {database.GetType().Name} is not known.", nameof(options)),
        }, database))]);

    /// <summary>Whether there is such a user, and what is stored of the password where a database tells it.</summary>
    /// <returns>An account, <c>NoSuchUser</c>, <c>Disabled</c>, <c>Failure</c>, or <c>CannotTell</c> when a database would need the password to say.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<(DatabaseAnswer Answer, ChainStep? Step)> FindAsync(UserName user, System.Net.IPAddress client, CancellationToken cancellationToken)
    {
        var found = DatabaseAnswer.NoSuchUser;
        foreach (var step in Steps)
        {
            var answer = await step.Database.AskAsync(new DatabaseQuestion(user, null, client), cancellationToken);
            switch (answer.Kind)
            {
                case DatabaseAnswerKind.NoSuchUser when step.Rules.OnNoSuchUser == ChainRule.Continue:
                    break;
                case DatabaseAnswerKind.CannotTell:
                    if (found.Kind == DatabaseAnswerKind.NoSuchUser) found = answer;
                    break;
                case DatabaseAnswerKind.Failure when step.Rules.OnFailure == ChainRule.Continue:
                    found = answer;
                    break;
                default:
                    // One that stops here says nothing of what an earlier one could not.
                    return answer.Kind == DatabaseAnswerKind.NoSuchUser && found.Kind != DatabaseAnswerKind.NoSuchUser ? (found, null) : (answer, step);
            }
        }
        return (found, null);
    }

    /// <summary>Whether somebody may log in who has proved without a password who they are.</summary>
    /// <returns>Success, NoSuchUser (also where no database can tell without a password), Disabled or TemporaryFailure.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<AuthenticationOutcome> AdmitAsync(UserName user, System.Net.IPAddress client, CancellationToken cancellationToken)
    {
        var (answer, _) = await FindAsync(user, client, cancellationToken);
        return answer.Kind switch
        {
            DatabaseAnswerKind.Account when answer.Account!.IsDisabled => AuthenticationOutcome.Disabled,
            DatabaseAnswerKind.Account => AuthenticationOutcome.Success,
            DatabaseAnswerKind.Disabled => AuthenticationOutcome.Disabled,
            DatabaseAnswerKind.Failure => AuthenticationOutcome.TemporaryFailure,
            _ => AuthenticationOutcome.NoSuchUser,
        };
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var step in Steps)
        {
            if (step.Database is IAsyncDisposable later) await later.DisposeAsync();
            else if (step.Database is IDisposable now) now.Dispose();
        }
    }
}

/// <summary>A database and its rules.</summary>
/// <param name="Database">The database.</param>
/// <param name="Rules">What its answers mean for those behind it.</param>
internal sealed record ChainStep(IPasswordDatabase Database, PasswordDatabaseOptions Rules);
