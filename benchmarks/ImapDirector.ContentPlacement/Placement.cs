using ImapDirector.Network;
using Microsoft.Data.Sqlite;

namespace ImapDirector.ContentPlacement;

/// <summary>A user's database as the node has it (WAL, synchronous=FULL), reduced to what holds bodies.</summary>
internal abstract class Placement : IDisposable
{
    protected Placement(string directory)
    {
        Database = new SqliteConnection($"Data Source={Path.Combine(directory, "mail.db")};Pooling=False");
        Database.Open();
        Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-512; CREATE TABLE contents (id INTEGER PRIMARY KEY, file TEXT, body BLOB);");
    }

    protected SqliteConnection Database { get; }

    public abstract long Append(byte[] body);

    public abstract int Read(long id);

    public void Dispose() => Database.Dispose();

    protected long Insert(string? file, byte[]? body)
    {
        using var insert = Database.CreateCommand();
        insert.CommandText = "INSERT INTO contents (file, body) VALUES ($file, $body) RETURNING id";
        insert.Parameters.AddWithValue("$file", (object?)file ?? DBNull.Value);
        insert.Parameters.AddWithValue("$body", (object?)body ?? DBNull.Value);
        return (long)insert.ExecuteScalar()!;
    }

    protected T Select<T>(string sql, long id)
    {
        using var select = Database.CreateCommand();
#pragma warning disable CA2100 // The statements are the two below.
        select.CommandText = sql;
#pragma warning restore CA2100
        select.Parameters.AddWithValue("$id", id);
        return (T)select.ExecuteScalar()!;
    }

    private void Run(string sql)
    {
        using var command = Database.CreateCommand();
#pragma warning disable CA2100 // The statement is the one above.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}

/// <summary>The body is in the row.</summary>
internal sealed class RowPlacement(string directory) : Placement(directory)
{
    public override long Append(byte[] body) => Insert(null, body);

    public override int Read(long id) => Select<byte[]>("SELECT body FROM contents WHERE id = $id", id).Length;
}

/// <summary>The body is in a file, which is on disk with its name before the row is.</summary>
internal sealed class FilePlacement(string directory) : Placement(directory)
{
    private readonly string _directory = Directory.CreateDirectory(Path.Combine(directory, "contents")).FullName;

    public override long Append(byte[] body)
    {
        var name = Guid.NewGuid().ToString("N");
        using (var file = new FileStream(Path.Combine(_directory, name), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 }))
        {
            file.Write(body);
            file.Flush(flushToDisk: true);
        }
        DirectorySync.Flush(_directory);
        return Insert(name, null);
    }

    public override int Read(long id) => File.ReadAllBytes(Path.Combine(_directory, Select<string>("SELECT file FROM contents WHERE id = $id", id))).Length;
}
