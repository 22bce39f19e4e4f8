namespace ImapDirector.Storage.Store.Mime;

/// <summary>Takes a message apart in one pass over its lines. Total on any bytes; what is over a limit of N6 is left whole.</summary>
internal sealed class PartScanner
{
    /// <summary>Parts inside parts (limits N6).</summary>
    public const int MaxDepth = 100;

    /// <summary>Parts of one message (limits N6).</summary>
    public const int MaxParts = 10_000;

    /// <summary>Of a boundary this much counts (limits N6).</summary>
    public const int MaxBoundaryBytes = 80;

    private readonly LineReader _lines;
    private readonly List<(byte[] Line, MimePart Part)> _boundaries = [];
    private readonly MimePart _root = new(parent: null, isMessage: true, headerStart: 0, depth: 0);
    private MimePart _part;
    private int _parts = 1;
    private bool _isInHeader = true;

    private PartScanner(Stream message)
    {
        _lines = new LineReader(message);
        _part = _root;
    }

    /// <returns>The message itself, with everything in it.</returns>
    public static MimePart Scan(Stream message, CancellationToken cancellationToken)
    {
        var scanner = new PartScanner(message);
        while (scanner._lines.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            scanner.Take();
        }
        scanner.EndParts(until: null, scanner._lines.Position, scanner._lines.LinesBefore);
        return scanner._root;
    }

    private void Take()
    {
        if (_lines.StartsLine && FindBoundary() is { } found)
        {
            TakeBoundary(found);
            return;
        }
        if (!_isInHeader) return;
        if (_lines.StartsLine && _lines.Piece is [(byte)'\n'] or [(byte)'\r', (byte)'\n']) BeginBody();
        else _part.Header.Add(_lines.Piece, _lines.StartsLine);
    }

    private void BeginBody()
    {
        _isInHeader = false;
        _part.Header.End();
        _part.BodyStart = _lines.NextPosition;
        _part.LinesBeforeBody = _lines.LinesBefore + 1;
        if (_part.Depth >= MaxDepth || _parts >= MaxParts) return;
        if (_part.Boundary is { Length: > 0 } boundary)
            _boundaries.Add(([(byte)'-', (byte)'-', .. boundary.AsSpan(0, Math.Min(boundary.Length, MaxBoundaryBytes))], _part));
        else if (_part.IsEmbeddedMessage)
            BeginPart(isMessage: true);
    }

    private void BeginPart(bool isMessage)
    {
        _parts++;
        var child = new MimePart(_part, isMessage, _lines.NextPosition, _part.Depth + 1);
        _part.Children.Add(child);
        _part = child;
        _isInHeader = true;
    }

    private void TakeBoundary(int found)
    {
        var (line, multipart) = _boundaries[found];
        // The line end before a boundary belongs to the boundary (RFC 2046 section 5.1.1).
        EndParts(multipart, _lines.Position - _lines.TerminatorBefore, _lines.LinesBefore - (_lines.TerminatorBefore > 0 ? 1 : 0));
        var isLast = _lines.Piece[line.Length..].StartsWith("--"u8);
        _boundaries.RemoveRange(found + (isLast ? 0 : 1), _boundaries.Count - found - (isLast ? 0 : 1));
        _isInHeader = false;
        if (!isLast && _parts < MaxParts) BeginPart(isMessage: false);
    }

    /// <summary>Ends the part that is read now and those around it, up to a multipart that goes on.</summary>
    private void EndParts(MimePart? until, int position, int linesBefore)
    {
        for (var part = _part; part is not null && part != until; part = part.Parent)
        {
            if (_isInHeader)
            {
                // There was no empty line: the header goes up to here, and there is no body.
                part.Header.End();
                (part.BodyStart, part.LinesBeforeBody) = (Math.Max(position, part.HeaderStart), linesBefore);
                _isInHeader = false;
            }
            part.EndAt(position, linesBefore);
        }
        if (until is not null) _part = until;
    }

    /// <summary>Of all boundaries that the line begins with, the longest: one can be the beginning of another.</summary>
    private int? FindBoundary()
    {
        if (_boundaries.Count == 0 || !_lines.Piece.StartsWith("--"u8)) return null;
        int? best = null;
        for (var i = _boundaries.Count - 1; i >= 0; i--)
        {
            if (best is { } other && _boundaries[other].Line.Length >= _boundaries[i].Line.Length) continue;
            if (_lines.Piece.StartsWith(_boundaries[i].Line)) best = i;
        }
        return best;
    }
}
