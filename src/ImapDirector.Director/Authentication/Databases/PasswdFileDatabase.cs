using System.Collections.Frozen;
using System.Net;
using ImapDirector.Network;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>A file in the form of Dovecot's passwd-file, <c>name:password:…</c>; only the two first fields, and what <see cref="PasswdFileExtras"/> reads, mean
/// something here. It is read again when it has changed and is at rest; one that cannot be read leaves what was read before, and is tried again.</summary>
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
    private readonly bool _endsWithFile;
    private readonly SemaphoreSlim _reading = new(1);
    private volatile Snapshot? _snapshot;
    private FileState? _lastTried;
    private FileState? _lastSeen;
    private string? _lastTold;
    private long _lookedAt;

    /// <summary>Composes it; the file is read at the first question.</summary>
    /// <param name="options">Which file.</param>
    /// <param name="defaultDomain">That of names without one.</param>
    /// <param name="clock">What time it is.</param>
    /// <param name="logger">Where it is told what was read.</param>
    /// <param name="endsWithFile">Whether there is nobody once the file is gone: who removes it wants that. Else everybody would be locked out by a slip.</param>
    public PasswdFileDatabase(PasswdFileOptions options, string? defaultDomain, TimeProvider clock, ILogger<PasswdFileDatabase> logger, bool endsWithFile = false) =>
        (_file, _defaultDomain, _clock, _logger, _endsWithFile, _lookedAt) = (options.File, defaultDomain, clock, logger, endsWithFile, clock.GetTimestamp() - clock.TimestampFrequency * 60);

    /// <inheritdoc />
    public string Name => "passwd_file";

    /// <inheritdoc />
    public async ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken)
    {
        if (_snapshot is null || _clock.GetElapsedTime(Volatile.Read(ref _lookedAt)) >= LookAgain) await RefreshAsync(cancellationToken);
        if (_snapshot is not { } snapshot) return DatabaseAnswer.Failure;
        return snapshot.Users.TryGetValue(question.User, out var entry) ? DatabaseAnswer.Of(entry.For(question.Client)) : DatabaseAnswer.NoSuchUser;
    }

    /// <inheritdoc />
    public void Dispose() => _reading.Dispose();

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        // Whoever comes while another reads goes on with what there is.
        if (!await _reading.WaitAsync(_snapshot is null ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, cancellationToken)) return;
        try
        {
            // Who has waited for another goes on with what that one found, too.
            if (_snapshot is null && _clock.GetElapsedTime(Volatile.Read(ref _lookedAt)) < LookAgain) return;
            Volatile.Write(ref _lookedAt, _clock.GetTimestamp());
            var state = FileState.Of(_file);
            if (_lastTried == state) return;
            if (!await IsAtRestAsync(state, cancellationToken)) return;
            if (_endsWithFile && !state.Exists) Forget();
            // It is another by now, and looked at again.
            else if (!await ReadAsync(state, cancellationToken)) return;
            (_lastTried, _lastTold) = (state, null);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // As when there are too many open files: what is new in it must not wait until it changes once more.
            var reason = unreadable.GetType().Name;
            if (_lastTold != reason) Log.Unreadable(_logger, _file, reason);
            _lastTold = reason;
        }
        finally
        {
            _reading.Release();
        }
    }

    // What somebody is still writing is half of a file, in which users seem to be missing. Who comes before there is anything waits for it.
    private async Task<bool> IsAtRestAsync(FileState state, CancellationToken cancellationToken)
    {
        var isAtRest = state.IsOld || state == _lastSeen;
        _lastSeen = state;
        if (isAtRest || _snapshot is not null) return isAtRest;
        await Task.Delay(LookAgain, cancellationToken);
        _lastSeen = FileState.Of(_file);
        return _lastSeen == state;
    }

    private void Forget()
    {
        _snapshot = new Snapshot(FrozenDictionary<UserName, Entry>.Empty);
        Log.Gone(_logger, _file);
    }

    /// <returns>Whether it was the same file from the beginning to the end.</returns>
    private async Task<bool> ReadAsync(FileState state, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length > MaxBytes)
        {
            Log.TooLarge(_logger, _file, MaxBytes);
            return true;
        }
        var users = new Dictionary<UserName, Entry>();
        var (number, ignored, restricted) = (0, 0, 0);
        string? restriction = null;
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            number++;
            if (line.Length == 0 || line[0] == '#') continue;
            // The first line of a name counts, as it does with Dovecot.
            if (users.Count >= MaxUsers || !TryRead(line, out var user, out var entry, out var unknown) || !users.TryAdd(user, entry)) ignored++;
            else if (unknown is not null) (restricted, restriction) = (restricted + 1, restriction ?? unknown);
        }
        if (FileState.Of(_file) != state) return false;
        _snapshot = new Snapshot(users.ToFrozenDictionary());
        Log.Read(_logger, _file, users.Count, number, ignored);
        if (restriction is not null) Log.Restricted(_logger, _file, restricted, restriction);
        return true;
    }

    private bool TryRead(string line, out UserName user, out Entry entry, out string? unknown)
    {
        var fields = line.Split(':', ExtraFields + 1);
        (entry, unknown) = (default, null);
        if (!UserName.TryCreate(fields[0], _defaultDomain, out user) || fields.Length < 2) return false;
        var password = fields[1];
        // Dovecot's default scheme is CRYPT, where a name without braces means that.
        var isDisabled = password is "" or PasswordNeverMatches || password.StartsWith('!');
        var extras = fields.Length > ExtraFields ? PasswdFileExtras.Read(fields[ExtraFields]) : default;
        unknown = extras.Unknown;
        entry = new Entry(new Account(password, isDisabled || extras.IsDisabled, DateTimeOffset.UnixEpoch), extras.Networks);
        return true;
    }

    private sealed record Snapshot(FrozenDictionary<UserName, Entry> Users);

    /// <param name="Account">What its line says.</param>
    /// <param name="Networks">From where alone it may log in; <c>null</c>: from everywhere.</param>
    private readonly record struct Entry(Account Account, IReadOnlyList<IPNetwork>? Networks)
    {
        public Account For(IPAddress client) => Networks is null || AddressList.Contains(Networks, client) ? Account : Account with { IsDisabled = true };
    }

    /// <summary>What tells whether it is the same file with the same in it. One that is put in its place was made at another time, whatever it says of its last change.</summary>
    private readonly record struct FileState(DateTime Made, DateTime Written, long Length)
    {
        private static readonly TimeSpan Rest = 2 * LookAgain;

        public bool Exists => Length >= 0;

        /// <summary>Whether nobody has written to it for a while.</summary>
        public bool IsOld => Written < DateTime.UtcNow - Rest;

        public static FileState Of(string path)
        {
            var file = new FileInfo(path);
            return new FileState(file.CreationTimeUtc, file.LastWriteTimeUtc, file.Exists ? file.Length : -1);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3111, LogLevel.Information, "Read {File}: {Users} users on {Lines} lines, {Ignored} of them ignored (broken, or a name that was there before)")]
        public static partial void Read(ILogger logger, string file, int users, int lines, int ignored);

        [LoggerMessage(3112, LogLevel.Error, "{File} cannot be read ({Reason}): what was read before still counts")]
        public static partial void Unreadable(ILogger logger, string file, string reason);

        [LoggerMessage(3115, LogLevel.Error, "{File} is gone: nobody is in it until it is there again")]
        public static partial void Gone(ILogger logger, string file);

        [LoggerMessage(3113, LogLevel.Error, "{File} is larger than {MaxBytes} bytes: what was read before still counts")]
        public static partial void TooLarge(ILogger logger, string file, long maxBytes);

        [LoggerMessage(3114, LogLevel.Error, "{File}: {Users} users cannot log in, because their extra fields restrict them in a way that is not known here, such as {Field}")]
        public static partial void Restricted(ILogger logger, string file, int users, string field);
    }
}
