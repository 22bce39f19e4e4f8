namespace ImapDirector.Storage.Store;

/// <summary>The tables of a user's database. <c>user_version</c> tells which version a file has; a later version adds its step to <see cref="Steps"/>.</summary>
internal static class StoreSchema
{
    /// <summary>What SQLite calls the application id: "ImpD". A store of an older program has 0.</summary>
    public const int ApplicationId = 0x496D7044;

    /// <summary>Step <c>n</c> leads from version <c>n</c> to version <c>n + 1</c>.</summary>
    public static readonly string[] Steps = [First, Second, Third, Fourth];

    // uid_validity is drawn from one counter for all names, so that no name ever has the same one twice.
    // Numbers of messages are kept by the triggers: STATUS and LIST never count rows, but for \Recent, which counts those above first_recent_uid.
    // Keywords are atoms, so a space divides them. contents and summaries are two tables so that reading a summary never drags a body's pages along.
    private const string First = """
        CREATE TABLE counters (
          name  TEXT PRIMARY KEY,
          value INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO counters VALUES ('uid_validity', 0);

        CREATE TABLE mailboxes (
          id               INTEGER PRIMARY KEY AUTOINCREMENT,
          name             TEXT NOT NULL UNIQUE,
          selectable       INTEGER NOT NULL,
          special_use      TEXT,
          uid_validity     INTEGER NOT NULL,
          uid_next         INTEGER NOT NULL DEFAULT 1,
          highest_modseq   INTEGER NOT NULL DEFAULT 1,
          first_recent_uid INTEGER NOT NULL DEFAULT 1,
          messages         INTEGER NOT NULL DEFAULT 0,
          unseen           INTEGER NOT NULL DEFAULT 0,
          deleted          INTEGER NOT NULL DEFAULT 0,
          size_bytes       INTEGER NOT NULL DEFAULT 0
        ) STRICT;

        CREATE TABLE subscriptions (
          name TEXT PRIMARY KEY
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE contents (
          id         INTEGER PRIMARY KEY AUTOINCREMENT,
          references_count INTEGER NOT NULL DEFAULT 0,
          file       TEXT,
          body       BLOB
        ) STRICT;
        CREATE INDEX unreferenced_contents ON contents (id) WHERE references_count = 0;

        CREATE TABLE summaries (
          content_id INTEGER PRIMARY KEY,
          summary    BLOB NOT NULL
        ) STRICT;

        CREATE TABLE messages (
          mailbox_id    INTEGER NOT NULL,
          uid           INTEGER NOT NULL,
          modseq        INTEGER NOT NULL,
          flags         INTEGER NOT NULL,
          keywords      TEXT NOT NULL,
          date_seconds  INTEGER NOT NULL,
          date_offset   INTEGER NOT NULL,
          size_bytes    INTEGER NOT NULL,
          content_id    INTEGER NOT NULL,
          PRIMARY KEY (mailbox_id, uid)
        ) STRICT, WITHOUT ROWID;

        CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
          UPDATE mailboxes SET messages = messages + 1, unseen = unseen + (new.flags & 1 = 0), deleted = deleted + (new.flags & 8 <> 0),
            size_bytes = size_bytes + new.size_bytes WHERE id = new.mailbox_id;
          UPDATE contents SET references_count = references_count + 1 WHERE id = new.content_id;
        END;
        CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
          UPDATE mailboxes SET messages = messages - 1, unseen = unseen - (old.flags & 1 = 0), deleted = deleted - (old.flags & 8 <> 0),
            size_bytes = size_bytes - old.size_bytes WHERE id = old.mailbox_id;
          UPDATE contents SET references_count = references_count - 1 WHERE id = old.content_id;
        END;
        CREATE TRIGGER message_changed AFTER UPDATE OF flags ON messages WHEN old.flags <> new.flags BEGIN
          UPDATE mailboxes SET unseen = unseen + (new.flags & 1 = 0) - (old.flags & 1 = 0),
            deleted = deleted + (new.flags & 8 <> 0) - (old.flags & 8 <> 0) WHERE id = new.mailbox_id;
        END;
        """;

    // sort_keys: what SORT and THREAD compare, without case, so that neither reads a message. Message ids are hashes of 16 bytes.
    // content_references: apart from the contents, so that counting does not touch bodies.
    // texts: which three letters stand beside each other in which content, in capitals; it keeps no text. It only narrows searches down, so a content may be missing.
    // deliveries: what was delivered lately, where duplicates are to be dropped.
    // metadata: annotations (RFC 5464); those of mailbox 0 are the account's.
    // What was expunged, for clients that come back (RFC 7162). Kept up to a number of rows; expunges_forgotten is the mod-sequence up to which they are gone.
    private const string Second = """
        ALTER TABLE mailboxes ADD COLUMN expunge_rows INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE mailboxes ADD COLUMN expunges_forgotten INTEGER NOT NULL DEFAULT 0;
        UPDATE mailboxes SET expunges_forgotten = highest_modseq;

        CREATE TABLE expunges (
          mailbox_id INTEGER NOT NULL,
          modseq     INTEGER NOT NULL,
          first_uid  INTEGER NOT NULL,
          last_uid   INTEGER NOT NULL,
          PRIMARY KEY (mailbox_id, modseq, first_uid)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE content_references (
          content_id INTEGER PRIMARY KEY,
          messages   INTEGER NOT NULL
        ) STRICT;
        INSERT INTO content_references SELECT id, references_count FROM contents;
        CREATE INDEX unreferenced_content ON content_references (content_id) WHERE messages = 0;
        DROP TRIGGER message_added;
        DROP TRIGGER message_removed;
        DROP TRIGGER message_changed;
        DROP INDEX unreferenced_contents;
        ALTER TABLE contents DROP COLUMN references_count;
        CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
          UPDATE mailboxes SET messages = messages + 1, unseen = unseen + (new.flags & 1 = 0), deleted = deleted + (new.flags & 8 <> 0),
            size_bytes = size_bytes + new.size_bytes WHERE id = new.mailbox_id;
          UPDATE content_references SET messages = messages + 1 WHERE content_id = new.content_id;
        END;
        CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
          UPDATE mailboxes SET messages = messages - 1, unseen = unseen - (old.flags & 1 = 0), deleted = deleted - (old.flags & 8 <> 0),
            size_bytes = size_bytes - old.size_bytes WHERE id = old.mailbox_id;
          UPDATE content_references SET messages = messages - 1 WHERE content_id = old.content_id;
        END;
        CREATE TRIGGER message_changed AFTER UPDATE OF flags ON messages WHEN old.flags & 9 <> new.flags & 9 BEGIN
          UPDATE mailboxes SET unseen = unseen + (new.flags & 1 = 0) - (old.flags & 1 = 0),
            deleted = deleted + (new.flags & 8 <> 0) - (old.flags & 8 <> 0) WHERE id = new.mailbox_id;
        END;

        ALTER TABLE messages ADD COLUMN saved_seconds INTEGER NOT NULL DEFAULT 0;
        UPDATE messages SET saved_seconds = date_seconds;

        CREATE TABLE deliveries (
          message_id BLOB NOT NULL,
          mailbox_id INTEGER NOT NULL,
          seconds    INTEGER NOT NULL,
          PRIMARY KEY (message_id, mailbox_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX deliveries_by_time ON deliveries (seconds);

        CREATE TABLE metadata (
          mailbox_id INTEGER NOT NULL,
          name       TEXT NOT NULL,
          value      BLOB NOT NULL,
          PRIMARY KEY (mailbox_id, name)
        ) STRICT, WITHOUT ROWID;

        CREATE VIRTUAL TABLE texts USING fts5(text, content='', contentless_delete=1, tokenize='trigram case_sensitive 1', detail=none);
        CREATE TABLE indexed_texts (
          content_id  INTEGER PRIMARY KEY,
          is_complete INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE sort_keys (
          content_id   INTEGER PRIMARY KEY,
          sent_seconds INTEGER,
          subject      TEXT NOT NULL,
          is_reply     INTEGER NOT NULL,
          from_mailbox TEXT NOT NULL,
          to_mailbox   TEXT NOT NULL,
          cc_mailbox   TEXT NOT NULL,
          from_name    TEXT NOT NULL,
          to_name      TEXT NOT NULL,
          message_id   BLOB NOT NULL,
          parents      BLOB NOT NULL
        ) STRICT;
        """;

    // flag_changes: changes of system flags of many messages at once, as ranges of UIDs. Each is due to the messages that have a lower mod-sequence and whose
    // flags it changes; a row of messages is the truth as of its own mod-sequence.
    // expunges.ranges: where it is set, what was expunged between first_uid and last_uid (PackedRanges); expunge_rows counts such a row for more than one.
    // access: what others than the owner may do with a mailbox (RFC 4314), a letter for each right.
    // summaries.digest: SHA-256 of the content, which older ones have not. It is here and not beside the body, so that it costs no page of its own.
    // No triggers: what is counted is counted once for a statement, not for each row.
    private const string Third = """
        CREATE TABLE flag_changes (
          mailbox_id INTEGER NOT NULL,
          modseq     INTEGER NOT NULL,
          first_uid  INTEGER NOT NULL,
          last_uid   INTEGER NOT NULL,
          added      INTEGER NOT NULL,
          removed    INTEGER NOT NULL,
          PRIMARY KEY (mailbox_id, modseq, first_uid)
        ) STRICT, WITHOUT ROWID;
        ALTER TABLE expunges ADD COLUMN ranges BLOB;
        ALTER TABLE summaries ADD COLUMN digest BLOB;
        CREATE TABLE access (
          mailbox_id INTEGER NOT NULL,
          identifier TEXT NOT NULL,
          rights     TEXT NOT NULL,
          PRIMARY KEY (mailbox_id, identifier)
        ) STRICT, WITHOUT ROWID;
        DROP TRIGGER message_added;
        DROP TRIGGER message_removed;
        DROP TRIGGER message_changed;
        """;

    // From here on texts are compared by i;unicode-casemap and names are in normalisation form C: what was folded in another way is made anew when it is needed,
    // and StoreDatabase spells the names (MailboxTable.ComposeNames).
    private const string Fourth = """
        INSERT INTO texts (texts) VALUES ('delete-all');
        DELETE FROM indexed_texts;
        DELETE FROM sort_keys WHERE subject || from_mailbox || to_mailbox || cc_mailbox || from_name || to_name GLOB '*[^ -~]*';
        """;
}
