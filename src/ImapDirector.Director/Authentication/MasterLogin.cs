using System.Net;
using System.Text;
using ImapDirector.Director.Directory;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Sasl;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>Lets masters be users: whoever shows a master's password, comes from where masters may, and names somebody there is. What users' logins store and
/// remember has no part in it, so that a master's password is never a user's, whatever both are called. Without masters everybody is refused, in the same time.</summary>
internal sealed partial class MasterLogin : IDisposable
{
    private volatile DirectorOptions _options;
    private readonly PasswdFileDatabase? _masters;
    private readonly DatabaseChain _users;
    private readonly Func<UserName, CancellationToken, Task<bool?>> _isAssigned;
    private readonly PasswordHasher _hasher;
    private readonly ScramVerifiers _verifiers;
    private readonly ILogger _logger;

    /// <summary>Composes it; the file is read at the first question.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="users">Tells whether there is a user.</param>
    /// <param name="isAssigned">Whether a user has a node; <c>null</c> when that cannot be told.</param>
    /// <param name="hasher">Compares passwords.</param>
    /// <param name="verifiers">Makes those of nobody.</param>
    /// <param name="loggers">Where loggers are made.</param>
    public MasterLogin(DirectorOptions options, DatabaseChain users, Func<UserName, CancellationToken, Task<bool?>> isAssigned, PasswordHasher hasher, ScramVerifiers verifiers, ILoggerFactory loggers)
    {
        (_options, _users, _isAssigned, _hasher, _verifiers, _logger) = (options, users, isAssigned, hasher, verifiers, loggers.CreateLogger<MasterLogin>());
        if (options.Authentication.Masters is { } masters)
            _masters = new PasswdFileDatabase(new PasswdFileOptions { File = masters.File }, null, TimeProvider.System, loggers.CreateLogger<PasswdFileDatabase>(), endsWithFile: true);
    }

    /// <summary>Other networks of load balancers and directors from here on.</summary>
    public void Reload(DirectorOptions options) => _options = options;

    /// <summary>Checks a master's password, and whether there is the user.</summary>
    /// <param name="master">The master's name as the client sent it.</param>
    /// <param name="password">The master's password, UTF-8; the caller zeroes it afterwards.</param>
    /// <param name="user">Whom the client wants to be, as it sent it.</param>
    /// <param name="client">Where the client is.</param>
    /// <param name="rank">Before whom the password is hashed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<AuthenticationResult> CheckAsync(ReadOnlyMemory<byte> master, ReadOnlyMemory<byte> password, ReadOnlyMemory<byte> user, IPAddress client, HashRank rank, CancellationToken cancellationToken)
    {
        var answer = await FindAsync(master, client, cancellationToken);
        var hash = answer.Account is { } account ? PasswordHash.TryParse(account.Password, _options.Authentication.AllowPlainHashes) : null;
        var isRight = await _hasher.VerifyAsync(hash, password.Length > Authenticator.MaxPasswordBytes ? default : password, rank, cancellationToken);
        if (isRight is null || answer.Kind == DatabaseAnswerKind.Failure) return new AuthenticationResult(AuthenticationOutcome.TemporaryFailure, default);
        if (answer.Account is null) return new AuthenticationResult(AuthenticationOutcome.NoSuchMaster, default);
        if (hash is null && LoginName.TryReadMaster(master.Span, out var name)) Log.BrokenHash(_logger, name);
        return isRight.Value ? await AdmitAsync(user, client, cancellationToken) : new AuthenticationResult(AuthenticationOutcome.WrongPassword, default);
    }

    /// <summary>What SCRAM needs of a master. Of one that there is not it is like a user's that there is not.</summary>
    /// <inheritdoc cref="CheckAsync" />
    public async Task<ScramCandidate> FindAsync(ReadOnlyMemory<byte> master, ScramHashName hash, IPAddress client, HashRank rank, CancellationToken cancellationToken)
    {
        // Nobody's salt is not that of the user of this name, whom there may be.
        var seed = Encoding.ASCII.GetBytes("*" + (LoginName.TryReadMaster(master.Span, out var name) ? name.Value : Encoding.Latin1.GetString(master.Span)));
        var candidate = await _verifiers.MakeAsync(seed, default, hash, stop => FindAsync(master, client, stop), rank, cancellationToken);
        return candidate.Outcome == AuthenticationOutcome.NoSuchUser ? candidate with { Outcome = AuthenticationOutcome.NoSuchMaster } : candidate;
    }

    /// <summary>Whether a master who has proved who they are may be a user: one that a database knows without a password, or that has a node. A master gives nobody a node
    /// whom no database knows.</summary>
    /// <inheritdoc cref="CheckAsync" />
    public async Task<AuthenticationResult> AdmitAsync(ReadOnlyMemory<byte> user, IPAddress client, CancellationToken cancellationToken)
    {
        if (!LoginName.TryRead(user.Span, _options.DefaultDomain, out var name)) return new AuthenticationResult(AuthenticationOutcome.NoSuchUser, default);
        var outcome = await _users.AdmitAsync(name, client, cancellationToken);
        if (outcome != AuthenticationOutcome.NoSuchUser) return new AuthenticationResult(outcome, name);
        return await _isAssigned(name, cancellationToken) switch
        {
            true => new AuthenticationResult(AuthenticationOutcome.Success, name, UserDirectory.NoNewNode),
            false => new AuthenticationResult(AuthenticationOutcome.NoSuchUser, name),
            null => new AuthenticationResult(AuthenticationOutcome.TemporaryFailure, name),
        };
    }

    /// <inheritdoc />
    public void Dispose() => _masters?.Dispose();

    // Elsewhere than in their networks there are no masters at all: what is compared there is what is compared for a name that is not there.
    private async Task<DatabaseAnswer> FindAsync(ReadOnlyMemory<byte> master, IPAddress client, CancellationToken cancellationToken)
    {
        if (_masters is null || !LoginName.TryReadMaster(master.Span, out var name)) return DatabaseAnswer.NoSuchUser;
        var answer = await _masters.AskAsync(new DatabaseQuestion(name, null, client), cancellationToken);
        if (answer.Account is { IsDisabled: true }) return DatabaseAnswer.NoSuchUser;
        if (IsTheirs(client)) return answer;
        if (answer.Account is not null) Log.Outside(_logger, name, client);
        return DatabaseAnswer.NoSuchUser;
    }

    // A load balancer, or a director in front, that tells no client's address may have anybody behind it.
    private bool IsTheirs(IPAddress client) => AddressList.Contains(_options.Authentication.Masters!.Networks, client)
        && !AddressList.Contains(_options.ProxyNetworks, client) && !AddressList.Contains(_options.DirectorNetworks, client);

    private static partial class Log
    {
        [LoggerMessage(3151, LogLevel.Warning, "A login as master {Master} from {Client} was refused like a wrong password, and the password not looked at: the address is in none of Masters:Networks, or in ProxyNetworks or DirectorNetworks")]
        public static partial void Outside(ILogger logger, UserName master, IPAddress client);

        [LoggerMessage(3152, LogLevel.Error, "What Masters:File has of the password of {Master} is none of the known hashes, or out of bounds")]
        public static partial void BrokenHash(ILogger logger, UserName master);
    }
}
