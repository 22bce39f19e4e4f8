using System.Buffers;
using System.IO.Pipelines;

namespace ImapDirector.Tests.Shared;

/// <summary>A pipe whose bytes arrive in pieces the test chose, one piece a read, each its own segment. Counts the bytes it showed,
/// so that a test can tell whether the reader looked at the same bytes over and over.</summary>
public sealed class CutPipeReader : PipeReader
{
    private readonly byte[] _bytes;
    private readonly List<int> _ends;
    private int _arrived;
    private long _consumed;
    private long _examined;
    private ReadOnlySequence<byte> _shown;

    /// <param name="bytes">All bytes; then the stream ends.</param>
    /// <param name="sizes">The sizes of the pieces, used over and over; sizes below 1 count as 1.</param>
    public CutPipeReader(byte[] bytes, params int[] sizes)
    {
        _bytes = bytes;
        _ends = [];
        for (int end = 0, i = 0; end < bytes.Length; i++)
        {
            end = Math.Min(bytes.Length, end + Math.Max(1, sizes.Length == 0 ? bytes.Length : sizes[i % sizes.Length]));
            _ends.Add(end);
        }
    }

    /// <summary>All the bytes at once, in a segment for each piece.</summary>
    public static ReadOnlySequence<byte> Cut(byte[] bytes, params int[] sizes)
    {
        var reader = new CutPipeReader(bytes, sizes);
        reader._arrived = reader._ends.Count;
        return reader.Show();
    }

    /// <summary>The lengths of all buffers given out, added up.</summary>
    public long BytesShown { get; private set; }

    /// <summary>How many bytes the reader has taken.</summary>
    public long BytesConsumed => _consumed;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_arrived < _ends.Count && _examined == ArrivedBytes) _arrived++;
        _shown = Show();
        BytesShown += _shown.Length;
        return new(new ReadResult(_shown, isCanceled: false, isCompleted: _arrived == _ends.Count));
    }

    public override bool TryRead(out ReadResult result) => throw new NotSupportedException();

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        var before = _consumed;
        _examined = before + _shown.Slice(0, examined).Length;
        _consumed = before + _shown.Slice(0, consumed).Length;
    }

    public override void CancelPendingRead() => throw new NotSupportedException();

    public override void Complete(Exception? exception = null)
    {
    }

    private int ArrivedBytes => _arrived == 0 ? 0 : _ends[_arrived - 1];

    private ReadOnlySequence<byte> Show()
    {
        Segment? first = null, last = null;
        var start = (int)_consumed;
        for (var i = _ends.BinarySearch(start) is var found && found >= 0 ? found + 1 : ~found; i < _arrived; i++)
        {
            last = new Segment(_bytes.AsMemory(start, _ends[i] - start), last);
            first ??= last;
            start = _ends[i];
        }
        return first is null ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
