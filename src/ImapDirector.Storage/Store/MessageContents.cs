using System.Collections.Concurrent;
using System.Security.Cryptography;
using ImapDirector.Network;
using ImapDirector.Storage.Store.Mime;

namespace ImapDirector.Storage.Store;

/// <summary>What is kept of messages whatever mailboxes they are in: their bytes, in the database or in files beside it, and what was computed of them at
/// arrival.</summary>
internal sealed class MessageContents(StoreDatabase database, ContentFiles files)
{
    /// <summary>Bodies above this are files (docs/decisions/0002-content-placement.md).</summary>
    internal const int MaxBodyBytesInDatabase = 64 * 1024;

    private readonly ConcurrentQueue<string> _givenUp = new();

    /// <summary>What was computed at arrival: ENVELOPE, BODY and BODYSTRUCTURE texts ready to send, and the part table.</summary>
    /// <exception cref="StoreException">The content is gone, or cannot be read.</exception>
    public MessageSummary LoadSummary(long contentId) => Summarize(contentId, database.Read(store => ContentTable.FindSummary(store, contentId)));

    /// <summary>Reads what is kept of several messages at once, which takes less than one after the other.</summary>
    /// <param name="contentIds">Which.</param>
    /// <param name="withSummary">Whether <see cref="LoadedMessage.Summary"/> is asked for.</param>
    /// <param name="withContent">Whether <see cref="LoadedMessage.Content"/> is asked for. Bodies in the database are in memory then.</param>
    /// <param name="mostSummaryBytes">What the summaries may take: a stranger's can be large. The first is read whatever it takes.</param>
    /// <returns>At least one, in the same order, whatever became of them meanwhile.</returns>
    public List<LoadedMessage> Load(IReadOnlyList<long> contentIds, bool withSummary, bool withContent, long mostSummaryBytes) => database.Read(store =>
    {
        var loaded = new List<LoadedMessage>(contentIds.Count);
        var left = mostSummaryBytes;
        foreach (var id in contentIds)
        {
            loaded.Add(new LoadedMessage(id, withSummary ? ContentTable.FindSummary(store, id) : null, withContent ? ContentTable.Find(store, id) : null));
            left -= loaded[^1].Summary?.Length ?? 0;
            if (left <= 0) break;
        }
        return loaded;
    });

    /// <summary>The summary of a message that was loaded.</summary>
    /// <exception cref="StoreException">The content is gone, or cannot be read.</exception>
    public MessageSummary SummaryOf(LoadedMessage message) => Summarize(message.ContentId, message.Summary);

    /// <summary>Opens the bytes of a message that was loaded; seekable.</summary>
    /// <exception cref="StoreException">The content is gone, or cannot be read.</exception>
    public Stream Open(LoadedMessage message) => Open(message.Content);

    /// <summary>Opens a message's bytes; seekable.</summary>
    /// <exception cref="StoreException">The content is gone, or cannot be read.</exception>
    public Stream Open(long contentId) => Open(database.Read(store => ContentTable.Find(store, contentId)));

    /// <summary>Messages were refused after they had been placed: their files go.</summary>
    public void GiveUp(IEnumerable<PlacedContent> placed)
    {
        foreach (var content in placed)
            if (content.File is { } file) _givenUp.Enqueue(file);
        RemoveGivenUp();
    }

    /// <summary>Removes the files of messages that were refused; not while the database may know them all the same.</summary>
    public void RemoveGivenUp()
    {
        while (!database.IsInDoubt && _givenUp.TryDequeue(out var file)) files.Delete(file);
    }

    /// <summary>Removes files of contents that are in the database no more, or never came there.</summary>
    public void RemoveFiles(IEnumerable<string> names)
    {
        foreach (var name in names) files.Delete(name);
    }

    private MessageSummary Summarize(long contentId, byte[]? encoded)
    {
        try
        {
            if (SummaryFormat.Decode(encoded ?? throw Gone()) is { } summary) return summary;
        }
        catch (Exception broken) when (SummaryFormat.IsDamage(broken))
        {
            throw new StoreException("The summary of a message is damaged.", broken);
        }
        using var content = Open(contentId);
        return MessageSummarizer.Summarize(content);
    }

    private Stream Open(StoredContent? content)
    {
        if (content is null) throw Gone();
        if (content.File is null) return new MemoryStream(content.Body ?? [], writable: false);
        if (!ContentFiles.IsName(content.File)) throw new StoreException("The database names a file that is no content.");
        try
        {
            return files.OpenRead(content.File);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The content file \"{content.File}\" cannot be opened: {refused.GetType().Name}.", refused);
        }
    }

    /// <summary>What SORT and THREAD compare, computed anew; <c>null</c> where the content is lost.</summary>
    public SortKeys? FindSortKeys(long contentId)
    {
        try
        {
            using var content = Open(contentId);
            return MessageSummarizer.Examine(content).Keys;
        }
        catch (Exception lost) when (lost is StoreException or IOException)
        {
            return null;
        }
    }

    /// <summary>Computes what is kept of a message, and brings a large one to its file, before it is added to a mailbox.</summary>
    /// <exception cref="StoreException">The disk refuses.</exception>
    public async Task<PlacedContent> PlaceAsync(MessageSpool message, CancellationToken cancellationToken)
    {
        try
        {
            return await ExamineAsync(message, cancellationToken);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"A message cannot be brought to its place: {refused.GetType().Name}.", refused);
        }
    }

    /// <summary>Computes what is kept of a message, and brings a large one to its file.</summary>
    private async Task<PlacedContent> ExamineAsync(MessageSpool message, CancellationToken cancellationToken)
    {
        MessageSummary summary;
        SortKeys keys;
        await using (var reader = message.OpenRead()) (summary, keys) = MessageSummarizer.Examine(reader, cancellationToken);
        var encoded = SummaryFormat.Encode(summary);
        if (message.Length > MaxBodyBytesInDatabase)
        {
            var (file, digest) = await files.WriteAsync(message, cancellationToken);
            return new PlacedContent(null, file, encoded, digest, keys);
        }
        var body = new byte[message.Length];
        await using var bytes = message.OpenRead();
        await bytes.ReadExactlyAsync(body, cancellationToken);
        return new PlacedContent(body, null, encoded, SHA256.HashData(body), keys);
    }

    private static StoreException Gone() => new("The content of a message is gone.");
}

/// <summary>A content ready to be added: its bytes or its file, one of both.</summary>
internal sealed record PlacedContent(byte[]? Body, string? File, byte[] Summary, byte[] Digest, SortKeys Keys);
