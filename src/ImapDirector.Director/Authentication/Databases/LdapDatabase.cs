using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Director.Authentication.Ldap;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>An LDAP directory: logs in there as the user, or reads the user's hash. A bounded pool of connections, each question within its time.</summary>
internal sealed partial class LdapDatabase : IPasswordDatabase, IAsyncDisposable
{
    private const int ConstraintViolation = 19;
    private const int NoSuchObject = 32;
    private const int InappropriateAuthentication = 48;
    private const int InvalidCredentials = 49;
    private const int InsufficientAccessRights = 50;
    private const int Busy = 51;
    private const int UnwillingToPerform = 53;
    private const int WaitingPerConnection = 2;

    private readonly LdapDatabaseOptions _options;
    private readonly ILogger _logger;
    private readonly LdapFilter? _filter;
    private readonly string[] _attributes;
    private readonly ConcurrentBag<LdapConnection> _idle = [];
    private readonly SemaphoreSlim _places;
    private readonly AnswerPulse _pulse;
    private int _waiting;
    private volatile bool _isDisposed;

    /// <summary>Composes it; nothing is opened yet.</summary>
    public LdapDatabase(LdapDatabaseOptions options, ILogger<LdapDatabase> logger)
    {
        (_options, _logger) = (options, logger);
        _filter = options.SearchBase.Length > 0 ? LdapFilter.TryParse(options.SearchFilter) : null;
        string?[] wanted = [options.PasswordAttribute, options.DisabledAttribute];
        // "1.1" asks for no attribute at all (RFC 4511 section 4.5.1.8).
        _attributes = wanted.OfType<string>().DefaultIfEmpty("1.1").ToArray();
        _places = new SemaphoreSlim(options.MaxConnections);
        _pulse = new AnswerPulse(TimeProvider.System, options.Timeout);
    }

    /// <inheritdoc />
    public string Name => "ldap";

    /// <inheritdoc />
    public async ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken)
    {
        // An empty password would be no login at all to the directory, and right for everybody (RFC 4513 section 5.1.2).
        if (question.Password is { IsEmpty: true }) return DatabaseAnswer.WrongPassword;
        if (_filter is null && question.Password is null) return DatabaseAnswer.CannotTell;
        if (Interlocked.Increment(ref _waiting) > _options.MaxConnections * (1 + WaitingPerConnection))
        {
            Interlocked.Decrement(ref _waiting);
            Log.TooManyWaiting(_logger, _options.Url);
            return _pulse.NoAnswer();
        }
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.Timeout);
        try
        {
            await _places.WaitAsync(limit.Token);
            try
            {
                return await AskWithAConnectionAsync(question, limit.Token);
            }
            finally
            {
                _places.Release();
            }
        }
        catch (Exception failed) when (failed is IOException or SocketException or AuthenticationException or ObjectDisposedException or CryptographicException
            || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Log.Failed(_logger, _options.Url, failed is OperationCanceledException ? "no answer in time" : failed.Message);
            return failed is OperationCanceledException ? _pulse.NoAnswer() : DatabaseAnswer.Failure;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        while (_idle.TryTake(out var connection)) await connection.DisposeAsync();
        _places.Dispose();
    }

    // A connection that lay idle may be gone: then a new one is tried, once.
    private async Task<DatabaseAnswer> AskWithAConnectionAsync(DatabaseQuestion question, CancellationToken limit)
    {
        while (_idle.TryTake(out var idle))
        {
            try
            {
                return await AskAndKeepAsync(idle, question, limit);
            }
            catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException)
            {
                Log.Reconnecting(_logger, _options.Url, lost.Message);
            }
        }
        return await AskAndKeepAsync(await LdapConnection.ConnectAsync(_options, limit), question, limit);
    }

    private async Task<DatabaseAnswer> AskAndKeepAsync(LdapConnection connection, DatabaseQuestion question, CancellationToken limit)
    {
        var isWhole = false;
        try
        {
            var answer = await AskAsync(connection, question, limit);
            isWhole = true;
            _pulse.Beat();
            return answer;
        }
        finally
        {
            if (isWhole && !_isDisposed) _idle.Add(connection);
            else await connection.DisposeAsync();
        }
    }

    private async Task<DatabaseAnswer> AskAsync(LdapConnection connection, DatabaseQuestion question, CancellationToken limit)
    {
        var dn = _options.UserDn is { } template ? LdapFilter.Fill(template, question.User) : null;
        if (_filter is not null)
        {
            var (answer, entry) = await FindAsync(connection, _filter, question.User, limit);
            if (entry is null) return answer!;
            var account = new Account(_options.PasswordAttribute is null ? "" : HashOf(entry) ?? "", IsDisabled(entry), DateTimeOffset.UnixEpoch);
            if (_options.PasswordAttribute is not null || question.Password is null) return DatabaseAnswer.Of(account);
            dn = entry.Dn;
            if (account.IsDisabled) return DatabaseAnswer.Disabled;
        }
        // A name that is empty would be no login at all.
        if (string.IsNullOrEmpty(dn)) return DatabaseAnswer.Failure;
        var result = await connection.BindAsync(dn, question.Password!.Value, isForLookups: false, limit);
        return result switch
        {
            0 => new DatabaseAnswer(DatabaseAnswerKind.RightPassword),
            InvalidCredentials or InappropriateAuthentication or NoSuchObject => DatabaseAnswer.WrongPassword,
            // What directories answer for one who is locked out or switched off: it is up, and says no.
            ConstraintViolation or InsufficientAccessRights or UnwillingToPerform => LockedOut(question.User, result),
            _ => Refused("login", result),
        };
    }

    private async Task<(DatabaseAnswer? Answer, LdapMessage? Entry)> FindAsync(LdapConnection connection, LdapFilter filter, UserName user, CancellationToken limit)
    {
        if (!connection.IsForLookups)
        {
            var bound = await connection.BindAsync(_options.LookupDn, Encoding.UTF8.GetBytes(_options.LookupPassword), isForLookups: true, limit);
            if (bound != 0) return (Refused("lookup login", bound), null);
        }
        var (result, entries) = await connection.SearchAsync(_options.SearchBase, filter, user, _attributes, Math.Max(1, (int)_options.Timeout.TotalSeconds), limit);
        if (entries.Count > 1)
        {
            Log.Ambiguous(_logger, _options.Url, user);
            return (DatabaseAnswer.Failure, null);
        }
        if (result is not (0 or NoSuchObject)) return (Refused("search", result), null);
        return entries is [var entry] ? (null, entry) : (DatabaseAnswer.NoSuchUser, null);
    }

    private DatabaseAnswer LockedOut(UserName user, int result)
    {
        Log.LockedOut(_logger, _options.Url, user, result);
        return DatabaseAnswer.Disabled;
    }

    private DatabaseAnswer Refused(string what, int result)
    {
        Log.Refused(_logger, _options.Url, what, result);
        return result == Busy ? DatabaseAnswer.Busy : DatabaseAnswer.Failure;
    }

    // An entry may have several values; the first that is a hash counts.
    private string? HashOf(LdapMessage entry) => !entry.Attributes.TryGetValue(_options.PasswordAttribute!, out var values)
        ? null
        : values.Select(Encoding.UTF8.GetString).OrderBy(static value => PasswordHash.TryParse(value) is null).FirstOrDefault();

    private bool IsDisabled(LdapMessage entry) => _options.DisabledAttribute is { } name && entry.Attributes.TryGetValue(name, out var values)
        && values.Any(static value => Encoding.UTF8.GetString(value).ToUpperInvariant() is "TRUE" or "1" or "YES");

    private static partial class Log
    {
        [LoggerMessage(3121, LogLevel.Error, "{Directory} does not help: {Reason}")]
        public static partial void Failed(ILogger logger, Uri directory, string reason);

        [LoggerMessage(3122, LogLevel.Error, "{Directory} refuses a {What} with result {Result}")]
        public static partial void Refused(ILogger logger, Uri directory, string what, int result);

        [LoggerMessage(3123, LogLevel.Error, "{Directory} has more than one entry for {User}")]
        public static partial void Ambiguous(ILogger logger, Uri directory, UserName user);

        [LoggerMessage(3124, LogLevel.Warning, "Too many logins are waiting for {Directory}")]
        public static partial void TooManyWaiting(ILogger logger, Uri directory);

        [LoggerMessage(3126, LogLevel.Warning, "{Directory} does not let {User} log in, whatever the password: result {Result}")]
        public static partial void LockedOut(ILogger logger, Uri directory, UserName user, int result);

        [LoggerMessage(3125, LogLevel.Debug, "A connection to {Directory} was gone: {Reason}")]
        public static partial void Reconnecting(ILogger logger, Uri directory, string reason);
    }
}
