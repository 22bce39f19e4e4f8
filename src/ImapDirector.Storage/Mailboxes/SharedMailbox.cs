using System.Collections.Immutable;
using System.Runtime.InteropServices;
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
    private readonly List<MessageRecord> _messages = [];
    private ImmutableArray<string> _keywords = [];
    private uint _uidNext;
    private uint _firstRecent;
    private ulong _modSeq;
    private bool _recentClaimed;
    private bool _gone;

    public SharedMailbox(MailboxRecord record, IReadOnlyList<MessageRecord> messages, uint firstRecentUid, ChangeLog log)
    {
        Id = record.Id;
        UidValidity = record.UidValidity;
        _log = log;
        _uidNext = record.UidNext;
        _firstRecent = firstRecentUid;
        _modSeq = record.HighestModSeq;
        _messages.EnsureCapacity(messages.Count);
        foreach (var message in messages) Append(message);
    }

    public long Id { get; }

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
        get { lock (_sync) return (uint)(_messages.Count - IndexOf(_firstRecent)); }
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
    /// <returns>The UIDs it begins with, ascending.</returns>
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
            var uids = new uint[_messages.Count];
            for (var i = 0; i < uids.Length; i++) uids[i] = _messages[i].Uid;
            return uids;
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

    /// <summary>The messages of these UIDs, <c>null</c> for those that are not there any more.</summary>
    public MessageRecord?[] Find(ReadOnlySpan<uint> uids)
    {
        var found = new MessageRecord?[uids.Length];
        lock (_sync)
            for (var i = 0; i < uids.Length; i++) found[i] = FindLocked(uids[i]);
        return found;
    }

    /// <summary>The UIDs of all messages that have all of these flags.</summary>
    public List<uint> FindFlagged(SystemFlags flags)
    {
        var found = new List<uint>();
        lock (_sync)
            foreach (var message in _messages)
                if ((message.Flags & flags) == flags) found.Add(message.Uid);
        return found;
    }

    /// <summary>The UID of the first message without <c>\Seen</c>, or 0.</summary>
    public uint FirstUnseenUid()
    {
        lock (_sync)
            foreach (var message in _messages)
                if ((message.Flags & SystemFlags.Seen) == 0) return message.Uid;
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
                var index = IndexOf(message.Uid);
                if (index == _messages.Count || _messages[index].Uid != message.Uid || _messages[index].ModSeq >= message.ModSeq) continue;
                _messages[index] = message;
                _modSeq = Math.Max(_modSeq, message.ModSeq);
                LearnKeywords(message);
                _log.Add(new MailboxChange(message.Uid, ChangeKind.Flags, origin));
            }
            Wake();
        }
    }

    public void Removed(ExpungedMessages expunged)
    {
        var uids = expunged.Uids;
        if (uids.Count == 0) return;
        lock (_sync)
        {
            _modSeq = Math.Max(_modSeq, expunged.ModSeq);
            var next = 0;
            var kept = IndexOf(uids[0]);
            for (var i = kept; i < _messages.Count; i++)
            {
                var uid = _messages[i].Uid;
                while (next < uids.Count && uids[next] < uid) next++;
                if (next < uids.Count && uids[next] == uid) _log.Add(new MailboxChange(uid, ChangeKind.Removed, null));
                else _messages[kept++] = _messages[i];
            }
            _messages.RemoveRange(kept, _messages.Count - kept);
            Wake();
        }
    }

    /// <summary>Everything may be different: takes the messages as they are now.</summary>
    public void Reloaded(MailboxRecord record, IReadOnlyList<MessageRecord> messages)
    {
        lock (_sync)
        {
            _messages.Clear();
            foreach (var message in messages) Append(message);
            _uidNext = Math.Max(_uidNext, record.UidNext);
            _modSeq = Math.Max(_modSeq, record.HighestModSeq);
            _log.Forget();
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

    private void Append(MessageRecord message)
    {
        _messages.Add(message);
        _uidNext = Math.Max(_uidNext, message.Uid + 1);
        _modSeq = Math.Max(_modSeq, message.ModSeq);
        LearnKeywords(message);
    }

    private void LearnKeywords(MessageRecord message)
    {
        foreach (var keyword in message.Keywords)
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
            if (change.Kind == ChangeKind.Removed) cursor.Removed.Add(change.Uid);
            else if (!ReferenceEquals(change.Origin, cursor)) cursor.Changed.Add(change.Uid);
        }
    }

    private void Compare(MailboxCursor cursor, ReadOnlySpan<uint> view)
    {
        var index = 0;
        foreach (var uid in view)
        {
            while (index < _messages.Count && _messages[index].Uid < uid) index++;
            if (index == _messages.Count || _messages[index].Uid != uid) cursor.Removed.Add(uid);
            else if (_messages[index].ModSeq > cursor.ModSeq) cursor.Changed.Add(uid);
        }
        cursor.Added.RemoveAll(uid => FindLocked(uid) is null);
    }

    private void ReadAdded(MailboxCursor cursor)
    {
        for (var i = IndexOf((ulong)cursor.LastUid + 1); i < _messages.Count; i++) cursor.Added.Add(_messages[i].Uid);
        cursor.Recent.Add(Math.Max(_firstRecent, cursor.LastUid + 1), _uidNext - 1);
        if (!cursor.ReadOnly && _firstRecent < _uidNext)
        {
            _firstRecent = _uidNext;
            _recentClaimed = true;
        }
        cursor.LastUid = _uidNext - 1;
    }

    private MessageRecord? FindLocked(uint uid)
    {
        var index = IndexOf(uid);
        return index < _messages.Count && _messages[index].Uid == uid ? _messages[index] : null;
    }

    private int IndexOf(ulong uid)
    {
        var messages = CollectionsMarshal.AsSpan(_messages);
        var (low, high) = (0, messages.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (messages[middle].Uid < uid) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
