using System.Buffers;

namespace ImapDirector.Network;

/// <summary>Bytes that wait for their turn, in a pooled buffer that exists only while there are some. A field of whoever keeps them, never copied.</summary>
public struct KeptBytes
{
    private byte[]? _buffer;
    private int _from;
    private int _to;

    /// <summary>Whether there are none.</summary>
    public readonly bool IsEmpty => _from == _to;

    /// <summary>How many.</summary>
    public readonly int Count => _to - _from;

    /// <summary>They themselves, until something is added or taken.</summary>
    public readonly ReadOnlyMemory<byte> Memory => _buffer.AsMemory(_from.._to);

    /// <summary>Adds some behind the others.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        bytes.CopyTo(Room(bytes.Length).Span);
        _to += bytes.Length;
    }

    /// <summary>Room behind the others, at least as much as asked for; <see cref="Fill"/> says how much of it was used.</summary>
    public Memory<byte> Room(int atLeast)
    {
        if (_buffer is null || _buffer.Length < _to + atLeast)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Count + atLeast);
            Memory.CopyTo(larger);
            var count = Count;
            Clear();
            (_buffer, _to) = (larger, count);
        }
        return _buffer.AsMemory(_to);
    }

    /// <summary>Counts bytes in that were put into <see cref="Room"/>; with none and nothing kept, the buffer goes.</summary>
    public void Fill(int count)
    {
        _to += count;
        if (_from == _to) Clear();
    }

    /// <summary>Takes some out, from the front.</summary>
    public void Take(int count)
    {
        _from += count;
        if (_from == _to) Clear();
    }

    /// <summary>Takes all out.</summary>
    public void Clear()
    {
        if (_buffer is not null)
        {
            // Whoever rents it next, by a mistake elsewhere, must not find mail in it.
            _buffer.AsSpan(0, _to).Clear();
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        (_buffer, _from, _to) = (null, 0, 0);
    }

    /// <summary>As <see cref="Clear"/>, where somebody may be at work with the buffer still: it is left to the garbage collector.</summary>
    public void Abandon() => (_buffer, _from, _to) = (null, 0, 0);
}
