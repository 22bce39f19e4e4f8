using System.Collections;
using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;

namespace ImapDirector.Storage.Store;

/// <summary>The messages of a mailbox in UID order, in columns: some fifty bytes a message, and what looks at all of them looks at neighbours.</summary>
internal sealed class MessageList : IReadOnlyList<MessageRecord>
{
    private const int FirstCapacity = 4;

    private readonly KeywordSets _keywords = new();
    private uint[] _uids;
    private SystemFlags[] _flags;
    private Row[] _rows;

    public MessageList(int capacity = 0)
    {
        _uids = capacity == 0 ? [] : new uint[capacity];
        _flags = capacity == 0 ? [] : new SystemFlags[capacity];
        _rows = capacity == 0 ? [] : new Row[capacity];
    }

    public int Count { get; private set; }

    public ReadOnlySpan<uint> Uids => _uids.AsSpan(0, Count);

    public ReadOnlySpan<SystemFlags> Flags => _flags.AsSpan(0, Count);

    /// <summary>Each combination of keywords that a message has.</summary>
    public IEnumerable<ImmutableArray<string>> KeywordLists => _keywords.InUse;

    /// <summary>A message; one that is written has the UID of the one it replaces.</summary>
    public MessageRecord this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            ref readonly var row = ref _rows[index];
            return new MessageRecord(_uids[index], row.ModSeq, _flags[index], _keywords[row.Keywords],
                DateTimeOffset.FromUnixTimeSeconds(row.DateSeconds).ToOffset(TimeSpan.FromMinutes(row.OffsetMinutes)), row.SizeBytes, row.ContentId)
            { SavedSeconds = row.SavedSeconds };
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            var before = _rows[index].Keywords;
            Write(index, value.Flags, RowOf(value));
            _keywords.Remove(before);
        }
    }

    public static MessageList Of(IEnumerable<MessageRecord> messages)
    {
        var list = new MessageList();
        foreach (var message in messages) list.Add(message);
        return list;
    }

    public ulong ModSeqOf(int index) => _rows[index].ModSeq;

    /// <summary>Adds a message above all others.</summary>
    public void Add(MessageRecord message) => Add(message.Uid, message.Flags, RowOf(message));

    /// <summary>Adds a row as the database has it, above all others: <see cref="MessageTable.Columns"/>.</summary>
    public void Add(StoredRow stored) => Add((uint)stored.Integer(0), (SystemFlags)stored.Integer(2), new Row
    {
        ModSeq = (ulong)stored.Integer(1),
        Keywords = stored.Bytes(3) is { Length: > 0 } ? _keywords.Add(stored.Text(3)) : KeywordSets.None,
        DateSeconds = stored.Integer(4),
        OffsetMinutes = (short)stored.Integer(5),
        SizeBytes = (uint)stored.Integer(6),
        ContentId = stored.Integer(7),
        SavedSeconds = stored.Integer(8),
    });

    /// <summary>Changes nothing but the system flags.</summary>
    public void SetFlags(int index, SystemFlags flags, ulong modSeq)
    {
        _flags[index] = flags;
        _rows[index].ModSeq = modSeq;
    }

    /// <summary>Removes messages.</summary>
    /// <param name="uids">Which, ascending; those that are not there are passed over.</param>
    /// <param name="removed">Hears of each that was there.</param>
    public void Remove(IReadOnlyList<uint> uids, Action<uint> removed)
    {
        if (uids.Count == 0) return;
        var next = 0;
        var kept = IndexOf((ulong)uids[0]);
        for (var i = kept; i < Count; i++)
        {
            while (next < uids.Count && uids[next] < _uids[i]) next++;
            if (next < uids.Count && uids[next] == _uids[i])
            {
                removed(_uids[i]);
                _keywords.Remove(_rows[i].Keywords);
                continue;
            }
            (_uids[kept], _flags[kept], _rows[kept]) = (_uids[i], _flags[i], _rows[i]);
            kept++;
        }
        Count = kept;
    }

    /// <summary>The index of the first message whose UID is not below <paramref name="uid"/>.</summary>
    public int IndexOf(ulong uid) => UidSearch.LowerBound(Uids, uid);

    public IEnumerator<MessageRecord> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private void Add(uint uid, SystemFlags flags, Row row)
    {
        if (Count == _uids.Length) Grow();
        _uids[Count] = uid;
        Count++;
        Write(Count - 1, flags, row);
    }

    private void Write(int index, SystemFlags flags, Row row)
    {
        _flags[index] = flags;
        _rows[index] = row;
    }

    private void Grow()
    {
        // A large mailbox grows by few messages at a time.
        var capacity = Math.Max(FirstCapacity, Count + Math.Min(Count, 1024 + Count / 8));
        Array.Resize(ref _uids, capacity);
        Array.Resize(ref _flags, capacity);
        Array.Resize(ref _rows, capacity);
    }

    private Row RowOf(MessageRecord message) => new()
    {
        ModSeq = message.ModSeq,
        Keywords = _keywords.Add(message.Keywords),
        DateSeconds = message.InternalDate.ToUnixTimeSeconds(),
        OffsetMinutes = (short)message.InternalDate.Offset.TotalMinutes,
        SizeBytes = message.SizeBytes,
        ContentId = message.ContentId,
        SavedSeconds = message.SavedSeconds,
    };

    private struct Row
    {
        public ulong ModSeq;
        public long ContentId;
        public long DateSeconds;
        public long SavedSeconds;
        public uint SizeBytes;
        public int Keywords;
        public short OffsetMinutes;
    }
}
