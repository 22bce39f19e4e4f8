using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Whether every content can be read to its end and is referred to as often as is written.</summary>
internal static class ContentCheck
{
    private const int ReadBytes = 128 * 1024;

    private const string OfFirstVersion = "SELECT id, references_count, file, body FROM contents";
    private const string OfSecondVersion = "SELECT id, coalesce(messages, -1), file, body FROM contents LEFT JOIN content_references ON content_id = id";
    private const string OfToday = """
        SELECT id, coalesce(messages, -1), file, body, digest FROM contents LEFT JOIN content_references r ON r.content_id = id LEFT JOIN summaries s ON s.content_id = id
        """;
    private const int DigestsSinceVersion = 3, DigestColumn = 4;

    // An append writes its file first and waits for its turn at the database then.
    private static readonly TimeSpan LongestAppend = TimeSpan.FromMinutes(10);

    /// <summary>Reads every content; what can be read has a length afterwards, what cannot a reason.</summary>
    public static Dictionary<long, ContentReferences> Read(StoreConnection store, ContentFiles files, StoreCondition condition, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var references = new Dictionary<long, ContentReferences>();
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var version = store.Scalar<long>("PRAGMA user_version");
        store.Each(version < HistoryCheck.SinceVersion ? OfFirstVersion : version < DigestsSinceVersion ? OfSecondVersion : OfToday, row =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            var id = row.GetInt64(0);
            references.Add(id, new ContentReferences(row.GetInt64(1)));
            if (row.IsDBNull(2)) condition.Lengths.Add(id, Count(row, buffer, digest));
            else if (TryCount(files, row.GetString(2), buffer, digest, out var length, out var lost)) condition.Lengths.Add(id, length);
            else condition.Lost.Add(id, lost);
            // What could be read only in part leaves something behind here, too.
            var found = digest.GetHashAndReset();
            if (row.FieldCount > DigestColumn && !row.IsDBNull(DigestColumn) && condition.Lengths.ContainsKey(id) && !row.GetFieldValue<byte[]>(DigestColumn).SequenceEqual(found))
                condition.Altered.Add(id);
            progress?.Report(references.Count);
        });
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        return references;
    }

    /// <summary>Once the messages' sizes were compared: where the size is another, that tells it all.</summary>
    public static void TellAltered(StoreConnection store, StoreCondition condition)
    {
        foreach (var id in condition.Altered.Except(condition.OfWrongSize.Select(static message => message.ContentId)))
        {
            var messages = store.All("SELECT name, uid FROM messages JOIN mailboxes ON mailboxes.id = mailbox_id WHERE content_id = ?1 ORDER BY name, uid",
                static row => Text($"{StoreCondition.Shown(row.GetString(0))} UID {row.GetInt64(1)}"), id);
            condition.Add(StoreFindingKind.Content, Text($"content {id} is not what was received, its digest is another: {string.Join(", ", messages)}"),
                "restore it from a backup; what is there can still be read");
        }
    }

    /// <summary>Once the messages were counted.</summary>
    public static void CompareReferences(Dictionary<long, ContentReferences> references, StoreCondition condition)
    {
        foreach (var (id, content) in references)
        {
            if (content is { Counted: 0, Written: 0 })
            {
                // A large expunge has left it for later: a node removes it.
                condition.Lost.Remove(id);
            }
            else if (content.Counted == 0)
            {
                if (condition.Lost.Remove(id, out var lost))
                {
                    // What is gone and missed by nobody is only a row too many.
                    if (lost.IsGone) condition.Superfluous.Add(id);
                    condition.Add(StoreFindingKind.Content, Text($"content {id} is referred to by no message, and lost: {lost.Why}"));
                }
                else
                {
                    condition.Unreferenced.Add(id);
                    condition.Add(StoreFindingKind.Content, Text($"content {id} is referred to by no message"),
                        $"{StoreCondition.Repair}: it becomes a message of the mailbox \"{StoreRepair.Recovered}\"");
                }
            }
            else if (content.Counted != content.Written)
                condition.Add(StoreFindingKind.Counter, Text($"content {id} has {content.Written} references in its counter where there are {content.Counted}"));
        }
    }

    public static void FindStrayFiles(StoreConnection store, IReadOnlyList<string> listed, ContentFiles files, bool isAlone, StoreCondition condition)
    {
        var known = ContentTable.Files(store);
        foreach (var name in listed)
        {
            if (known.Contains(name) || !IsOld(files.PathOfListed(name), isAlone)) continue;
            condition.StrayFiles.Add(name);
            condition.Add(StoreFindingKind.File, $"nothing refers to the content file {StoreCondition.Shown(name)}", $"{StoreCondition.Repair} or \"store vacuum\"; a crash can leave it");
        }
    }

    private static bool IsOld(string path, bool isAlone)
    {
        var file = new FileInfo(path);
        return file.Exists && (isAlone || DateTime.UtcNow - file.LastWriteTimeUtc > LongestAppend);
    }

    private static long Count(SqliteDataReader row, byte[] buffer, IncrementalHash digest)
    {
        if (row.IsDBNull(3)) return 0;
        using var body = row.GetStream(3);
        return Count(body, buffer, digest);
    }

    private static bool TryCount(ContentFiles files, string name, byte[] buffer, IncrementalHash digest, out long length, [NotNullWhen(false)] out LostContent? lost)
    {
        (length, lost) = (0, null);
        try
        {
            if (ContentFiles.IsName(name))
            {
                using var file = files.OpenRead(name);
                length = Count(file, buffer, digest);
                return true;
            }
            lost = new LostContent($"{StoreCondition.Shown(name)} is no name of a content file", IsGone: true);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            lost = new LostContent($"the content file \"{name}\" is missing", IsGone: true);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            lost = new LostContent($"the content file \"{name}\" cannot be read ({refused.GetType().Name})", IsGone: false);
        }
        return false;
    }

    private static long Count(Stream stream, byte[] buffer, IncrementalHash digest)
    {
        var length = 0L;
        for (int read; (read = stream.Read(buffer)) > 0; length += read) digest.AppendData(buffer.AsSpan(0, read));
        return length;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>How often a content is referred to.</summary>
internal sealed class ContentReferences(long written)
{
    public long Written => written;

    public long Counted { get; set; }
}
