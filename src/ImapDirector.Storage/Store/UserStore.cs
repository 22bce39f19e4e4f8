using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store;

/// <summary>One user's mail on disk: one SQLite database (WAL, synchronous=FULL) and, for large bodies, files beside it.
/// Nothing returns before it is on disk.</summary>
/// <remarks>Reads may run in parallel; writes are serialised inside. All methods that change a mailbox return the new mod-sequence, and UIDs
/// and mod-sequences grow strictly, also over restarts. Every failure of the disk or the database is a <see cref="StoreException"/>.</remarks>
internal sealed class UserStore : IAsyncDisposable
{
    private readonly StoreDatabase _database;

    private UserStore(UserName user, StoreDatabase database, ContentFiles files)
    {
        (User, _database, Access) = (user, database, new UserAccess(database));
        Contents = new MessageContents(database, files);
        Order = new MessageOrder(database, Contents);
        UrlKeys = new UrlKeys(database);
    }

    /// <summary>Opens the user's store, making it with INBOX, Drafts, Sent, Junk, Trash and Archive (with their special uses, subscribed) where there is none.</summary>
    /// <exception cref="StoreException">The database is damaged or the disk refuses.</exception>
    public static Task<UserStore> OpenAsync(string dataDirectory, UserName user, CancellationToken cancellationToken, QuotaLimits quota = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var directory = UserStorePath.Of(dataDirectory, user);
        try
        {
            UserStorePath.Make(directory);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The directory \"{directory}\" cannot be made: {refused.GetType().Name}.", refused);
        }
        var file = Path.Combine(directory, "mail.db");
        // SQLite removes the log when it closes the database well.
        var hasCrashed = File.Exists(file + "-wal");
        var files = new ContentFiles(Path.Combine(directory, "contents"));
        var database = StoreDatabase.Open(file, store =>
        {
            UserStorePath.FlushAbove(dataDirectory, directory);
            MailboxTable.AddFirst(store);
        });
        // Files beside a database that never had a content are not what a crash of it has left, but of one that was there before.
        if (hasCrashed && database.Read(ContentTable.HasHadAny)) files.Sweep(database.Read(ContentTable.Files));
        var hasUnreferenced = database.Read(ContentTable.HasUnreferenced);
        return Task.FromResult(new UserStore(user, database, files) { Quota = quota, HasUnreferencedContents = hasUnreferenced });
    }

    public UserName User { get; }

    /// <summary>Which epoch this serves; <c>null</c> where nobody has asked.</summary>
    public StoreFence? Fence => _database.Fence;

    /// <summary>From here on this is one who serves the user: nothing is written once a higher epoch has come, or the user is released.</summary>
    /// <param name="epoch">The epoch that it is opened for, or <c>null</c>; a higher one than the store has is on disk when this returns.</param>
    /// <exception cref="StoreException">The disk refuses.</exception>
    public async Task ServeAsync(long? epoch)
    {
        if (_database.Join().Admit(epoch) == FenceAnswer.Raise) await _database.RaiseAsync(new StoreFence(epoch!.Value, IsReleased: false), isOurs: true);
    }

    /// <summary>Puts up a fence behind which others serve the user: nothing is written here any more.</summary>
    /// <exception cref="StoreException">A higher epoch has come, or the disk refuses.</exception>
    public Task FenceAsync(StoreFence fence) => _database.RaiseAsync(fence, isOurs: false);

    /// <summary>Who else may do what with the mailboxes.</summary>
    public UserAccess Access { get; }

    /// <summary>What vouches for URLs of the mailboxes.</summary>
    public UrlKeys UrlKeys { get; }

    /// <summary>The bytes of the messages, and what was computed of them at arrival.</summary>
    public MessageContents Contents { get; }

    /// <summary>What SORT and THREAD ask.</summary>
    public MessageOrder Order { get; }

    /// <summary>Whether contents may be left that no message refers to: <see cref="RemoveUnreferencedAsync"/> removes them, some at a time.</summary>
    public bool HasUnreferencedContents { get; private set; }

    /// <summary>Removes some of the contents that a large expunge has left.</summary>
    public async Task RemoveUnreferencedAsync(CancellationToken cancellationToken)
    {
        HasUnreferencedContents = false;
        await RemoveAsync(static _ => true, cancellationToken);
    }

    /// <summary>What the user may keep.</summary>
    public QuotaLimits Quota { get; private init; }

    /// <summary>What the user keeps.</summary>
    public QuotaUsage Usage() => _database.Read(QuotaUsage.Of);

    /// <summary>The messages of a mailbox that no read-write session has been told of.</summary>
    public uint CountRecent(long mailboxId) => _database.Read(store => MailboxTable.CountRecent(store, mailboxId));

    /// <summary>The bytes of a mailbox's messages that carry \Deleted.</summary>
    public ulong DeletedBytes(long mailboxId) => _database.Read(store => MessageTable.DeletedBytes(store, mailboxId));

    /// <summary>The contents of a mailbox that the text index lacks.</summary>
    public List<long> MissingTexts(long mailboxId, int most, CancellationToken cancellationToken) =>
        _database.Read(store => TextIndexTable.Missing(store, mailboxId, most), cancellationToken);

    /// <summary>The contents that a query of the text index leaves.</summary>
    public List<long> TextCandidates(string query, CancellationToken cancellationToken) =>
        _database.Read(store => TextIndexTable.Candidates(store, query), cancellationToken);

    /// <summary>Adds to the text index.</summary>
    public Task AddTextsAsync(IReadOnlyList<IndexedText> texts, CancellationToken cancellationToken) => _database.WriteAsync(store =>
    {
        foreach (var text in texts) TextIndexTable.Add(store, text);
        return true;
    }, cancellationToken);

    /// <summary>An annotation of a mailbox (or of the account, <see cref="MetadataTable.Account"/>), and those some levels below it.</summary>
    public List<(string Name, byte[] Value)> FindMetadata(long mailboxId, string name, int depth) =>
        _database.Read(store => MetadataTable.Find(store, mailboxId, name, depth));

    /// <summary>Sets and removes annotations, all or none.</summary>
    /// <exception cref="TooManyEntriesException">There would be too many.</exception>
    /// <exception cref="OverQuotaException">All of the user's together would be too long.</exception>
    public Task SetMetadataAsync(long mailboxId, IReadOnlyList<KeyValuePair<string, byte[]?>> entries, CancellationToken cancellationToken) =>
        _database.WriteAsync(store => MetadataTable.TrySet(store, mailboxId, entries) ? true : throw new TooManyEntriesException(), cancellationToken);

    /// <summary>All mailboxes with their counters, in name order, \NonExistent and \Noselect ones included.</summary>
    public IReadOnlyList<MailboxRecord> ListMailboxes() => _database.Read(MailboxTable.All);

    public MailboxRecord? FindMailbox(long id) => _database.Read(store => MailboxTable.Find(store, id));

    public MailboxRecord? FindMailbox(MailboxName name) => _database.Read(store => MailboxTable.Find(store, name));

    /// <summary>Whether a mailbox has a special use.</summary>
    public bool HasUse(string specialUse) => _database.Read(store => MailboxTable.HasUse(store, specialUse));

    /// <summary>The mailboxes that can be selected and whose names are this one, whatever the case of letters.</summary>
    public IReadOnlyList<MailboxName> FindSimilar(string name) => _database.Read(store => MailboxTable.Similar(store, name));

    /// <summary>Makes a mailbox, and its missing parents as plain mailboxes. A name that is free gets a UIDVALIDITY never used for it before.</summary>
    public Task<StoreResult> CreateMailboxAsync(MailboxName name, string? specialUse, CancellationToken cancellationToken) =>
        _database.WriteAsync(store => MailboxTable.HasRoomFor(store, name) ? MailboxTable.Create(store, name, specialUse) : StoreResult.TooMany, cancellationToken);

    /// <summary>Deletes a mailbox and its messages. One with children stays as \Noselect; INBOX is refused.</summary>
    public Task<StoreResult> DeleteMailboxAsync(MailboxName name, CancellationToken cancellationToken) =>
        RemoveAsync(store => MailboxTable.Delete(store, name), cancellationToken);

    /// <summary>Renames a mailbox with its children. INBOX keeps existing: its messages move to the new mailbox (RFC 3501 section 6.3.5).</summary>
    public Task<StoreResult> RenameMailboxAsync(MailboxName from, MailboxName to, CancellationToken cancellationToken) =>
        _database.WriteAsync(store => MailboxTable.Rename(store, from, to), cancellationToken);

    public Task<StoreResult> SetSubscribedAsync(MailboxName name, bool subscribed, CancellationToken cancellationToken) => _database.WriteAsync(store =>
    {
        if (subscribed && !MailboxTable.MaySubscribe(store, name.Value)) return StoreResult.TooMany;
        MailboxTable.SetSubscribed(store, name.Value, subscribed);
        return StoreResult.Done;
    }, cancellationToken);

    /// <summary>Subscribed names in order; a mailbox of that name need not exist.</summary>
    public IReadOnlyList<MailboxName> ListSubscriptions() => _database.Read(MailboxTable.Subscriptions);

    /// <summary>All messages of a mailbox in UID order.</summary>
    public MessageList LoadMessages(long mailboxId) => _database.Read(store => MessageTable.All(store, mailboxId));

    /// <summary>Hands the \Recent messages to the caller: returns the lowest UID that no read-write session has been told of, and
    /// (when <paramref name="claim"/>) makes UIDNEXT the lowest from now on.</summary>
    /// <exception cref="MailboxGoneException">The mailbox was deleted meanwhile.</exception>
    public async Task<uint> FirstRecentUidAsync(long mailboxId, bool claim, CancellationToken cancellationToken)
    {
        var first = claim
            ? await _database.WriteAsync(store =>
            {
                var before = MailboxTable.FirstRecentUid(store, mailboxId);
                if (before is not null) MailboxTable.ClaimRecent(store, mailboxId);
                return before;
            }, cancellationToken)
            : _database.Read(store => MailboxTable.FirstRecentUid(store, mailboxId));
        return first ?? throw new MailboxGoneException();
    }

    /// <summary>Adds messages, all or none, but for duplicates. Their envelopes, body structures and part offsets are computed here, once.</summary>
    /// <param name="mailboxId">Where to.</param>
    /// <param name="messages">The messages.</param>
    /// <param name="replaced">A message that goes in the same transaction, with its mailbox; <c>null</c> for none.</param>
    /// <param name="cancellationToken">Ends the wait for the turn.</param>
    /// <exception cref="MailboxGoneException">The mailbox was deleted meanwhile.</exception>
    /// <exception cref="OverQuotaException">The user would keep too much.</exception>
    public async Task<AddedMessages> AppendAsync(long mailboxId, IReadOnlyList<NewMessage> messages, (long MailboxId, uint Uid)? replaced,
        CancellationToken cancellationToken)
    {
        var placed = new List<PlacedContent>(messages.Count);
        try
        {
            foreach (var message in messages) placed.Add(await Contents.PlaceAsync(message.Content, cancellationToken));
            var (result, removed) = await _database.WriteAsync(store =>
            {
                RequireSelectable(store, mailboxId);
                var uid = MailboxTable.TakeUids(store, mailboxId, messages.Count);
                var modSeq = MailboxTable.TakeModSeq(store, mailboxId);
                var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
                var added = new List<MessageRecord>(messages.Count);
                foreach (var (message, content) in messages.Zip(placed))
                {
                    if (message.DuplicateWindow > TimeSpan.Zero && content.Keys.MessageId.Length > 0
                        && !DeliveryTable.TryAdd(store, content.Keys.MessageId, mailboxId, now, (long)message.DuplicateWindow.TotalSeconds)) continue;
                    var id = ContentTable.Add(store, content.Body, content.File, content.Summary, content.Digest, content.Keys);
                    var record = new MessageRecord(uid++, modSeq, message.Flags.System, message.Flags.Keywords, message.InternalDate,
                        checked((uint)message.Content.Length), id)
                    { SavedSeconds = now };
                    MessageTable.Add(store, mailboxId, record);
                    added.Add(record);
                }
                var expunged = replaced is { } old ? MessageTable.Expunge(store, old.MailboxId, [old.Uid]) : default;
                DemandRoom(store);
                return (new AddedMessages(added, expunged), replaced is null ? default : ContentTable.RemoveUnreferenced(store));
            }, cancellationToken);
            // A duplicate, which only a delivery of one message can be, was brought to its file for nothing.
            Contents.RemoveGivenUp();
            Contents.RemoveFiles(result.Messages.Count > 0 ? removed.Files ?? [] : [.. placed.Select(static content => content.File).OfType<string>()]);
            return result;
        }
        catch (Exception refused) when (refused is MailboxGoneException or OverQuotaException or OperationCanceledException or StoreException)
        {
            Contents.GiveUp(placed);
            throw;
        }
    }

    /// <summary>Changes flags of the given UIDs (those that do not exist any more are left out) in one transaction.</summary>
    /// <returns>The records of all given messages that exist, as they are now, and the mod-sequence that those have which were really changed.</returns>
    public Task<(List<MessageRecord> Messages, ulong ModSeq)> StoreFlagsAsync(long mailboxId, IReadOnlyList<uint> uids, StoreOperation operation, FlagList flags,
        CancellationToken cancellationToken) => _database.WriteAsync(store => MessageTable.StoreFlags(store, mailboxId, uids, operation, flags), cancellationToken);

    /// <summary>Changes system flags of many messages at once, in a time that does not depend on how many they are.</summary>
    /// <returns>Their new mod-sequence.</returns>
    public Task<ulong> StoreFlagsAsync(long mailboxId, FlagRanges change, CancellationToken cancellationToken) =>
        _database.WriteAsync(store => FlagChangeTable.Add(store, mailboxId, change), cancellationToken);

    /// <summary>Removes the given UIDs, whatever their flags.</summary>
    public async Task<ExpungedMessages> ExpungeAsync(long mailboxId, IReadOnlyList<uint> uids, CancellationToken cancellationToken) =>
        await RemoveAsync(store => MessageTable.Expunge(store, mailboxId, uids), cancellationToken);

    /// <summary>Removes messages that are as the caller knows them.</summary>
    public async Task<ExpungedMessages> ExpungeAsync(long mailboxId, IReadOnlyList<MessageRecord> messages, CancellationToken cancellationToken) =>
        await RemoveAsync(store => MessageTable.Expunge(store, mailboxId, messages), cancellationToken);

    /// <summary>Copies messages (flags and dates kept, bodies shared) in one transaction; with <paramref name="move"/> the originals are removed in it.</summary>
    /// <exception cref="MailboxGoneException">The target was deleted meanwhile.</exception>
    /// <exception cref="OverQuotaException">The user would keep too much.</exception>
    public async Task<CopiedMessages> CopyAsync(long fromMailboxId, IReadOnlyList<uint> uids, long toMailboxId, bool move, CancellationToken cancellationToken) =>
        await _database.WriteAsync(store =>
        {
            RequireSelectable(store, toMailboxId);
            var copied = MessageTable.Copy(store, fromMailboxId, uids, toMailboxId, move);
            if (!move) DemandRoom(store);
            return copied;
        }, cancellationToken);

    /// <summary>The content of a message; <c>null</c> when the mailbox has none of that UID.</summary>
    public long? FindContent(long mailboxId, uint uid) => _database.Read(store => MessageTable.FindContent(store, mailboxId, uid));

    /// <summary>What was expunged after a mod-sequence, as ranges of UIDs, ascending; they may touch and overlap.</summary>
    /// <returns><c>null</c> when that is too long ago to be known: then every UID that is missing may be one.</returns>
    public IReadOnlyList<SequenceRange>? ExpungedSince(long mailboxId, ulong modSeq) => _database.Read(store => ExpungeTable.Since(store, mailboxId, modSeq));

    /// <summary>Does what sessions have no command for, in one transaction. Only for a store that nobody serves meanwhile: it is told to no session.</summary>
    public Task<T> MaintainAsync<T>(Func<StoreConnection, T> work, CancellationToken cancellationToken) => _database.WriteAsync(work, cancellationToken);

    /// <summary>Gives back memory and files that a silent session does not need.</summary>
    /// <returns>Whether there was something to give back.</returns>
    public Task<bool> TrimAsync() => _database.TrimAsync();

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        Contents.RemoveGivenUp();
    }

    /// <summary>A change that may leave contents behind that no message refers to.</summary>
    private async Task<T> RemoveAsync<T>(Func<StoreConnection, T> work, CancellationToken cancellationToken)
    {
        var (result, removed) = await _database.WriteAsync(store => (work(store), ContentTable.RemoveUnreferenced(store)), cancellationToken);
        Contents.RemoveFiles(removed.Files);
        HasUnreferencedContents |= removed.AreMoreLeft;
        return result;
    }

    /// <summary>Gives the transaction up when what it has made is too much: what is kept after it is what counts.</summary>
    private void DemandRoom(StoreConnection store)
    {
        if (Quota.IsSet && Quota.IsBelow(QuotaUsage.Of(store))) throw new OverQuotaException();
    }

    private static void RequireSelectable(StoreConnection store, long mailboxId)
    {
        if (MailboxTable.Find(store, mailboxId) is not { Selectable: true }) throw new MailboxGoneException();
    }
}
