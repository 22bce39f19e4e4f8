using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using ImapDirector.Storage.Store.Mime;

namespace ImapDirector.Storage.Store;

/// <summary>What THREAD needs to know of the messages of a mailbox, in order of arrival: a column for each fact, since a mailbox may have very many messages and
/// an object for each would be most of the work.</summary>
internal sealed class ThreadItems
{
    private const int MaxCharsOnStack = 512;

    private readonly List<uint> _uids = [];
    private readonly List<long> _sent = [];
    // A message's subject, and in the lowest bit whether it was that of a reply.
    private readonly List<int> _subjects = [];
    private readonly List<UInt128> _ids = [];
    private readonly List<UInt128> _parents = [];
    private readonly List<int> _parentsEnd = [];
    private readonly Dictionary<string, int> _subjectNumbers = new(StringComparer.Ordinal) { [""] = 0 };
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _knownSubjects;

    public ThreadItems() => _knownSubjects = _subjectNumbers.GetAlternateLookup<ReadOnlySpan<char>>();

    public int Count => _uids.Count;

    /// <summary>How many subjects there are; 0 is the empty one.</summary>
    public int Subjects => _subjectNumbers.Count;

    public uint UidOf(int item) => _uids[item];

    /// <summary>When it was sent, in seconds since 1970.</summary>
    public long SentSecondsOf(int item) => _sent[item];

    /// <summary>The number of its base subject: the same for all messages with that subject, and 0 when it has none.</summary>
    public int SubjectOf(int item) => _subjects[item] >> 1;

    /// <summary>Whether its subject was that of a reply or a forward.</summary>
    public bool IsReply(int item) => (_subjects[item] & 1) != 0;

    /// <summary>The hash of its message id, or 0 when it has none.</summary>
    public UInt128 MessageIdOf(int item) => _ids[item];

    /// <summary>The hashes of the messages it refers to, the eldest first.</summary>
    public ReadOnlySpan<UInt128> ParentsOf(int item)
    {
        var begin = item == 0 ? 0 : _parentsEnd[item - 1];
        return CollectionsMarshal.AsSpan(_parents)[begin.._parentsEnd[item]];
    }

    /// <param name="uid">Its UID, above those before.</param>
    /// <param name="sentSeconds">When it was sent, in seconds since 1970.</param>
    /// <param name="subject">Its base subject, folded, in UTF-8.</param>
    /// <param name="isReply">Whether its subject was that of a reply or a forward.</param>
    /// <param name="hasId">Whether the message has an id.</param>
    /// <param name="ids">The hash of its message id, when it has one, and then those of the messages it refers to.</param>
    public void Add(uint uid, long sentSeconds, ReadOnlySpan<byte> subject, bool isReply, bool hasId, ReadOnlySpan<byte> ids)
    {
        _uids.Add(uid);
        _sent.Add(sentSeconds);
        _subjects.Add((NumberOf(subject) << 1) | (isReply ? 1 : 0));
        _ids.Add(hasId ? BinaryPrimitives.ReadUInt128LittleEndian(ids) : UInt128.Zero);
        for (var at = hasId ? HeaderFacts.IdBytes : 0; at < ids.Length; at += HeaderFacts.IdBytes) _parents.Add(BinaryPrimitives.ReadUInt128LittleEndian(ids[at..]));
        _parentsEnd.Add(_parents.Count);
    }

    private int NumberOf(ReadOnlySpan<byte> subject)
    {
        if (subject.IsEmpty) return 0;
        var rented = subject.Length > MaxCharsOnStack ? ArrayPool<char>.Shared.Rent(subject.Length) : null;
        var chars = rented ?? stackalloc char[MaxCharsOnStack];
        chars = chars[..Encoding.UTF8.GetChars(subject, chars)];
        if (!_knownSubjects.TryGetValue(chars, out var number)) _subjectNumbers.Add(chars.ToString(), number = _subjectNumbers.Count);
        if (rented is not null) ArrayPool<char>.Shared.Return(rented);
        return number;
    }
}
