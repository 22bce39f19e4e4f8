using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ImapDirector.Storage.Store;

/// <summary>The database file of one user: one connection that writes, a few that read beside it, and every failure as a <see cref="StoreException"/>.
/// Of one that nobody uses for a while all are closed, for they are most of what a silent session costs; the next use opens them again.</summary>
internal sealed class StoreDatabase : IAsyncDisposable
{
    private const int KeptReaders = 2;

    private static readonly string VersionMark = string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id={StoreSchema.ApplicationId};PRAGMA user_version={StoreSchema.Steps.Length};");

    private readonly string _file;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _opening = new();
    private volatile StoreConnection? _writer;
    private readonly ConcurrentBag<StoreConnection> _readers = [];
    private volatile bool _isDisposed;
    private volatile bool _wasUsed;
    private volatile bool _isInDoubt;
    private volatile StoreFence? _fence;

    private StoreDatabase(string file, StoreConnection writer) => (_file, _writer) = (file, writer);

    /// <summary>Opens the file, makes it where there is none, and brings it to the newest version.</summary>
    /// <param name="file">The database; its directory exists.</param>
    /// <param name="whenNew">What a new database begins with, in the transaction that makes it.</param>
    /// <exception cref="StoreException">It is damaged, too new, or the disk refuses.</exception>
    public static StoreDatabase Open(string file, Action<StoreConnection> whenNew)
    {
        StoreConnection? writer = null;
        try
        {
            StoreIdentity.DemandNothingLost(file);
            MakePrivateFile(file);
            writer = new StoreConnection(file, readOnly: false);
            StoreIdentity.DemandOurs(writer, file);
            writer.Execute("PRAGMA journal_mode=WAL;");
            Upgrade(writer, whenNew);
            return new StoreDatabase(file, writer);
        }
        catch (Exception failed)
        {
            writer?.Dispose();
            if (failed is SqliteException or IOException or UnauthorizedAccessException) throw Failure(file, failed);
            throw;
        }
    }

    /// <summary>Whether a transaction that was reported as failed may still be found by the next to open the store: its commit may be in the log as a whole,
    /// and only the sync behind it has failed.</summary>
    public bool IsInDoubt => _isInDoubt;

    /// <summary>What was known of the fence when this was opened, or set here since: nothing is written once the database says otherwise. <c>null</c> for tools that
    /// work on a store which nobody serves.</summary>
    public StoreFence? Fence => _fence;

    /// <summary>From here on this is one who serves the user, as of what the database says now.</summary>
    public StoreFence Join() => _fence = Read(StoreFence.Read);

    /// <summary>Puts up another fence; it is on disk when this returns.</summary>
    /// <param name="fence">The fence.</param>
    /// <param name="isOurs">Whether this goes on behind it; else nothing is written here any more.</param>
    /// <exception cref="StoreException">A higher epoch has come, or the disk refuses.</exception>
    public async Task RaiseAsync(StoreFence fence, bool isOurs)
    {
        await _turn.WaitAsync();
        try
        {
            if (_isDisposed) throw Closed();
            Writer().InTransaction(store =>
            {
                StoreFence.Write(store, fence);
                return true;
            });
            _isInDoubt = false;
            if (isOurs) _fence = fence;
        }
        catch (SqliteException failed)
        {
            _isInDoubt = true;
            MakeVoid();
            throw Failure(_file, failed);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Reads a consistent state, beside whatever is being written.</summary>
    public T Read<T>(Func<StoreConnection, T> work)
    {
        if (_isDisposed) throw Closed();
        _wasUsed = true;
        try
        {
            // Beside a writer a reader never is the one that makes or removes the files of the log.
            _ = Writer();
            if (!_readers.TryTake(out var reader)) reader = new StoreConnection(_file, readOnly: true);
            var isWell = false;
            try
            {
                var result = work(reader);
                isWell = true;
                return result;
            }
            finally
            {
                if (isWell && !_isDisposed && _readers.Count < KeptReaders) _readers.Add(reader);
                else reader.Dispose();
            }
        }
        catch (Exception failed) when (failed is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Failure(_file, failed);
        }
    }

    /// <summary>Reads what may take long.</summary>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public T Read<T>(Func<StoreConnection, T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return Read(store => store.Interruptibly(work, cancellationToken));
        }
        catch (StoreException interrupted) when (interrupted.InnerException is SqliteException { SqliteErrorCode: raw.SQLITE_INTERRUPT })
        {
            throw new OperationCanceledException(interrupted.Message, interrupted, cancellationToken);
        }
    }

    /// <summary>Runs the work in a transaction of its own, one after another; it is on disk when this returns.</summary>
    public async Task<T> WriteAsync<T>(Func<StoreConnection, T> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_isDisposed) throw Closed();
            _wasUsed = true;
            var result = Writer().InTransaction(store =>
            {
                _fence?.Demand(store);
                return work(store);
            });
            _isInDoubt = false;
            return result;
        }
        catch (Exception failed) when (failed is SqliteException or IOException or UnauthorizedAccessException)
        {
            if (failed is SqliteException)
            {
                _isInDoubt = true;
                MakeVoid();
            }
            throw Failure(_file, failed);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Called now and then, it closes the connections if nobody used them since the last call.</summary>
    /// <returns>Whether it closed any.</returns>
    public async Task<bool> TrimAsync()
    {
        if (_wasUsed || _writer is null)
        {
            _wasUsed = false;
            return false;
        }
        await _turn.WaitAsync();
        MakeVoid();
        // Whoever opened it again would find what the sessions were told had failed.
        var mayClose = !_isInDoubt;
        if (mayClose) CloseAll();
        _turn.Release();
        return mayClose;
    }

    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync();
        if (!_isDisposed)
        {
            MakeVoid();
            _isDisposed = true;
            CloseAll();
        }
        _turn.Release();
    }

    private StoreConnection Writer()
    {
        if (_writer is { } open) return open;
        lock (_opening)
        {
            if (_isDisposed) throw Closed();
            return _writer ??= new StoreConnection(_file, readOnly: false);
        }
    }

    /// <summary>Commits something that changes nothing. In the log it takes the place of the commit that failed, so that nobody finds that any more; and what
    /// is written anew is synced anew, where a second sync of the same bytes would prove nothing (docs/decisions/0005-failed-syncs.md).</summary>
    private void MakeVoid()
    {
        if (!_isInDoubt) return;
        try
        {
            Writer().InTransaction(static store =>
            {
                store.Execute(VersionMark);
                return true;
            });
            _isInDoubt = false;
        }
        catch (SqliteException)
        {
            // The disk still refuses. The next transaction does the same when it succeeds.
        }
    }

    // Whoever still works with it is told like one whose disk fails.
    private static StoreException Closed() => new("The user's store has been closed.");

    private void CloseAll()
    {
        while (_readers.TryTake(out var reader)) reader.Dispose();
        lock (_opening)
        {
            // The last to close brings the log into the database and removes it.
            _writer?.Dispose();
            _writer = null;
        }
    }

    private static void Upgrade(StoreConnection writer, Action<StoreConnection> whenNew) => writer.InTransaction(connection =>
    {
        var version = connection.Scalar<long>("PRAGMA user_version");
        if (version > StoreSchema.Steps.Length) throw TooNew(version);
        for (var step = version; step < StoreSchema.Steps.Length; step++) connection.Execute(StoreSchema.Steps[step]);
        if (version is > 0 and < MailboxTable.ComposedSinceVersion) MailboxTable.ComposeNames(connection);
        if (version == 0) whenNew(connection);
        if (version < StoreSchema.Steps.Length) connection.Execute(VersionMark);
        return version;
    });

    /// <summary>SQLite gives the files beside it the rights of this one.</summary>
    internal static void MakePrivateFile(string file)
    {
        if (File.Exists(file)) return;
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (new FileStream(file, options))
        {
            // Made, and empty, as SQLite expects of a new database.
        }
    }

    internal static StoreException TooNew(long version) =>
        new($"The store has version {version}, this program knows {StoreSchema.Steps.Length}: run the newer program that made it.");

    /// <summary>A failure of SQLite or the disk as callers know it.</summary>
    internal static StoreException Failure(string file, Exception cause) => cause is SqliteException sqlite
        ? StoreIdentity.IsDamage(sqlite) ? StoreIdentity.Damaged(file, $"SQLite error {sqlite.SqliteExtendedErrorCode}", sqlite)
            : new StoreException($"The store \"{file}\" failed with SQLite error {sqlite.SqliteExtendedErrorCode}.", sqlite)
        : new StoreException($"The store \"{file}\" cannot be used: {cause.GetType().Name}.", cause);
}
