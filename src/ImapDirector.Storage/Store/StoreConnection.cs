using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ImapDirector.Storage.Store;

/// <summary>One SQLite connection and the statements that were prepared on it. Used by one thread at a time.</summary>
internal sealed class StoreConnection : IDisposable
{
    // Of SQLite's machine: some hundred microseconds.
    private const int StepsBetweenLooks = 10_000;

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _prepared = [];
    private SqliteTransaction? _transaction;

    /// <exception cref="SqliteException">The file cannot be opened, or is no database.</exception>
    public StoreConnection(string file, bool readOnly)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Mode = readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString());
        try
        {
            _connection.Open();
            // FULL: each commit is on disk when it returns. The cache is small because the system's own is behind it and every open user has one.
            Execute("PRAGMA synchronous=FULL; PRAGMA cache_size=-512; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA journal_size_limit=4194304;");
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>The row id of the last insert.</summary>
    public long LastInsertId => Scalar<long>("SELECT last_insert_rowid()");

    /// <summary>A prepared statement with its parameters bound, in order, to <c>?1</c>, <c>?2</c>…</summary>
    public SqliteCommand Statement(string sql, params ReadOnlySpan<object?> values)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < values.Length; i++) command.Parameters.Add(new SqliteParameter($"?{i + 1}", null));
            _prepared.Add(sql, command);
        }
        command.Transaction = _transaction;
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i] ?? DBNull.Value;
        return command;
    }

    /// <summary>Runs a statement.</summary>
    /// <returns>The number of rows it changed.</returns>
    public int Run(string sql, params ReadOnlySpan<object?> values) => Statement(sql, values).ExecuteNonQuery();

    /// <summary>Reads one value; <c>default</c> where there is no row, or NULL in it.</summary>
    public T? Scalar<T>(string sql, params ReadOnlySpan<object?> values) => Statement(sql, values).ExecuteScalar() is T value ? value : default;

    /// <summary>Reads all rows.</summary>
    public List<T> All<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        using var reader = Statement(sql, values).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    /// <summary>Hands over one row after another; for tables that are too large to be held.</summary>
    public void Each(string sql, Action<SqliteDataReader> take, params ReadOnlySpan<object?> values)
    {
        using var reader = Statement(sql, values).ExecuteReader();
        while (reader.Read()) take(reader);
    }

    /// <summary>Hands over one row after another as SQLite has it; for those of whole mailboxes.</summary>
    public void EachRow(string sql, TakeRow take, params ReadOnlySpan<object?> values)
    {
        using var reader = Statement(sql, values).ExecuteReader();
        while (reader.Read()) take(new StoredRow(reader.Handle!));
    }

    /// <summary>Reads the first row.</summary>
    public T? First<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values) where T : class
    {
        using var reader = Statement(sql, values).ExecuteReader();
        return reader.Read() ? read(reader) : null;
    }

    /// <summary>Runs the work; when the token fires, what SQLite is at fails with SQLITE_INTERRUPT.</summary>
    public T Interruptibly<T>(Func<StoreConnection, T> work, CancellationToken cancellationToken)
    {
        var handle = _connection.Handle!;
        raw.sqlite3_progress_handler(handle, StepsBetweenLooks, static token => ((CancellationToken)token).IsCancellationRequested ? 1 : 0, cancellationToken);
        try
        {
            return work(this);
        }
        finally
        {
            raw.sqlite3_progress_handler(handle, 0, null, null);
        }
    }

    /// <summary>Runs statements that are used once.</summary>
    public void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = _transaction;
        command.ExecuteNonQuery();
    }

    /// <summary>Runs the work in a transaction; it is on disk when this returns, or not there at all.</summary>
    public T InTransaction<T>(Func<StoreConnection, T> work)
    {
        using var transaction = _connection.BeginTransaction(deferred: false);
        _transaction = transaction;
        try
        {
            var result = work(this);
            transaction.Commit();
            return result;
        }
        finally
        {
            _transaction = null;
        }
    }

    public void Dispose()
    {
        foreach (var command in _prepared.Values) command.Dispose();
        _connection.Dispose();
    }
}
