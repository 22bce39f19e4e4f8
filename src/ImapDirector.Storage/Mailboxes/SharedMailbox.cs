using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>A mailbox that at least one session has selected: its messages in memory, shared by all those sessions. The
/// <see cref="UserMail"/> applies every change here after its commit, in commit order; sessions read from here whenever they like.</summary>
internal sealed class SharedMailbox
{
    private readonly Lock _sync = new();
    private readonly ChangeLog _log;
    private readonly List<MailboxCursor> _cursors = [];
    private readonly Dictionary<string, string> _keywordSpellings = new(StringComparer.OrdinalIgnoreCase);
    private MessageList _messages;
    // What the sessions begin with, one for all of them as long as no message comes or goes.
    private uint[]? _uids;
    private ImmutableArray<string> _keywords = [];
    private uint _uidNext;
    private uint _firstRecent;
    private ulong _modSeq;
    private bool _recentClaimed;
    private bool _gone;
    private AccessList _access = AccessList.Empty;

    public SharedMailbox(MailboxRecord record, MessageList messages, uint firstRecentUid, ChangeLog log)
    {
        Id = record.Id;
        UidValidity = record.UidValidity;
        _log = log;
        _uidNext = record.UidNext;
        _firstRecent = firstRecentUid;
        _modSeq = record.HighestModSeq;
        Take(messages);
    }

    public long Id { get; }

    /// <summary>Who else than the owner may do what with it, as of the last commit.</summary>
    public AccessList Access { get { lock (_sync) return _access; } }

    public uint UidValidity { get; }

    /// <summary>Every keyword seen since the mailbox was opened, in the order of their first use. Only grows.</summary>
    public ImmutableArray<string> Keywords
    {
        get { lock (_sync) return _keywords; }
    }

    public uint UidNext
    {
        get { lock (_sync) return _uidNext; }
    }

    /// <summary>Messages that no read-write session has been told of.</summary>
    public uint RecentCount
    {
        get { lock (_sync) return (uint)(_messages.Count - _messages.IndexOf(_firstRecent)); }
    }

    /// <summary>Whether the store has to be told that no message is <c>\Recent</c> any more: sessions have claimed all there are since the
    /// last call. While some are left nothing is said, so that none is lost; at worst one is recent twice.</summary>
    public bool TakeRecentClaim()
    {
        lock (_sync)
        {
            var claimed = _recentClaimed && _firstRecent == _uidNext;
            if (claimed) _recentClaimed = false;
            return claimed;
        }
    }

    /// <summary>Lets a session in: from now on its signal fires at each change.</summary>
    /// <returns>The UIDs it begins with, ascending; others have the same array.</returns>
    public uint[] Join(MailboxCursor cursor)
    {
        lock (_sync)
        {
            _cursors.Add(cursor);
            cursor.Position = _log.Next;
            cursor.ModSeq = _modSeq;
            cursor.LastUid = _firstRecent - 1;
            ReadAdded(cursor);
            cursor.Added.Clear();
            cursor.Gone = _gone;
            return _uids ??= _messages.Uids.ToArray();
        }
    }

    public void Leave(MailboxCursor cursor)
    {
        lock (_sync) _cursors.Remove(cursor);
    }

    /// <summary>Reads everything that happened since the last call into the cursor.</summary>
    /// <param name="cursor">The session's.</param>
    /// <param name="view">The UIDs the session's client knows, ascending.</param>
    public void Read(MailboxCursor cursor, ReadOnlySpan<uint> view)
    {
        lock (_sync)
        {
            cursor.Gone = _gone;
            if (cursor.Position >= _log.First) ReadLog(cursor);
            else Compare(cursor, view);
            cursor.Position = _log.Next;
            cursor.ModSeq = _modSeq;
            ReadAdded(cursor);
        }
    }

    /// <summary>The message, or <c>null</c> when it is not there any more.</summary>
    public MessageRecord? Find(uint uid)
    {
        lock (_sync) return FindLocked(uid);
    }

    /// <summary>The messages of these UIDs, which ascend; <c>null</c> for those that are not there any more.</summary>
    public MessageRecord?[] Find(ReadOnlySpan<uint> uids)
    {
        var found = new MessageRecord?[uids.Length];
        lock (_sync)
        {
            var index = 0;
            for (var i = 0; i < uids.Length; i++)
                if (TryFindNext(uids[i], ref index)) found[i] = _messages[index];
        }
        return found;
    }

    /// <summary>Adds those of these UIDs, which ascend, that are still there.</summary>
    public void AddPresent(ReadOnlySpan<uint> uids, List<uint> present)
    {
        lock (_sync)
        {
            var index = 0;
            foreach (var uid in uids)
                if (TryFindNext(uid, ref index)) present.Add(uid);
        }
    }

    /// <summary>The messages of these UIDs, which ascend, that changed after a mod-sequence.</summary>
    public List<MessageRecord> FindChanged(ReadOnlySpan<uint> uids, ulong since)
    {
        var found = new List<MessageRecord>();
        lock (_sync)
        {
            var index = 0;
            foreach (var uid in uids)
                if (TryFindNext(uid, ref index) && _messages.ModSeqOf(index) > since) found.Add(_messages[index]);
        }
        return found;
    }

    /// <summary>The UIDs of all messages that have all of these flags.</summary>
    public List<uint> FindFlagged(SystemFlags flags)
    {
        var found = new List<uint>();
        lock (_sync)
        {
            var present = _messages.Flags;
            for (var i = 0; i < present.Length; i++)
                if ((present[i] & flags) == flags) found.Add(_messages.Uids[i]);
        }
        return found;
    }

    /// <summary>The UID of the first message without <c>\Seen</c>, or 0.</summary>
    public uint FirstUnseenUid()
    {
        lock (_sync)
        {
            var flags = _messages.Flags;
            for (var i = 0; i < flags.Length; i++)
                if ((flags[i] & SystemFlags.Seen) == 0) return _messages.Uids[i];
        }
        return 0;
    }

    /// <summary>The flags with each keyword spelled as the mailbox has it already; <c>null</c> when they would make too many (limits N11).</summary>
    public FlagList? Spell(FlagList flags)
    {
        lock (_sync)
        {
            var added = 0;
            var spelled = flags.Keywords.ToBuilder();
            for (var i = 0; i < spelled.Count; i++)
            {
                if (_keywordSpellings.TryGetValue(spelled[i], out var known)) spelled[i] = known;
                else added++;
            }
            if (_keywordSpellings.Count + added > KeywordLimit.PerMailbox) return null;
            return flags with { Keywords = spelled.DrainToImmutable() };
        }
    }

    public void Added(IReadOnlyList<MessageRecord> messages)
    {
        lock (_sync)
        {
            foreach (var message in messages) Append(message);
            Wake();
        }
    }

    /// <param name="messages">The messages as they are now; those that did not change are passed over.</param>
    /// <param name="origin">The session that made the change.</param>
    public void FlagsChanged(IReadOnlyList<MessageRecord> messages, MailboxCursor? origin)
    {
        lock (_sync)
        {
            foreach (var message in messages)
            {
                var index = FindIndex(message.Uid);
                if (index < 0 || _messages.ModSeqOf(index) >= message.ModSeq) continue;
                _messages[index] = message;
                _modSeq = Math.Max(_modSeq, message.ModSeq);
                LearnKeywords(message.Keywords);
                _log.Add(new MailboxChange(message.Uid, message.Uid, message.ModSeq, ChangeKind.Flags, origin));
            }
            Wake();
        }
    }

    /// <summary>What it takes to change the system flags of many messages.</summary>
    /// <param name="uids">The messages, ascending.</param>
    /// <param name="added">The flags to set.</param>
    /// <param name="removed">The flags to take away.</param>
    /// <param name="unchangedSince">Those changed after this are left alone.</param>
    public FlagPlan Plan(ReadOnlySpan<uint> uids, SystemFlags added, SystemFlags removed, ulong? unchangedSince)
    {
        var plan = new FlagPlan(added, removed);
        lock (_sync)
        {
            var (index, last) = (0, -2);
            foreach (var uid in uids)
            {
                if (!TryFindNext(uid, ref index)) continue;
                if (_messages.ModSeqOf(index) > unchangedSince)
                {
                    plan.LeaveAlone(uid);
                }
                else
                {
                    plan.Add(uid, _messages.Flags[index], isNeighbour: last == index - 1);
                    last = index;
                }
            }
        }
        return plan;
    }

    /// <summary>The system flags of many messages were changed.</summary>
    /// <param name="change">Of which, and how.</param>
    /// <param name="modSeq">The mod-sequence of those really changed.</param>
    /// <param name="origin">The session that made the change.</param>
    public void FlagsChanged(FlagRanges change, ulong modSeq, MailboxCursor? origin)
    {
        lock (_sync)
        {
            foreach (var range in change.Ranges)
            {
                var due = new FlagRange(modSeq, range.First, range.Last, change.Added, change.Removed);
                for (var i = _messages.IndexOf(range.First); i < _messages.Count && _messages.Uids[i] <= range.Last; i++)
                {
                    var (flags, before) = (_messages.Flags[i], _messages.ModSeqOf(i));
                    if (due.TryApply(ref flags, ref before)) _messages.SetFlags(i, flags, modSeq);
                }
                _log.Add(new MailboxChange(range.First, range.Last, modSeq, ChangeKind.Flags, origin));
            }
            _modSeq = Math.Max(_modSeq, modSeq);
            Wake();
        }
    }

    public void Removed(ExpungedMessages expunged)
    {
        if (expunged.Uids.Count == 0) return;
        lock (_sync)
        {
            _modSeq = Math.Max(_modSeq, expunged.ModSeq);
            _uids = null;
            _messages.Remove(expunged.Uids, uid => _log.Add(new MailboxChange(uid, uid, expunged.ModSeq, ChangeKind.Removed, null)));
            Wake();
        }
    }

    /// <summary>Everything may be different: takes the messages as they are now.</summary>
    public void Reloaded(MailboxRecord record, MessageList messages)
    {
        lock (_sync)
        {
            Take(messages);
            _uidNext = Math.Max(_uidNext, record.UidNext);
            _modSeq = Math.Max(_modSeq, record.HighestModSeq);
            _log.Forget();
            Wake();
        }
    }

    /// <summary>Rights were given or taken away: each session looks at its own before it tells or does anything more.</summary>
    public void AccessChanged(AccessList access)
    {
        lock (_sync)
        {
            _access = access;
            Wake();
        }
    }

    /// <summary>The mailbox was deleted: its sessions have to leave.</summary>
    public void Deleted()
    {
        lock (_sync)
        {
            _gone = true;
            Wake();
        }
    }

    [MemberNotNull(nameof(_messages))]
    private void Take(MessageList messages)
    {
        _messages = messages;
        _uids = null;
        for (var i = 0; i < messages.Count; i++) _modSeq = Math.Max(_modSeq, messages.ModSeqOf(i));
        if (messages.Count > 0) _uidNext = Math.Max(_uidNext, messages.Uids[^1] + 1);
        foreach (var keywords in messages.KeywordLists) LearnKeywords(keywords);
    }

    private void Append(MessageRecord message)
    {
        _messages.Add(message);
        _uids = null;
        _uidNext = Math.Max(_uidNext, message.Uid + 1);
        _modSeq = Math.Max(_modSeq, message.ModSeq);
        LearnKeywords(message.Keywords);
    }

    private void LearnKeywords(ImmutableArray<string> keywords)
    {
        foreach (var keyword in keywords)
            if (_keywordSpellings.TryAdd(keyword, keyword)) _keywords = _keywords.Add(keyword);
    }

    private void Wake()
    {
        foreach (var cursor in _cursors) cursor.Signal.Set();
    }

    private void ReadLog(MailboxCursor cursor)
    {
        for (var position = cursor.Position; position < _log.Next; position++)
        {
            var change = _log[position];
            if (change.Kind == ChangeKind.Removed) cursor.Removed.Add(change.First);
            else
            {
                if (!ReferenceEquals(change.Origin, cursor)) ReadFlags(cursor.Changed, change);
                if (cursor.Touched is { } touched) ReadFlags(touched, change);
            }
        }
    }

    private void ReadFlags(HashSet<uint> changed, MailboxChange change)
    {
        for (var i = _messages.IndexOf(change.First); i < _messages.Count && _messages.Uids[i] <= change.Last; i++)
            if (_messages.ModSeqOf(i) >= change.ModSeq) changed.Add(_messages.Uids[i]);
    }

    private void Compare(MailboxCursor cursor, ReadOnlySpan<uint> view)
    {
        var index = 0;
        foreach (var uid in view)
        {
            while (index < _messages.Count && _messages.Uids[index] < uid) index++;
            if (index == _messages.Count || _messages.Uids[index] != uid) cursor.Removed.Add(uid);
            else if (_messages.ModSeqOf(index) > cursor.ModSeq) cursor.Changed.Add(uid);
        }
        cursor.Touched?.UnionWith(cursor.Changed);
        cursor.Added.RemoveAll(uid => FindIndex(uid) < 0);
    }

    private void ReadAdded(MailboxCursor cursor)
    {
        var added = _messages.Uids[_messages.IndexOf((ulong)cursor.LastUid + 1)..];
        cursor.Added.AddRange(added);
        if (cursor.Touched is { } touched)
            foreach (var uid in added) touched.Add(uid);
        cursor.Recent.Add(Math.Max(_firstRecent, cursor.LastUid + 1), _uidNext - 1);
        if (!cursor.ReadOnly && _firstRecent < _uidNext)
        {
            _firstRecent = _uidNext;
            _recentClaimed = true;
        }
        cursor.LastUid = _uidNext - 1;
    }

    /// <summary>Finds one message after the other: the next one is nearly always the neighbour of the one before.</summary>
    private bool TryFindNext(uint uid, ref int index)
    {
        if (index + 1 < _messages.Count && _messages.Uids[index + 1] == uid)
        {
            index++;
            return true;
        }
        var found = FindIndex(uid);
        if (found >= 0) index = found;
        return found >= 0;
    }

    private MessageRecord? FindLocked(uint uid) => FindIndex(uid) is >= 0 and var index ? _messages[index] : null;

    private int FindIndex(uint uid)
    {
        var index = _messages.IndexOf(uid);
        return index < _messages.Count && _messages.Uids[index] == uid ? index : -1;
    }
}
