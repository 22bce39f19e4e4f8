using System.Text;
using SQLitePCL;

namespace ImapDirector.Storage.Store;

/// <summary>A row that is being read, column by column, straight from SQLite: for tables of which all rows are read, where what the provider does for each
/// value is most of the time. Valid until the next row.</summary>
internal readonly ref struct StoredRow(sqlite3_stmt statement)
{
    public long Integer(int column) => raw.sqlite3_column_int64(statement, column);

    public bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    /// <summary>The bytes of a blob or a text in UTF-8.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(statement, column);

    public string Text(int column) => Bytes(column) is { Length: > 0 } bytes ? Encoding.UTF8.GetString(bytes) : "";
}

/// <summary>Takes a row.</summary>
internal delegate void TakeRow(StoredRow row);
