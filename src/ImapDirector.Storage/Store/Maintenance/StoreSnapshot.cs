using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>A user's store as it is at one moment, read beside whatever a node writes meanwhile. It reads only what a store of any version has, so that
/// one that no node has opened since an upgrade can be looked at too.</summary>
internal sealed class StoreSnapshot : IDisposable
{
    public const string DatabaseName = "mail.db";
    public const string ContentsName = "contents";

    private readonly string _file;
    private readonly StoreConnection _store;

    private StoreSnapshot(string directory, StoreConnection store, int version)
    {
        _file = Path.Combine(directory, DatabaseName);
        _store = store;
        Version = version;
        Files = new ContentFiles(Path.Combine(directory, ContentsName));
    }

    /// <summary>The version of its schema; 0 for one that was made and never written.</summary>
    public int Version { get; }

    public ContentFiles Files { get; }

    /// <summary>Opens the store of a user's directory, which must exist.</summary>
    /// <exception cref="StoreException">It cannot be read, or is of a newer program.</exception>
    public static StoreSnapshot Open(string directory)
    {
        var file = Path.Combine(directory, DatabaseName);
        StoreConnection? store = null;
        try
        {
            store = new StoreConnection(file, readOnly: true);
            store.Execute("BEGIN");
            // The first read is what fixes the moment.
            var version = store.Scalar<long>("PRAGMA user_version");
            if (version > StoreSchema.Steps.Length) throw StoreDatabase.TooNew(version);
            return new StoreSnapshot(directory, store, (int)version);
        }
        catch (Exception failed)
        {
            store?.Dispose();
            if (failed is SqliteException or IOException or UnauthorizedAccessException) throw StoreDatabase.Failure(file, failed);
            throw;
        }
    }

    /// <summary>Reads.</summary>
    /// <exception cref="StoreException">The database cannot be read there.</exception>
    public T Read<T>(Func<StoreConnection, T> work)
    {
        try
        {
            return work(_store);
        }
        catch (Exception failed) when (failed is SqliteException or ArgumentException or InvalidCastException or InvalidOperationException or FormatException or OverflowException)
        {
            // What is no SqliteException is a value that cannot be, such as a date, or NULL where there has to be a number.
            throw StoreDatabase.Failure(_file, failed);
        }
    }

    /// <summary>Reads what may take long, or for ever where the database is a stranger's.</summary>
    /// <exception cref="StoreException">The database cannot be read there.</exception>
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

    /// <summary>The mailboxes in the order of their names.</summary>
    public List<SnapshotMailbox> Mailboxes() => Read(static store => store.All("""
        SELECT id, name, selectable, uid_validity, uid_next, EXISTS (SELECT 1 FROM subscriptions WHERE subscriptions.name = mailboxes.name)
        FROM mailboxes ORDER BY name
        """, static row => new SnapshotMailbox(row.GetInt64(0), new MailboxName(row.GetString(1)), row.GetBoolean(2), row.GetInt64(3), row.GetInt64(4), row.GetBoolean(5))));

    /// <summary>The messages of a mailbox in the order of their UIDs.</summary>
    /// <param name="mailboxId">The mailbox.</param>
    /// <param name="isWhole">Whether these are all. Where the database is damaged, they are those before and those behind the damage.</param>
    public List<MessageRecord> Messages(long mailboxId, out bool isWhole)
    {
        const string columns = "SELECT uid, modseq, flags, keywords, date_seconds, date_offset, size_bytes, content_id FROM messages WHERE mailbox_id = ?1 ORDER BY uid";
        var messages = new List<MessageRecord>();
        isWhole = TryTake(columns, mailboxId, messages.Add);
        if (isWhole) return WithFlagChanges(mailboxId, messages, ref isWhole);
        var behind = new List<MessageRecord>();
        var last = messages.Count == 0 ? 0 : messages[^1].Uid;
        TryTake(columns + " DESC", mailboxId, message =>
        {
            if (message.Uid > last) behind.Add(message);
        });
        behind.Reverse();
        return WithFlagChanges(mailboxId, [.. messages, .. behind], ref isWhole);
    }

    /// <summary>Opens a message's bytes; seekable.</summary>
    /// <returns><c>null</c> when they are lost.</returns>
    public Stream? OpenContent(long contentId)
    {
        if (Read(store => ContentTable.Find(store, contentId)) is not { } content) return null;
        if (content.File is null) return new MemoryStream(content.Body ?? [], writable: false);
        if (!ContentFiles.IsName(content.File)) return null;
        try
        {
            return Files.OpenRead(content.File);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Of the given contents, those that the store still has; asked of a snapshot taken later than the one that knew them.</summary>
    public HashSet<long> Present(IEnumerable<long> contentIds) => Read(store =>
        contentIds.Where(id => store.Scalar<long?>("SELECT 1 FROM contents WHERE id = ?1", id) is not null).ToHashSet());

    public void Dispose() => _store.Dispose();

    private List<MessageRecord> WithFlagChanges(long mailboxId, List<MessageRecord> messages, ref bool isWhole)
    {
        if (Version < FlagChangeTable.SinceVersion) return messages;
        try
        {
            var changes = Read(store => FlagChangeTable.Of(store, mailboxId));
            return messages.ConvertAll(message => FlagChangeTable.Apply(changes, message));
        }
        catch (StoreException)
        {
            isWhole = false;
            return messages;
        }
    }

    private bool TryTake(string sql, long mailboxId, Action<MessageRecord> take)
    {
        try
        {
            return Read(store =>
            {
                store.Each(sql, row => take(ReadMessage(row)), mailboxId);
                return true;
            });
        }
        catch (StoreException)
        {
            return false;
        }
    }

    private static MessageRecord ReadMessage(SqliteDataReader row) => new((uint)row.GetInt64(0), (ulong)row.GetInt64(1), (SystemFlags)row.GetInt64(2),
        row.GetString(3) is { Length: > 0 } keywords ? [.. keywords.Split(' ')] : [],
        DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(4)).ToOffset(TimeSpan.FromMinutes(row.GetInt64(5))), (uint)row.GetInt64(6), row.GetInt64(7))
    {
        // Not in a store of every version, and of no use outside of it.
        SavedSeconds = row.GetInt64(4),
    };
}

/// <summary>A mailbox as a snapshot has it. Its numbers are as they are written, whatever they are.</summary>
internal sealed record SnapshotMailbox(long Id, MailboxName Name, bool IsSelectable, long UidValidity, long UidNext, bool IsSubscribed);
