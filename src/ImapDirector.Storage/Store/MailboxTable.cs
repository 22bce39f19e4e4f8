using System.Globalization;
using ImapDirector.Protocol.Imap;
using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store;

/// <summary>The mailboxes of a user, their counters and the subscriptions.</summary>
internal static class MailboxTable
{
    /// <summary>The version of the schema since which names are in normalisation form C.</summary>
    public const int ComposedSinceVersion = 4;

    /// <summary>Mailboxes of a user, those that only hold others included, beyond which clients make none. A store that came with more keeps them.</summary>
    public const int MaxMailboxes = 10_000;

    /// <summary>Subscriptions of a user, beyond which clients make none: they outlive their mailboxes (RFC 3501 section 6.3.9).</summary>
    public const int MaxSubscriptions = 10_000;

    private const string Columns = """
        SELECT id, name, uid_validity, uid_next, highest_modseq, special_use, selectable,
          EXISTS (SELECT 1 FROM subscriptions WHERE subscriptions.name = mailboxes.name), messages, unseen, deleted, size_bytes
        FROM mailboxes
        """;

    /// <summary>What every user begins with (RFC 6154 uses), subscribed.</summary>
    public static void AddFirst(StoreConnection store)
    {
        foreach (var (name, use) in new[] { ("INBOX", null), ("Drafts", @"\Drafts"), ("Sent", @"\Sent"), ("Junk", @"\Junk"), ("Trash", @"\Trash"), ("Archive", @"\Archive") })
        {
            Add(store, name, isSelectable: true, use);
            SetSubscribed(store, name, subscribed: true);
        }
    }

    public static List<MailboxRecord> All(StoreConnection store) => store.All(Columns + " ORDER BY name", Read);

    public static MailboxRecord? Find(StoreConnection store, MailboxName name) => store.First(Columns + " WHERE name = ?1", Read, name.Value);

    public static MailboxRecord? Find(StoreConnection store, long id) => store.First(Columns + " WHERE id = ?1", Read, id);

    /// <summary>Whether a mailbox has a special use.</summary>
    public static bool HasUse(StoreConnection store, string specialUse) => store.Scalar<long>("SELECT count(*) FROM mailboxes WHERE special_use = ?1", specialUse) > 0;

    /// <summary>The mailboxes that can be selected and whose names are this one, whatever the case of letters.</summary>
    public static List<MailboxName> Similar(StoreConnection store, string name)
    {
        var found = store.All("SELECT name FROM mailboxes WHERE selectable AND length(name) = length(?1)", static row => new MailboxName(row.GetString(0)), name);
        found.RemoveAll(other => !other.Value.Equals(name, StringComparison.OrdinalIgnoreCase));
        return found;
    }

    /// <summary>Whether a client may have a mailbox of this name, with all that is missing above it.</summary>
    /// <param name="store">The user's store.</param>
    /// <param name="name">The name.</param>
    /// <param name="isRenamed">Whether the mailbox is there already, under another name.</param>
    public static bool HasRoomFor(StoreConnection store, MailboxName name, bool isRenamed = false)
    {
        var missing = ParentsOf(name).Count(parent => Find(store, parent) is null) + (isRenamed || Find(store, name) is not null ? 0 : 1);
        return missing == 0 || store.Scalar<long>("SELECT count(*) FROM mailboxes") + missing <= MaxMailboxes;
    }

    /// <summary>Makes a mailbox, and its missing parents as plain mailboxes.</summary>
    public static StoreResult Create(StoreConnection store, MailboxName name, string? specialUse)
    {
        if (Find(store, name) is { } existing)
        {
            if (existing.Selectable) return StoreResult.AlreadyExists;
            // What stood here only held its children up; the mailbox that takes its place is another one.
            Remove(store, existing.Id);
        }
        AddParents(store, name);
        AddChild(store, name.Value, specialUse);
        return StoreResult.Done;
    }

    public static StoreResult Delete(StoreConnection store, MailboxName name)
    {
        if (name.IsInbox) return StoreResult.NotAllowed;
        if (Find(store, name) is not { } mailbox) return StoreResult.NotFound;
        var hasChildren = ChildrenOf(store, name).Count > 0;
        if (hasChildren && !mailbox.Selectable) return StoreResult.NotAllowed;
        MessageTable.RemoveAll(store, mailbox.Id);
        ExpungeTable.RemoveAll(store, mailbox.Id);
        Remove(store, mailbox.Id);
        // Under another id, so that whoever has the old one open never meets it again.
        if (hasChildren) Add(store, name.Value, isSelectable: false, specialUse: null);
        return StoreResult.Done;
    }

    public static StoreResult Rename(StoreConnection store, MailboxName from, MailboxName to)
    {
        if (Find(store, from) is not { } mailbox) return StoreResult.NotFound;
        if (to.IsInbox || Find(store, to) is not null) return StoreResult.AlreadyExists;
        if (!from.IsInbox && IsUnder(to.Value, from.Value)) return StoreResult.NotAllowed;
        if (!HasRoomFor(store, to, isRenamed: !from.IsInbox)) return StoreResult.TooMany;
        if (from.IsInbox) return RenameInbox(store, mailbox, to);
        var children = ChildrenOf(store, from);
        var renamed = new List<(long Id, MailboxName Name)>(children.Count);
        foreach (var (id, name) in children)
        {
            // The children's names grow with their parent's, and may grow over the limits (limits N9).
            if (!MailboxName.TryCreate(string.Concat(to.Value, name.AsSpan(from.Value.Length)), out var longer)) return StoreResult.NotAllowed;
            if (Find(store, longer) is not null) return StoreResult.AlreadyExists;
            renamed.Add((id, longer));
        }
        AddParents(store, to);
        SetName(store, mailbox.Id, to);
        foreach (var (id, name) in renamed) SetName(store, id, name);
        return StoreResult.Done;
    }

    public static void SetSubscribed(StoreConnection store, string name, bool subscribed) =>
        store.Run(subscribed ? "INSERT OR IGNORE INTO subscriptions VALUES (?1)" : "DELETE FROM subscriptions WHERE name = ?1", name);

    /// <summary>Whether a client may subscribe to a name.</summary>
    public static bool MaySubscribe(StoreConnection store, string name) => store.Scalar<long>(
        "SELECT count(*) < ?2 OR EXISTS (SELECT 1 FROM subscriptions WHERE name = ?1) FROM subscriptions", name, MaxSubscriptions) != 0;

    public static List<MailboxName> Subscriptions(StoreConnection store) =>
        store.All("SELECT name FROM subscriptions ORDER BY name", static row => new MailboxName(row.GetString(0)));

    /// <returns><c>null</c> when there is no such mailbox.</returns>
    public static uint? FirstRecentUid(StoreConnection store, long id) =>
        (uint?)store.Scalar<long?>("SELECT first_recent_uid FROM mailboxes WHERE id = ?1", id);

    /// <summary>Counts the messages that no read-write session has been told of, one by one: only for whoever asks.</summary>
    public static uint CountRecent(StoreConnection store, long id) => (uint)store.Scalar<long>(
        "SELECT count(*) FROM messages WHERE mailbox_id = ?1 AND uid >= (SELECT first_recent_uid FROM mailboxes WHERE id = ?1)", id);

    public static void ClaimRecent(StoreConnection store, long id) => store.Run("UPDATE mailboxes SET first_recent_uid = uid_next WHERE id = ?1", id);

    /// <summary>Takes the next UIDs of a mailbox.</summary>
    /// <returns>The first of them.</returns>
    /// <exception cref="StoreException">All four thousand million are used up.</exception>
    public static uint TakeUids(StoreConnection store, long id, int count)
    {
        var next = store.Scalar<long>("SELECT uid_next FROM mailboxes WHERE id = ?1", id);
        if (next + count > uint.MaxValue) throw new StoreException("The mailbox has no UID left.");
        store.Run("UPDATE mailboxes SET uid_next = uid_next + ?2 WHERE id = ?1", id, count);
        return (uint)next;
    }

    /// <summary>What <see cref="TakeModSeq"/> would give.</summary>
    public static ulong NextModSeq(StoreConnection store, long id) => (ulong)store.Scalar<long>("SELECT highest_modseq + 1 FROM mailboxes WHERE id = ?1", id);

    /// <summary>Takes the next mod-sequence of a mailbox; what one transaction changes in it shares one.</summary>
    public static ulong TakeModSeq(StoreConnection store, long id) =>
        (ulong)store.Scalar<long>("UPDATE mailboxes SET highest_modseq = highest_modseq + 1 WHERE id = ?1 RETURNING highest_modseq", id);

    /// <summary>Adds to the counters that STATUS and LIST tell.</summary>
    public static void Count(StoreConnection store, long id, MailboxCounters change)
    {
        if (change == default) return;
        store.Run("UPDATE mailboxes SET messages = messages + ?2, unseen = unseen + ?3, deleted = deleted + ?4, size_bytes = size_bytes + ?5 WHERE id = ?1",
            id, change.Messages, change.Unseen, change.Deleted, change.Bytes);
    }

    /// <summary>A UIDVALIDITY that no mailbox of this user had before.</summary>
    /// <remarks>It is the time, so that a store that is made anew for the same user begins above the old one's.</remarks>
    public static long TakeUidValidity(StoreConnection store) => store.Scalar<long>(
        "UPDATE counters SET value = max(value + 1, ?1) WHERE name = 'uid_validity' RETURNING value", DateTimeOffset.UtcNow.ToUnixTimeSeconds());

    /// <summary>The messages go to a new mailbox and keep their UIDs; INBOX stays, empty (RFC 3501 section 6.3.5). Its children stay its own.</summary>
    private static StoreResult RenameInbox(StoreConnection store, MailboxRecord inbox, MailboxName to)
    {
        AddParents(store, to);
        AddChild(store, to.Value, specialUse: null);
        var target = Find(store, to)!.Id;
        store.Run("UPDATE messages SET mailbox_id = ?2 WHERE mailbox_id = ?1", inbox.Id, target);
        store.Run("UPDATE flag_changes SET mailbox_id = ?2 WHERE mailbox_id = ?1", inbox.Id, target);
        store.Run("""
            UPDATE mailboxes SET (uid_next, highest_modseq, expunges_forgotten, first_recent_uid, messages, unseen, deleted, size_bytes) =
              (SELECT uid_next, highest_modseq, highest_modseq, first_recent_uid, messages, unseen, deleted, size_bytes FROM mailboxes WHERE id = ?1)
            WHERE id = ?2
            """, inbox.Id, target);
        store.Run("""
            UPDATE mailboxes SET messages = 0, unseen = 0, deleted = 0, size_bytes = 0, first_recent_uid = uid_next,
              highest_modseq = highest_modseq + 1, expunges_forgotten = highest_modseq + 1, expunge_rows = 0
            WHERE id = ?1
            """, inbox.Id);
        ExpungeTable.RemoveAll(store, inbox.Id);
        return StoreResult.Done;
    }

    /// <summary>Spells names as today's are, which came as clients wrote them. Where two become one the later of them gets a number.</summary>
    public static void ComposeNames(StoreConnection store)
    {
        foreach (var (id, name) in store.All("SELECT id, name FROM mailboxes ORDER BY id", static row => (row.GetInt64(0), row.GetString(1))))
        {
            if (!MailboxName.TryCreate(name, out var composed) || composed.Value == name) continue;
            for (var (first, number) = (composed, 2); Find(store, composed) is not null; number++) composed = new MailboxName(string.Create(CultureInfo.InvariantCulture, $"{first} {number}"));
            SetName(store, id, composed);
        }
        foreach (var name in Subscriptions(store))
        {
            if (!MailboxName.TryCreate(name.Value, out var composed) || composed == name) continue;
            SetSubscribed(store, name.Value, subscribed: false);
            SetSubscribed(store, composed.Value, subscribed: true);
        }
    }

    private static void AddParents(StoreConnection store, MailboxName name)
    {
        foreach (var parent in ParentsOf(name))
            if (Find(store, parent) is null) AddChild(store, parent.Value, specialUse: null);
    }

    /// <summary>From the outermost.</summary>
    private static IEnumerable<MailboxName> ParentsOf(MailboxName name)
    {
        for (var end = name.Value.IndexOf(MailboxName.Delimiter); end >= 0; end = name.Value.IndexOf(MailboxName.Delimiter, end + 1))
            yield return new MailboxName(name.Value[..end]);
    }

    /// <summary>Adds a mailbox with the access list of its parent, which is there.</summary>
    private static void AddChild(StoreConnection store, string name, string? specialUse)
    {
        Add(store, name, isSelectable: true, specialUse);
        if (name.LastIndexOf(MailboxName.Delimiter) is > 0 and var end) AccessTable.Inherit(store, name[..end], name);
    }

    private static void Add(StoreConnection store, string name, bool isSelectable, string? specialUse)
    {
        store.Run("INSERT INTO mailboxes (name, selectable, special_use, uid_validity) VALUES (?1, ?2, ?3, ?4)", name, isSelectable, specialUse, TakeUidValidity(store));
    }

    private static void Remove(StoreConnection store, long id)
    {
        MetadataTable.RemoveAll(store, id);
        AccessTable.RemoveAll(store, id);
        store.Run("DELETE FROM mailboxes WHERE id = ?1", id);
    }

    private static void SetName(StoreConnection store, long id, MailboxName name) => store.Run("UPDATE mailboxes SET name = ?2 WHERE id = ?1", id, name.Value);

    // '0' is the character behind the delimiter: between the two lies every name that begins with the parent's and a delimiter.
    private static List<(long Id, string Name)> ChildrenOf(StoreConnection store, MailboxName name) =>
        store.All("SELECT id, name FROM mailboxes WHERE name > ?1 AND name < ?2", static row => (row.GetInt64(0), row.GetString(1)),
            name.Value + "/", name.Value + "0");

    private static bool IsUnder(string name, string parent) =>
        name.Length > parent.Length && name[parent.Length] == MailboxName.Delimiter && name.StartsWith(parent, StringComparison.Ordinal);

    private static MailboxRecord Read(SqliteDataReader row) => new(row.GetInt64(0), new MailboxName(row.GetString(1)), (uint)row.GetInt64(2),
        (uint)row.GetInt64(3), (ulong)row.GetInt64(4), row.IsDBNull(5) ? null : row.GetString(5), row.GetBoolean(6), row.GetBoolean(7),
        (uint)row.GetInt64(8), (uint)row.GetInt64(9), (uint)row.GetInt64(10), (ulong)row.GetInt64(11));
}
