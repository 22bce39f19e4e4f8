using System.Globalization;
using ImapDirector.Protocol.Imap;
using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Whether each message is in a mailbox, has a content of its size, and has nothing written that cannot be.</summary>
internal static class MessageCheck
{
    /// <summary>What a date is bounded by: a day inside of what .NET can tell, so that any offset can be added.</summary>
    public const long MinSeconds = -62135510400, MaxSeconds = 253402214399;

    public const int MaxOffsetMinutes = 14 * 60;

    public const int AllFlags = 31;

    public static void Run(StoreConnection store, Dictionary<long, string> names, Dictionary<long, ContentReferences> references, StoreCondition condition) =>
        store.Each("""
            SELECT mailbox_id, uid, flags, keywords, date_seconds, date_offset, size_bytes, content_id FROM messages ORDER BY mailbox_id, uid
            """, row =>
        {
            condition.Messages++;
            var mailbox = row.GetInt64(0);
            if (!names.TryGetValue(mailbox, out var name))
            {
                name = string.Create(CultureInfo.InvariantCulture, $"mailbox {mailbox}");
                if (condition.MissingMailboxes.Add(mailbox))
                    condition.Add(StoreFindingKind.Mailbox, $"{name} does not exist, where messages are in it", $"{StoreCondition.Repair}: it comes back as \"{StoreRepair.Recovered}\"");
            }
            CheckContent(row, name, references, condition);
            CheckValues(row, name, condition);
        });

    /// <summary>What is left of keywords when those that cannot be are taken out.</summary>
    public static string PossibleKeywords(string keywords) => string.Join(' ', keywords.Split(' ').Where(FlagList.IsKeyword));

    private static void CheckContent(SqliteDataReader row, string name, Dictionary<long, ContentReferences> references, StoreCondition condition)
    {
        var (mailbox, uid, size, content) = (row.GetInt64(0), row.GetInt64(1), row.GetInt64(6), row.GetInt64(7));
        var isKnown = references.TryGetValue(content, out var counted);
        if (counted is not null) counted.Counted++;
        if (!condition.Lengths.TryGetValue(content, out var length))
        {
            condition.LostMessages.Add(new LostMessage(mailbox, uid, content, isKnown, Text($"{name} UID {uid}")));
        }
        else if (length != size)
        {
            condition.OfWrongSize.Add((mailbox, uid, content, length));
            condition.Add(StoreFindingKind.Content, Text($"{name} UID {uid} has {length} bytes where {size} were written down"),
                $"bring it back from a backup; \"store repair\" makes the {length.ToString(CultureInfo.InvariantCulture)} bytes readable");
        }
    }

    private static void CheckValues(SqliteDataReader row, string name, StoreCondition condition)
    {
        var (mailbox, uid, keywords) = (row.GetInt64(0), row.GetInt64(1), row.GetString(3));
        if (uid is < 1 or >= uint.MaxValue) condition.Add(StoreFindingKind.Message, Text($"{name} has a message with the UID {uid}, which cannot be"), StoreCondition.Restore);
        if (row.GetInt64(2) is < 0 or > AllFlags) condition.Add(StoreFindingKind.Message, Text($"{name} UID {uid} has flags that do not exist"));
        if (row.GetInt64(4) is < MinSeconds or > MaxSeconds || row.GetInt64(5) is < -MaxOffsetMinutes or > MaxOffsetMinutes)
            condition.Add(StoreFindingKind.Message, Text($"{name} UID {uid} has a date that cannot be"));
        if (keywords.Length > 0 && PossibleKeywords(keywords) != keywords)
        {
            condition.WithBadKeywords.Add((mailbox, uid, PossibleKeywords(keywords)));
            condition.Add(StoreFindingKind.Message, Text($"{name} UID {uid} has keywords that cannot be"));
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
