namespace ImapDirector.Storage.Store.Mime;

/// <summary>The boundaries of the multiparts that a place in the message lies in, the innermost last. Never more than <see cref="MimeLimits.MaxLevels"/>.</summary>
internal sealed class BoundaryStack
{
    private readonly List<(MimePart Part, byte[] Boundary)> _boundaries = [];

    public void Push(MimePart part, byte[] boundary) => _boundaries.Add((part, boundary));

    /// <summary>Finds the multipart whose boundary a line begins with (RFC 2046 section 5.1.1: only the beginning has to match). Where one is the
    /// beginning of another the longest counts, and one that the line consists of before all.</summary>
    /// <param name="line">The line, or as much of it as is at hand.</param>
    /// <param name="closes">Whether the line says that no part follows.</param>
    public MimePart? Find(ReadOnlySpan<byte> line, out bool closes)
    {
        closes = false;
        if (_boundaries.Count == 0 || !line.StartsWith("--"u8)) return null;
        line = line[2..].TrimEnd((byte)'\n');
        if (line.EndsWith("\r"u8)) line = line[..^1];

        MimePart? found = null;
        var length = -1;
        for (var i = _boundaries.Count - 1; i >= 0; i--)
        {
            var (part, boundary) = _boundaries[i];
            if (boundary.Length <= length || !line.StartsWith(boundary)) continue;
            found = part;
            length = boundary.Length;
            var rest = line[length..];
            closes = rest.StartsWith("--"u8);
            // A line of "foo--" closes "foo" or opens "foo--"; the innermost of them is meant.
            if (rest.IsEmpty || (closes && rest.Length == 2)) break;
        }
        return found;
    }

    /// <summary>Forgets the boundaries inside of a multipart, and its own where it is closed.</summary>
    public void PopTo(MimePart part, bool closes)
    {
        var index = _boundaries.FindLastIndex(entry => entry.Part == part);
        var kept = closes ? index : index + 1;
        _boundaries.RemoveRange(kept, _boundaries.Count - kept);
    }
}
