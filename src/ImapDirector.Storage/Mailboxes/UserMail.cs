using System.Runtime.InteropServices;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using Prometheus;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>A user's open mail: the store, and the shared in-memory view of every mailbox that a session has selected. Changes go through here, so
/// that every session sees them at once, and in the order in which they were committed.</summary>
/// <remarks>A change that has begun is finished and published whatever becomes of the session that asked for it; a caller's token only
/// ends the wait for its turn.</remarks>
internal sealed class UserMail : IAsyncDisposable
{
    /// <summary>A change that waits longer than this for those before it is given up: the disk hangs.</summary>
    private static readonly TimeSpan TurnTimeout = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly UserStore _store;
    private readonly StorageMetrics _metrics;
    private readonly KeywordLimit _keywords;
    private readonly SharingIndex? _sharing;
    private readonly Lazy<TextIndexing> _textIndexing;
    // Never disposed: it has no timer, and sessions ask it after the end.
    private readonly CancellationTokenSource _fenced = new();
    private bool _closed;
    private readonly OpenMailboxes _open;

    /// <param name="store">The store.</param>
    /// <param name="metrics">Where changes are counted.</param>
    /// <param name="sharing">Where it is told whom something was given, or <c>null</c>.</param>
    public UserMail(UserStore store, StorageMetrics metrics, SharingIndex? sharing = null)
    {
        _store = store;
        _sharing = sharing;
        _metrics = metrics;
        _keywords = new KeywordLimit(store);
        _open = new OpenMailboxes(metrics.OpenMailboxes);
        _textIndexing = new Lazy<TextIndexing>(() => new TextIndexing(store, AddTextsAsync));
        ContentRemoval = new ContentRemoval(store, RemoveContentsAsync);
        ContentRemoval.Begin();
    }

    public UserStore Store => _store;

    /// <summary>What becomes of a session or a delivery that comes with an epoch, or with none.</summary>
    public FenceAnswer Admit(long? epoch) => _store.Fence?.Admit(epoch) ?? FenceAnswer.Join;

    /// <summary>Fires when the user is to be served by others: sessions end then.</summary>
    public CancellationToken Fenced => _fenced.Token;

    /// <summary>Puts up a fence behind the change that runs: once it is on disk, nothing more is written here, and sessions are told to end.</summary>
    /// <exception cref="StoreException">A higher epoch has come, or the disk refuses: then all goes on as before.</exception>
    public async Task FenceAsync(StoreFence fence)
    {
        await InTurnAsync(async () =>
        {
            await _store.FenceAsync(fence);
            _closed = true;
            return true;
        }, CancellationToken.None);
        await _fenced.CancelAsync();
        // Other users' sessions that have something of this user's selected.
        foreach (var mailbox in _open.All) mailbox.Deleted();
    }

    /// <summary>Removes what large expunges have left.</summary>
    public ContentRemoval ContentRemoval { get; }

    /// <summary>Brings mailboxes into the text index.</summary>
    public TextIndexing TextIndexing => _textIndexing.Value;

    /// <summary>The turns that the user's sessions have of what takes long.</summary>
    public SemaphoreSlim Turns { get; } = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>Sessions that collect what happens.</summary>
    public MailWatchers Watchers { get; } = new();

    /// <summary>Adds messages, all or none, and tells every session that has the mailbox selected.</summary>
    /// <returns>The records and the mailbox's UIDVALIDITY, or <c>null</c> when there is no such mailbox.</returns>
    public Task<(IReadOnlyList<MessageRecord> Messages, uint UidValidity)?> AppendAsync(MailboxName mailbox, IReadOnlyList<NewMessage> messages,
        CancellationToken cancellationToken) => AddAsync(mailbox, messages, null, cancellationToken);

    /// <summary>Adds a message and expunges another, both or neither (RFC 8508).</summary>
    /// <returns>As <see cref="AppendAsync"/>; no records when the other is not there any more: then nothing was done.</returns>
    public Task<(IReadOnlyList<MessageRecord> Messages, uint UidValidity)?> ReplaceAsync(SharedMailbox from, uint uid, MailboxName mailbox, NewMessage message) =>
        AddAsync(mailbox, [message], (from, uid), CancellationToken.None);

    /// <summary>Opens a mailbox for a session, or joins those that have it open. <see cref="CloseAsync"/> it once for each call.</summary>
    /// <returns>The mailbox and the UIDs in it now, ascending; <c>null</c> when there is no such mailbox, or it cannot be selected.</returns>
    public Task<(SharedMailbox Mailbox, uint[] Uids)?> OpenAsync(MailboxName name, MailboxCursor cursor) =>
        InTurnAsync<(SharedMailbox, uint[])?>(async () =>
        {
            if (FindSelectable(name) is not { } record) return null;
            var mailbox = _open.Find(record.Id);
            if (mailbox is null)
            {
                var firstRecent = await _store.FirstRecentUidAsync(record.Id, claim: false, CancellationToken.None);
                mailbox = new SharedMailbox(record, _store.LoadMessages(record.Id), Math.Max(firstRecent, 1), new ChangeLog());
                mailbox.AccessChanged(_store.Access.Find(record.Id));
                _open.Add(mailbox);
                _keywords.Forget(record.Id);
            }
            var uids = _open.Join(mailbox, cursor);
            try
            {
                await SaveRecentAsync(mailbox);
                return (mailbox, uids);
            }
            catch
            {
                _open.Leave(mailbox, cursor);
                throw;
            }
        });

    /// <summary>A session leaves a mailbox. The one that was left last stays in memory for a while: clients go to and fro.</summary>
    public async Task CloseAsync(SharedMailbox mailbox, MailboxCursor cursor)
    {
        await TakeTurnAsync(CancellationToken.None);
        try
        {
            _open.Leave(mailbox, cursor);
            if (!_closed) await SaveRecentAsync(mailbox);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes a mailbox out of memory that was left some time ago, and gives back what a silent session does not need.</summary>
    /// <returns>Whether something was given back.</returns>
    public Task<bool> TrimAsync(TimeSpan age) => InTurnAsync(async () =>
    {
        var isFreed = await _store.TrimAsync();
        return _open.Trim(age) || isFreed;
    }, CancellationToken.None);

    /// <summary>A mailbox with its counters as they are now; <c>null</c> when there is none of that name that can be selected.</summary>
    public MailboxRecord? FindStatus(MailboxName name) => FindSelectable(name);

    /// <summary>The messages of a mailbox that no read-write session has been told of.</summary>
    public uint CountRecent(MailboxRecord mailbox) => _open.Find(mailbox.Id)?.RecentCount ?? _store.CountRecent(mailbox.Id);

    /// <summary>Whether a message with these flags may be added without making too many keywords (limits N11).</summary>
    public Task<bool> HasRoomForKeywordsAsync(MailboxName name, FlagList flags) => flags.Keywords.IsEmpty
        ? Task.FromResult(true)
        : InTurnAsync(() => Task.FromResult(FindSelectable(name) is not { } record || TryUseKeywords(record.Id, flags.Keywords)));

    /// <summary>Changes flags of messages and tells every session that has the mailbox selected, but for <paramref name="origin"/>.</summary>
    /// <param name="mailbox">The mailbox.</param>
    /// <param name="uids">The messages, ascending.</param>
    /// <param name="change">What is to be done; messages changed after its <see cref="FlagChange.UnchangedSince"/> are left alone.</param>
    /// <param name="origin">The session that asks, or <c>null</c>.</param>
    /// <returns>What became of them; <c>null</c> when the mailbox would have too many keywords (limits N11).</returns>
    public Task<FlagChangeOutcome?> StoreFlagsAsync(SharedMailbox mailbox, uint[] uids, FlagChange change, MailboxCursor? origin) =>
        ChangeAsync<FlagChangeOutcome?>(async () =>
        {
            if (mailbox.Spell(change.Flags) is not { } spelled) return null;
            var system = change.Operation == StoreOperation.Replace || !spelled.Keywords.IsEmpty ? SystemFlags.None : spelled.System;
            var plan = change.Operation == StoreOperation.Remove
                ? mailbox.Plan(uids, SystemFlags.None, system, change.UnchangedSince)
                : mailbox.Plan(uids, system, SystemFlags.None, change.UnchangedSince);
            if (system != SystemFlags.None && plan.IsEmpty) return new FlagChangeOutcome(plan.Found, 0, plan.Modified);
            if (system != SystemFlags.None && plan.IsWorthRanges)
            {
                var modSeq = await _store.StoreFlagsAsync(mailbox.Id, plan.Ranges, CancellationToken.None);
                mailbox.FlagsChanged(plan.Ranges, modSeq, origin);
                Watchers.Publish(mailbox.Id, NotifyEvents.FlagChange);
                return new FlagChangeOutcome(plan.Found, modSeq, plan.Modified);
            }
            var due = plan.Modified.Count == 0 ? uids : [.. uids.Except(plan.Modified)];
            if (change.Operation == StoreOperation.Replace && !change.Permitted.AreAll)
            {
                var replaced = 0;
                var lastModSeq = 0UL;
                foreach (var (flags, group) in change.Permitted.Replace(mailbox.Find(due).OfType<MessageRecord>(), spelled).ToArray())
                {
                    var some = await _store.StoreFlagsAsync(mailbox.Id, group, StoreOperation.Replace, flags, CancellationToken.None);
                    // The session is told like all others: what it asked for is not what came of it.
                    mailbox.FlagsChanged(some.Messages, origin: null);
                    replaced += some.Messages.Count;
                    lastModSeq = some.ModSeq;
                }
                Watchers.Publish(mailbox.Id, NotifyEvents.FlagChange);
                return new FlagChangeOutcome(replaced + plan.Modified.Count, lastModSeq, plan.Modified);
            }
            var stored = await _store.StoreFlagsAsync(mailbox.Id, due, change.Operation, spelled, CancellationToken.None);
            mailbox.FlagsChanged(stored.Messages, origin);
            Watchers.Publish(mailbox.Id, NotifyEvents.FlagChange);
            return new FlagChangeOutcome(stored.Messages.Count + plan.Modified.Count, stored.ModSeq, plan.Modified);
        });

    /// <summary>Removes messages that carry <c>\Deleted</c> and tells every session that has the mailbox selected.</summary>
    public Task<ExpungedMessages> ExpungeAsync(SharedMailbox mailbox, List<uint> uids) =>
        ChangeAsync(async () =>
        {
            var deleted = mailbox.Find(CollectionsMarshal.AsSpan(uids)).OfType<MessageRecord>().Where(static message => (message.Flags & SystemFlags.Deleted) != 0);
            var removed = await _store.ExpungeAsync(mailbox.Id, [.. deleted], CancellationToken.None);
            mailbox.Removed(removed);
            if (removed.Uids.Count > 0) Watchers.Publish(mailbox.Id, NotifyEvents.MessageExpunge);
            ContentRemoval.Begin();
            return removed;
        });

    /// <summary>Removes messages whatever their flags, because they are elsewhere now, and tells every session that has the mailbox selected.</summary>
    public Task<ExpungedMessages> RemoveAsync(SharedMailbox mailbox, IReadOnlyList<uint> uids) =>
        ChangeAsync(async () =>
        {
            var removed = await _store.ExpungeAsync(mailbox.Id, uids, CancellationToken.None);
            mailbox.Removed(removed);
            if (removed.Uids.Count > 0) Watchers.Publish(mailbox.Id, NotifyEvents.MessageExpunge);
            ContentRemoval.Begin();
            return removed;
        });

    /// <summary>Copies or moves messages, all in one transaction, and tells every session that has either mailbox selected.</summary>
    /// <returns>What was copied and the target's UIDVALIDITY, or why nothing was.</returns>
    public Task<CopyOutcome> CopyAsync(SharedMailbox from, IReadOnlyList<uint> uids, MailboxName to, bool move) =>
        ChangeAsync(async () =>
        {
            if (FindSelectable(to) is not { } target) return CopyOutcome.NoTarget;
            if (uids.Count == 0) return new CopyOutcome(CopyResult.Done, target.UidValidity, []);
            // All or nothing: a message that somebody expunged meanwhile fails the command before anything is copied (RFC 3501 section 6.4.7).
            var originals = from.Find(uids.ToArray());
            if (originals.Contains(null)) return CopyOutcome.Expunged;
            string[] keywords = [.. originals.SelectMany(static message => message!.Keywords).Distinct(StringComparer.OrdinalIgnoreCase)];
            if (!TryUseKeywords(target.Id, keywords)) return CopyOutcome.TooManyKeywords;
            var (copies, sourceModSeq) = await _store.CopyAsync(from.Id, uids, target.Id, move, CancellationToken.None);
            _open.Find(target.Id)?.Added([.. copies.Select(static copy => copy.Copy)]);
            if (move) from.Removed(new ExpungedMessages([.. copies.Select(static copy => copy.SourceUid)], sourceModSeq));
            Watchers.Publish(target.Id, NotifyEvents.MessageNew);
            if (move) Watchers.Publish(from.Id, NotifyEvents.MessageExpunge);
            return new CopyOutcome(CopyResult.Done, target.UidValidity, copies);
        });

    public Task<StoreResult> CreateMailboxAsync(MailboxName name, string? specialUse) =>
        ChangeAsync(async () =>
        {
            var given = _store.Access.Given();
            var result = await _store.CreateMailboxAsync(name, specialUse, CancellationToken.None);
            RemoveSharing(given);
            if (result == StoreResult.Done) Watchers.Publish(new MailboxEvent(MailboxEventKind.Created, name));
            return result;
        });

    /// <summary>Deletes a mailbox; sessions that have it selected are told to leave.</summary>
    public Task<StoreResult> DeleteMailboxAsync(MailboxName name) =>
        ChangeAsync(async () =>
        {
            var record = _store.FindMailbox(name);
            var given = _store.Access.Given();
            var result = await _store.DeleteMailboxAsync(name, CancellationToken.None);
            if (result == StoreResult.Done && record is not null) _open.Delete(record.Id);
            RemoveSharing(given);
            ContentRemoval.Begin();
            if (result == StoreResult.Done) Watchers.Publish(new MailboxEvent(MailboxEventKind.Deleted, name));
            return result;
        });

    /// <summary>Renames a mailbox. Sessions that have it selected go on with it under its new name; those that have INBOX selected see its messages leave.</summary>
    public Task<StoreResult> RenameMailboxAsync(MailboxName from, MailboxName to) =>
        ChangeAsync(async () =>
        {
            var result = await _store.RenameMailboxAsync(from, to, CancellationToken.None);
            if (result != StoreResult.Done) return result;
            if (from.IsInbox && _store.FindMailbox(MailboxName.Inbox) is { } inbox)
            {
                _open.Find(inbox.Id)?.Reloaded(inbox, _store.LoadMessages(inbox.Id));
                Watchers.Publish(inbox.Id, NotifyEvents.MessageExpunge);
                Watchers.Publish(new MailboxEvent(MailboxEventKind.Created, to));
                if (_store.FindMailbox(to) is { } filled) Watchers.Publish(filled.Id, NotifyEvents.MessageNew);
            }
            else
            {
                Watchers.PublishRenamed(_store, from, to);
            }
            return result;
        });

    public Task<StoreResult> SetSubscribedAsync(MailboxName name, bool subscribed) =>
        ChangeAsync(async () =>
        {
            var result = await _store.SetSubscribedAsync(name, subscribed, CancellationToken.None);
            if (result == StoreResult.Done) Watchers.Publish(new MailboxEvent(subscribed ? MailboxEventKind.Subscribed : MailboxEventKind.Unsubscribed, name));
            return result;
        });

    /// <summary>Changes an entry of a mailbox's access list; sessions that have it selected see it at their next command.</summary>
    /// <exception cref="TooManyEntriesException">There would be too many.</exception>
    /// <exception cref="MailboxGoneException">The mailbox was deleted meanwhile.</exception>
    public Task ChangeAccessAsync(long mailboxId, AccessIdentifier identifier, Func<MailboxRights, MailboxRights> change) =>
        ChangeAsync(async () =>
        {
            // First, so that nothing is ever given that the index knows nothing of.
            if (!identifier.IsNegative) _sharing?.Add(identifier, _store.User);
            try
            {
                var access = await _store.Access.ChangeAsync(mailboxId, identifier, change, CancellationToken.None);
                _open.Find(mailboxId)?.AccessChanged(access);
            }
            finally
            {
                RemoveSharing(identifier.IsNegative ? [] : [identifier]);
            }
            return true;
        });

    /// <summary>Sets and removes annotations.</summary>
    /// <exception cref="TooManyEntriesException">There would be too many.</exception>
    /// <exception cref="OverQuotaException">All of the user's together would be too long.</exception>
    public Task SetMetadataAsync(long mailboxId, IReadOnlyList<KeyValuePair<string, byte[]?>> entries) =>
        ChangeAsync(async () =>
        {
            await _store.SetMetadataAsync(mailboxId, entries, CancellationToken.None);
            var name = mailboxId == MetadataTable.Account ? null : _store.FindMailbox(mailboxId)?.Name;
            if (name is not null || mailboxId == MetadataTable.Account) Watchers.Publish(new MailboxEvent(MailboxEventKind.Metadata, name) { Entries = [.. entries.Select(static entry => entry.Key)] });
            return true;
        });

    /// <summary>Lets the change that runs come to its end, and closes the store. Those that wait for their turn fail.</summary>
    public async ValueTask DisposeAsync()
    {
        await ContentRemoval.DisposeAsync();
        if (_textIndexing.IsValueCreated) await _textIndexing.Value.DisposeAsync();
        await TakeTurnAsync(CancellationToken.None);
        try
        {
            _closed = true;
            await _store.DisposeAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes those of the identifiers out of the index to whom nothing is given any more: it must not grow by what comes and goes.</summary>
    private void RemoveSharing(List<AccessIdentifier> identifiers)
    {
        if (_sharing is null || identifiers.Count == 0) return;
        try
        {
            foreach (var identifier in identifiers.Except(_store.Access.Given())) _sharing.Remove(identifier, _store.User);
        }
        catch (StoreException)
        {
            // What is left over gives nothing, and what was asked for is done.
        }
    }

    private Task<bool> RemoveContentsAsync(CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        await _store.RemoveUnreferencedAsync(CancellationToken.None);
        return true;
    }, cancellationToken);

    private Task<bool> AddTextsAsync(IReadOnlyList<IndexedText> texts, CancellationToken cancellationToken) => InTurnAsync(async () =>
    {
        await _store.AddTextsAsync(texts, CancellationToken.None);
        return true;
    }, cancellationToken);

    private Task<(IReadOnlyList<MessageRecord> Messages, uint UidValidity)?> AddAsync(MailboxName mailbox, IReadOnlyList<NewMessage> messages,
        (SharedMailbox Mailbox, uint Uid)? replaced, CancellationToken cancellationToken) =>
        ChangeAsync<(IReadOnlyList<MessageRecord>, uint)?>(async () =>
        {
            if (FindSelectable(mailbox) is not { } target) return null;
            if (replaced is { } old && old.Mailbox.Find(old.Uid) is null) return ([], target.UidValidity);
            var shared = _open.Find(target.Id);
            NewMessage[] spelled = [.. messages.Select(message => message with { Flags = shared?.Spell(message.Flags) ?? message.Flags })];
            var added = await _store.AppendAsync(target.Id, spelled, replaced is { } one ? (one.Mailbox.Id, one.Uid) : null, CancellationToken.None);
            shared?.Added(added.Messages);
            if (replaced is not null) replaced.Value.Mailbox.Removed(added.Replaced);
            Watchers.Publish(target.Id, NotifyEvents.MessageNew);
            if (replaced is not null) Watchers.Publish(replaced.Value.Mailbox.Id, NotifyEvents.MessageExpunge);
            return (added.Messages, target.UidValidity);
        }, cancellationToken);

    private MailboxRecord? FindSelectable(MailboxName name) => _store.FindMailbox(name) is { Selectable: true } record ? record : null;

    private bool TryUseKeywords(long mailboxId, IReadOnlyCollection<string> keywords) => _open.Find(mailboxId) is { } shared
        ? shared.Spell(new FlagList(SystemFlags.None, [.. keywords])) is not null
        : _keywords.TryUse(mailboxId, keywords);

    private async Task SaveRecentAsync(SharedMailbox mailbox)
    {
        if (!mailbox.TakeRecentClaim()) return;
        try
        {
            await _store.FirstRecentUidAsync(mailbox.Id, claim: true, CancellationToken.None);
        }
        catch (MailboxGoneException)
        {
            // Nobody will ask a deleted mailbox for its recent messages.
        }
    }

    private Task<T> ChangeAsync<T>(Func<Task<T>> change, CancellationToken cancellationToken = default) => InTurnAsync(async () =>
    {
        using (_metrics.CommitDuration.NewTimer()) return await change();
    }, cancellationToken);

    private async Task<T> InTurnAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken = default)
    {
        await TakeTurnAsync(cancellationToken);
        try
        {
            if (_fenced.IsCancellationRequested) throw StoreFence.Fenced();
            return _closed ? throw new StoreException("The user's mail has been closed.") : await work();
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task TakeTurnAsync(CancellationToken cancellationToken)
    {
        if (!await _turn.WaitAsync(TurnTimeout, cancellationToken))
            throw new StoreException("The changes before this one do not come to an end.");
    }
}
