using System.Collections.Frozen;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>A file in the form of Dovecot's passwd-file, <c>name:password:…</c>; only the two first fields, and <c>nologin</c> among the extra ones, mean
/// something here. It is read again when it has changed; one that cannot be read leaves what was read before.</summary>
internal sealed partial class PasswdFileDatabase : IPasswordDatabase, IDisposable
{
    public const long MaxBytes = 64L * 1024 * 1024;
    private const int MaxUsers = 1_000_000;
    private const int ExtraFields = 7;
    private const string PasswordNeverMatches = "*";
    // How often the file is looked at.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly string _file;
    private readonly string? _defaultDomain;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _reading = new(1);
    private volatile Snapshot? _snapshot;
    private (DateTime Written, long Length)? _lastTried;
    private long _lookedAt;

    /// <summary>Composes it; the file is read at the first question.</summary>
    public PasswdFileDatabase(PasswdFileOptions options, string? defaultDomain, TimeProvider clock, ILogger<PasswdFileDatabase> logger) =>
        (_file, _defaultDomain, _clock, _logger, _lookedAt) = (options.File, defaultDomain, clock, logger, clock.GetTimestamp() - clock.TimestampFrequency * 60);

    /// <inheritdoc />
    public string Name => "passwd_file";

    /// <inheritdoc />
    public async ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken)
    {
        if (_snapshot is null || _clock.GetElapsedTime(Volatile.Read(ref _lookedAt)) >= LookAgain) await RefreshAsync(cancellationToken);
        if (_snapshot is not { } snapshot) return DatabaseAnswer.Failure;
        return snapshot.Users.TryGetValue(question.User, out var account) ? DatabaseAnswer.Of(account) : DatabaseAnswer.NoSuchUser;
    }

    /// <inheritdoc />
    public void Dispose() => _reading.Dispose();

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        // Whoever comes while another reads goes on with what there is.
        if (!await _reading.WaitAsync(_snapshot is null ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, cancellationToken)) return;
        try
        {
            Volatile.Write(ref _lookedAt, _clock.GetTimestamp());
            var file = new FileInfo(_file);
            var state = (file.LastWriteTimeUtc, file.Exists ? file.Length : 0);
            if (_lastTried == state) return;
            _lastTried = state;
            await ReadAsync(cancellationToken);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            Log.Unreadable(_logger, _file, unreadable.GetType().Name);
        }
        catch (OperationCanceledException)
        {
            _lastTried = null;
            throw;
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length > MaxBytes)
        {
            Log.TooLarge(_logger, _file, MaxBytes);
            return;
        }
        var users = new Dictionary<UserName, Account>();
        var (number, ignored) = (0, 0);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            number++;
            if (line.Length == 0 || line[0] == '#') continue;
            // The first line of a name counts, as it does with Dovecot.
            if (users.Count >= MaxUsers || !TryRead(line, out var user, out var account) || !users.TryAdd(user, account)) ignored++;
        }
        _snapshot = new Snapshot(users.ToFrozenDictionary());
        Log.Read(_logger, _file, users.Count, number, ignored);
    }

    private bool TryRead(string line, out UserName user, out Account account)
    {
        var fields = line.Split(':', ExtraFields + 1);
        account = new Account("", false, DateTimeOffset.UnixEpoch);
        if (!UserName.TryCreate(fields[0], _defaultDomain, out user) || fields.Length < 2) return false;
        var password = fields[1];
        // Dovecot's default scheme is CRYPT, where a name without braces means that.
        var isDisabled = password is "" or PasswordNeverMatches || password.StartsWith('!');
        if (fields.Length > ExtraFields) isDisabled |= fields[ExtraFields].Split(' ').Any(static extra => extra is "nologin" or "nologin=y" or "nologin=yes");
        account = account with { Password = password, IsDisabled = isDisabled };
        return true;
    }

    private sealed record Snapshot(FrozenDictionary<UserName, Account> Users);

    private static partial class Log
    {
        [LoggerMessage(3111, LogLevel.Information, "Read {File}: {Users} users on {Lines} lines, {Ignored} of them ignored (broken, or a name that was there before)")]
        public static partial void Read(ILogger logger, string file, int users, int lines, int ignored);

        [LoggerMessage(3112, LogLevel.Error, "{File} cannot be read ({Reason}): what was read before still counts")]
        public static partial void Unreadable(ILogger logger, string file, string reason);

        [LoggerMessage(3113, LogLevel.Error, "{File} is larger than {MaxBytes} bytes: what was read before still counts")]
        public static partial void TooLarge(ILogger logger, string file, long maxBytes);
    }
}
