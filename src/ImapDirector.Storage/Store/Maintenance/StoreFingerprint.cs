using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>What a user's store says, as one digest: two stores that clients could tell apart in any way have different ones. Where a content lies, what is
/// computed of it and which epoch the store has seen are left out.</summary>
internal readonly record struct StoreFingerprint(string Digest, long Messages, long Bytes)
{
    // Each in the order of its key, so that how the rows lie on disk does not matter.
    private static readonly string[] Parts =
    [
        "SELECT name, value FROM counters WHERE name = 'uid_validity'",
        "SELECT * FROM mailboxes ORDER BY id",
        "SELECT name FROM subscriptions ORDER BY name",
        "SELECT mailbox_id, uid, modseq, flags, keywords, date_seconds, date_offset, saved_seconds, size_bytes, content_id FROM messages ORDER BY mailbox_id, uid",
        "SELECT * FROM flag_changes ORDER BY mailbox_id, modseq, first_uid",
        "SELECT * FROM expunges ORDER BY mailbox_id, modseq, first_uid",
        "SELECT * FROM metadata ORDER BY mailbox_id, name",
        "SELECT * FROM access ORDER BY mailbox_id, identifier",
        "SELECT * FROM deliveries ORDER BY message_id, mailbox_id",
        "SELECT id, file, digest FROM contents LEFT JOIN summaries ON content_id = id ORDER BY id",
    ];

    private const string Undigested = "SELECT id FROM contents LEFT JOIN summaries ON content_id = id WHERE digest IS NULL ORDER BY id";

    /// <summary>Reads a user's directory.</summary>
    /// <exception cref="StoreException">It cannot be read, or is not of this program's version.</exception>
    /// <exception cref="IOException">A content cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The token fired, whatever SQLite was at.</exception>
    public static StoreFingerprint Of(string directory, CancellationToken cancellationToken)
    {
        using var snapshot = StoreSnapshot.Open(directory);
        if (snapshot.Version != StoreSchema.Steps.Length) throw new StoreException($"The store has version {snapshot.Version}, which no node has brought up to {StoreSchema.Steps.Length} yet.");
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var row = new ArrayBufferWriter<byte>(1024);
        foreach (var part in Parts)
        {
            digest.AppendData(Encoding.UTF8.GetBytes(part));
            snapshot.Read(store =>
            {
                store.Each(part, reader =>
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    row.ResetWrittenCount();
                    Write(reader, row);
                    digest.AppendData(row.WrittenSpan);
                });
                return true;
            }, cancellationToken);
        }
        // Contents that came before there were digests (docs/decisions/0006-content-digests.md) are read.
        foreach (var id in snapshot.Read(static store => store.All(Undigested, static reader => reader.GetInt64(0)), cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var content = snapshot.OpenContent(id);
            digest.AppendData(content is null ? "lost"u8.ToArray() : SHA256.HashData(content));
        }
        var usage = snapshot.Read(QuotaUsage.Of, cancellationToken);
        return new StoreFingerprint(Convert.ToHexStringLower(digest.GetHashAndReset()), usage.Messages, usage.Bytes);
    }

    // A kind and a length before each value, so that no two rows are written alike.
    private static void Write(SqliteDataReader reader, ArrayBufferWriter<byte> row)
    {
        for (var column = 0; column < reader.FieldCount; column++)
        {
            switch (reader.GetValue(column))
            {
                case long number:
                    Begin(row, (byte)'i', sizeof(long));
                    BinaryPrimitives.WriteInt64BigEndian(row.GetSpan(sizeof(long)), number);
                    row.Advance(sizeof(long));
                    break;
                case string text:
                    var length = Encoding.UTF8.GetByteCount(text);
                    Begin(row, (byte)'t', length);
                    row.Advance(Encoding.UTF8.GetBytes(text, row.GetSpan(length)));
                    break;
                case byte[] bytes:
                    Begin(row, (byte)'b', bytes.Length);
                    row.Write(bytes);
                    break;
                case DBNull:
                    Begin(row, (byte)'n', 0);
                    break;
                default:
                    throw new InvalidCastException("A store has no such column.");
            }
        }
    }

    private static void Begin(ArrayBufferWriter<byte> row, byte kind, int length)
    {
        var span = row.GetSpan(1 + sizeof(int));
        span[0] = kind;
        BinaryPrimitives.WriteInt32BigEndian(span[1..], length);
        row.Advance(1 + sizeof(int));
    }
}
