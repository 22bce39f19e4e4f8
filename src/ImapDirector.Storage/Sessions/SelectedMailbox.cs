using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Sessions;

/// <summary>A session's view of the mailbox it has selected: the UIDs its client has been told of, whose places are the message sequence
/// numbers. It changes only when the client is told so.</summary>
internal sealed class SelectedMailbox
{
    private readonly MailboxCursor _cursor;
    private readonly EnabledExtensions _enabled;
    private uint[] _uids;
    private bool _hasOwnUids;
    private SearchContexts? _contexts;
    private int _count;
    private int _keywordsTold;
    private int _recentTold;

    /// <param name="shared">The mailbox.</param>
    /// <param name="access">What the session may do with it, to be disposed when it is left.</param>
    /// <param name="cursor">What the session joined it with.</param>
    /// <param name="uids">What was in it then, ascending. It is not written to.</param>
    /// <param name="enabled">How the client wants to be told of changes.</param>
    public SelectedMailbox(SharedMailbox shared, MailboxAccess access, MailboxCursor cursor, uint[] uids, EnabledExtensions enabled)
    {
        Shared = shared;
        Access = access;
        ObjectScope = access.ObjectScope;
        _cursor = cursor;
        _enabled = enabled;
        _uids = uids;
        _count = uids.Length;
        _keywordsTold = shared.Keywords.Length;
    }

    public SharedMailbox Shared { get; }

    /// <summary>What the session was allowed when it selected the mailbox.</summary>
    public MailboxAccess Access { get; }

    /// <summary>The mail that the mailbox belongs to.</summary>
    public UserMail Mail => Access.Mail;

    /// <summary>What keeps its ids apart from those of the user's own mailboxes.</summary>
    public string ObjectScope { get; }

    /// <summary>What the session may do with it now.</summary>
    public MailboxRights Rights => Access.RightsNow(Shared);

    public bool MayRead => Allows(MailboxRights.Read);

    /// <summary>The flags that the session may change now.</summary>
    public PermittedFlags PermittedFlags => new(Rights);

    public bool Allows(MailboxRights needed) => (Rights & needed) == needed;

    public bool ReadOnly => _cursor.ReadOnly;

    /// <summary>Names this session where it changes the mailbox, so that it is not told of what it answers itself.</summary>
    public MailboxCursor Cursor => _cursor;

    /// <summary>The UIDs known to the client, ascending; the sequence number is the index plus one.</summary>
    public ReadOnlySpan<uint> Uids => _uids.AsSpan(0, _count);

    public int Count => _count;

    /// <summary>What the last search kept as <c>$</c> (RFC 5182), ascending; messages expunged since then count for nothing.</summary>
    public uint[] SavedResult { get; set; } = [];

    public int RecentCount => _cursor.Recent.Count(Uids);

    /// <summary>Whether the message is <c>\Recent</c> in this session; IMAP4rev2 knows no such thing.</summary>
    public bool IsRecent(uint uid) => !_enabled.Imap4Rev2 && _cursor.Recent.Contains(uid);

    /// <summary>Results that are kept up to date (RFC 5267).</summary>
    public SearchContexts Contexts => _contexts ??= new SearchContexts(this, _cursor);

    /// <summary>What is to be told of new messages once the client knows that they are there.</summary>
    public List<(ImmutableArray<FetchItem> Items, List<uint> Uids)> News { get; } = [];

    /// <summary>What the client wants to know of it; <c>null</c> for everything, as long as it has not asked for something else (RFC 5465).</summary>
    public NotifyGroup? Wanted { get; set; }

    /// <summary>Completes when another session has changed something.</summary>
    public Task WaitForChangeAsync() => _cursor.Signal.WaitAsync();

    /// <summary>The sequence number of a UID, or 0.</summary>
    public uint SequenceOf(uint uid)
    {
        var index = UidSearch.LowerBound(Uids, uid);
        return index < _count && _uids[index] == uid ? (uint)index + 1 : 0;
    }

    /// <summary>The mod-sequence up to which the client knows everything, once it has been told of what was read.</summary>
    public ulong HighestModSeq => _cursor.ModSeq;

    /// <summary>The UIDNEXT that goes with the messages the client knows.</summary>
    public uint UidNext => _cursor.LastUid + 1;

    /// <summary>The sequence number of the first message without <c>\Seen</c>, or 0.</summary>
    public uint FirstUnseen() => SequenceOf(Shared.FirstUnseenUid());

    /// <summary>The UIDs that a client's set of them names and the client knows, for look-ups.</summary>
    public UidRanges ResolveUids(SequenceSet set)
    {
        var ranges = new UidRanges();
        foreach (var (first, last) in Resolve(set, byUid: true) ?? []) ranges.Add(_uids[first], _uids[last]);
        return ranges;
    }

    /// <summary>The places that a client's set names, as ascending ranges of indices (both ends included).</summary>
    /// <returns><c>null</c> when a message number is out of range; UIDs that do not exist are passed over.</returns>
    public List<(int First, int Last)>? Resolve(SequenceSet set, bool byUid)
    {
        var places = new List<(int, int)>();
        if (set.IsSavedResult)
        {
            foreach (var uid in SavedResult)
                if (SequenceOf(uid) is > 0 and var sequence) places.Add(((int)sequence - 1, (int)sequence - 1));
            return places;
        }
        if (byUid)
        {
            foreach (var range in set.Resolve(_count == 0 ? 0 : _uids[_count - 1]))
            {
                var first = UidSearch.LowerBound(Uids, range.First);
                var last = UidSearch.LowerBound(Uids, (ulong)range.Last + 1) - 1;
                if (first <= last) places.Add((first, last));
            }
            return places;
        }
        foreach (var range in set.Resolve((uint)_count))
        {
            if (range.First == 0 || range.Last > (uint)_count) return null;
            places.Add(((int)range.First - 1, (int)range.Last - 1));
        }
        // Without messages every number is out of range, "*" as well.
        return places.Count == 0 ? null : places;
    }

    /// <summary>Reads what has happened, without telling the client yet. Commands that change many messages do this between their
    /// batches, so that the log does not run ahead of them.</summary>
    public void Read() => Shared.Read(_cursor, Uids);

    /// <summary>Tells the client everything that has happened and that it may be told now.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="mayExpunge">Whether EXPUNGE is allowed here (RFC 3501 section 7.4.1).</param>
    /// <returns><c>false</c> when the mailbox was deleted, or may not be read any more: the session has to end.</returns>
    public async ValueTask<bool> TellAsync(ResponseStream output, bool mayExpunge)
    {
        Read();
        if (_cursor.Gone || !MayRead) return false;
        if (_cursor.Removed.Count > 0)
        {
            // What was never told of need not be taken back.
            if (_cursor.Added.Count > 0) _cursor.Added.RemoveAll(_cursor.Removed.Remove);
        }
        if (_contexts is not null) await _contexts.TellRemovedAsync(output, mayExpunge ? _cursor.Removed : []);
        if (mayExpunge && _cursor.Removed.Count > 0) await TellExpungedAsync(output);
        var firstNew = _cursor.Added.Count > 0 ? _cursor.Added[0] : uint.MaxValue;
        TellCounts(output);
        if (_contexts is not null) await TellAddedAsync(_contexts, output);
        TellKeywords(output);
        await TellFlagsAsync(output, firstNew);
        return true;
    }

    private async ValueTask TellAddedAsync(SearchContexts contexts, ResponseStream output)
    {
        foreach (var (context, uids) in await contexts.TellAddedAsync(output)) News.Add((context.Wanted.Items, uids));
    }

    private async ValueTask TellExpungedAsync(ResponseStream output)
    {
        if (_enabled.TellsVanished) await WriteVanishedAsync(output);
        OwnUids(_count);
        // From the end, so that no number changes that is still to be told.
        var kept = _count;
        for (var i = _count - 1; i >= 0; i--)
        {
            if (!_cursor.Removed.Contains(_uids[i]))
            {
                _uids[--kept] = _uids[i];
                continue;
            }
            if (_enabled.TellsVanished) continue;
            output.Raw("* "u8);
            output.Number((ulong)i + 1);
            output.Raw(" EXPUNGE\r\n"u8);
            await output.FlushIfLargeAsync();
        }
        Array.Copy(_uids, kept, _uids, 0, _count - kept);
        _count -= kept;
        _cursor.Removed.Clear();
    }

    private async ValueTask WriteVanishedAsync(ResponseStream output)
    {
        var vanished = new List<uint>();
        foreach (var uid in Uids)
            if (_cursor.Removed.Contains(uid)) vanished.Add(uid);
        if (vanished.Count == 0) return;
        output.Raw("* VANISHED "u8);
        output.SequenceSet(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(vanished));
        output.EndLine();
        await output.FlushIfLargeAsync();
    }

    private void TellCounts(ResponseStream output)
    {
        if (_cursor.Added.Count > 0)
        {
            if (Wanted is { NewItems.IsEmpty: false } wanted) News.Add((wanted.NewItems, [.. _cursor.Added]));
            var needed = _count + _cursor.Added.Count;
            OwnUids(needed);
            _cursor.Added.CopyTo(_uids, _count);
            _count = needed;
            _cursor.Added.Clear();
            WriteExists(output);
        }
        // Expunges change it as well.
        if (!_enabled.Imap4Rev2 && RecentCount != _recentTold) WriteRecent(output);
    }

    /// <summary>Makes the view one that can be written to, with room for so many.</summary>
    private void OwnUids(int needed)
    {
        if (needed > _uids.Length) Array.Resize(ref _uids, Math.Max(needed, _uids.Length + _uids.Length / 4 + 4));
        else if (!_hasOwnUids) _uids = _uids.AsSpan().ToArray();
        _hasOwnUids = true;
    }

    public void WriteExists(ResponseStream output)
    {
        output.Raw("* "u8);
        output.Number((ulong)_count);
        output.Raw(" EXISTS\r\n"u8);
    }

    public void WriteRecent(ResponseStream output)
    {
        _recentTold = RecentCount;
        output.Raw("* "u8);
        output.Number((ulong)_recentTold);
        output.Raw(" RECENT\r\n"u8);
    }

    /// <summary>Writes FLAGS and PERMANENTFLAGS.</summary>
    public void WriteFlagList(ResponseStream output)
    {
        const SystemFlags all = SystemFlags.Answered | SystemFlags.Flagged | SystemFlags.Deleted | SystemFlags.Seen | SystemFlags.Draft;
        var keywords = Shared.Keywords;
        _keywordsTold = keywords.Length;
        output.Raw("* FLAGS "u8);
        output.Flags(all, keywords.AsSpan(), recent: false);
        output.Raw("\r\n* OK [PERMANENTFLAGS "u8);
        if (ReadOnly)
        {
            output.Raw("()] No flag can be changed here.\r\n"u8);
            return;
        }
        var permitted = PermittedFlags;
        var changeable = permitted.Of(new FlagList(all, keywords));
        // \* promises that new keywords can be made.
        output.Flags(changeable.System, changeable.Keywords.AsSpan(), recent: false, any: permitted.Keywords && keywords.Length < KeywordLimit.PerMailbox);
        output.Raw("] Flags permitted.\r\n"u8);
    }

    /// <summary>Tells of keywords that are new to the client, before any response that uses them.</summary>
    public void TellKeywords(ResponseStream output)
    {
        if (Shared.Keywords.Length > _keywordsTold) WriteFlagList(output);
    }

    private async ValueTask TellFlagsAsync(ResponseStream output, uint firstNew)
    {
        if (_cursor.Changed.Count == 0) return;
        if (Wanted is { Events: not NotifyEvents.None and var events } && (events & NotifyEvents.FlagChange) == 0) _cursor.Changed.Clear();
        var changed = _cursor.Changed.ToArray();
        _cursor.Changed.Clear();
        Array.Sort(changed);
        foreach (var uid in changed)
        {
            // The client asks for the flags of messages that are new to it anyway.
            if (uid >= firstNew || SequenceOf(uid) is not (> 0 and var sequence) || Shared.Find(uid) is not { } message) continue;
            WriteFlags(output, sequence, message, withUid: _enabled.QResync);
            await output.FlushIfLargeAsync();
            await output.Turns!.NextAsync();
        }
    }

    /// <summary>Writes HIGHESTMODSEQ as an untagged response.</summary>
    public void WriteHighestModSeq(ResponseStream output)
    {
        output.Raw("* OK [HIGHESTMODSEQ "u8);
        output.Number(HighestModSeq);
        output.Raw("] Highest.\r\n"u8);
    }

    /// <summary>Writes the beginning of a FETCH response up to its first item, or that of UIDFETCH (RFC 9586 section 3.3).</summary>
    public void BeginFetch(ResponseStream output, uint sequence, uint uid)
    {
        output.Raw("* "u8);
        output.Number(_enabled.UidOnly ? uid : sequence);
        output.Raw(_enabled.UidOnly ? " UIDFETCH ("u8 : " FETCH ("u8);
    }

    /// <summary>Writes a FETCH response with a message's mod-sequence alone.</summary>
    public void WriteModSeq(ResponseStream output, uint sequence, MessageRecord message, bool withUid)
    {
        BeginFetch(output, sequence, message, withUid);
        output.Raw("MODSEQ ("u8);
        output.Number(message.ModSeq);
        output.Raw("))\r\n"u8);
    }

    /// <summary>Writes a FETCH response with a message's flags.</summary>
    public void WriteFlags(ResponseStream output, uint sequence, MessageRecord message, bool withUid)
    {
        BeginFetch(output, sequence, message, withUid || _enabled.QResync);
        output.Raw("FLAGS "u8);
        output.Flags(message.Flags, message.Keywords.AsSpan(), IsRecent(message.Uid));
        if (_enabled.CondStore)
        {
            output.Raw(" MODSEQ ("u8);
            output.Number(message.ModSeq);
            output.Raw(")"u8);
        }
        output.Raw(")\r\n"u8);
    }

    private void BeginFetch(ResponseStream output, uint sequence, MessageRecord message, bool withUid)
    {
        BeginFetch(output, sequence, message.Uid);
        if (!withUid || _enabled.UidOnly) return;
        output.Raw("UID "u8);
        output.Number(message.Uid);
        output.Raw(" "u8);
    }
}
