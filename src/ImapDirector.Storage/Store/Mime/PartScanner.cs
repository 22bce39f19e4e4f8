namespace ImapDirector.Storage.Store.Mime;

/// <summary>Finds the parts of a message in one pass over its lines (RFC 2046 section 5.1), with the ends where Dovecot puts them.</summary>
internal sealed class PartScanner
{
    private readonly LineReader _lines;
    private readonly HeaderScanner _header = new();
    private readonly BoundaryStack _boundaries = new();
    private MimePart _part;
    private int _parts = 1;
    private Place _place = Place.Header;
    private bool _partFollows;
    // Where the text begins of which a line end may belong to the next boundary.
    private long _textStart;

    private PartScanner(LineReader lines)
    {
        _lines = lines;
        _part = new MimePart(null, 0);
        _header.Begin(_part);
    }

    private enum Place
    {
        Header,
        /// <summary>Right behind the header of a message/rfc822 part.</summary>
        BeforeMessage,
        Body,
        BoundaryLine,
    }

    private bool MayAddParts => _parts < MimeLimits.MaxParts;

    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static MimePart Scan(Stream message, CancellationToken cancellationToken)
    {
        using var lines = new LineReader(message);
        var scanner = new PartScanner(lines);
        var root = scanner._part;
        while (lines.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            scanner.Take();
        }
        scanner.Finish();
        return root;
    }

    private void Take()
    {
        if (_lines.BeginsLine)
        {
            if (_place == Place.BoundaryLine) BeginBehindBoundary();
            if (TryBoundary()) return;
            if (_place == Place.BeforeMessage) BeginPart();
        }
        if (_place == Place.Header && !_header.Take(_lines)) EndHeader(_lines.Position + _lines.Piece.Length, _lines.LinesBefore + 1);
    }

    private bool TryBoundary()
    {
        // Behind the last part that may be there is no end of it but the message's.
        if (!MayAddParts || _boundaries.Find(_lines.Piece, out var closes) is not { } multipart) return false;
        EndParts(multipart);
        _boundaries.PopTo(multipart, closes);
        _part = multipart;
        _partFollows = !closes;
        _place = Place.BoundaryLine;
        return true;
    }

    private void BeginBehindBoundary()
    {
        _place = Place.Body;
        _textStart = _lines.Position;
        if (_partFollows) BeginPart();
    }

    private void BeginPart()
    {
        _part = new MimePart(_part, _lines.Position);
        _parts++;
        _header.Begin(_part);
        _place = Place.Header;
    }

    private void EndHeader(long position, long linesBefore)
    {
        _header.End();
        _part.EndHeader(position, linesBefore, MayAddParts && _part.Level < MimeLimits.MaxLevels);
        _textStart = position;
        _place = _part.Kind == PartKind.Message ? Place.BeforeMessage : Place.Body;
        // Known from here on, so that the first line of the body is not taken for a boundary that is the beginning of this one.
        if (_part.Kind == PartKind.Multipart && _part.Content.MediaType!.Boundary is { } boundary) _boundaries.Push(_part, boundary);
    }

    /// <summary>Ends all parts inside of the multipart whose boundary is the line at hand.</summary>
    private void EndParts(MimePart multipart)
    {
        if (_part == multipart) return;
        var (end, lines) = (_lines.Position, _lines.LinesBefore);
        // The line end before a boundary belongs to it (RFC 2046 section 5.1.1), be it of the text, of the header's last field or of the empty line.
        var (cutEnd, cutLines) = (end - _lines.PrecedingLineEnd, lines - 1);
        if (_place == Place.Body && end > _part.BodyStart)
        {
            if (cutEnd >= _textStart) (end, lines) = (cutEnd, cutLines);
        }
        else
        {
            if (end == _part.HeaderStart) EndWithoutBody(end, lines);
            else EndWithoutBody(cutEnd, cutLines);
            _part = _part.Parent!;
        }
        for (var part = _part; part != multipart; part = part.Parent!) part.EndBody(end, lines);
    }

    private void EndWithoutBody(long position, long linesBefore)
    {
        if (_place == Place.Header) EndHeader(position, linesBefore);
        else _part.CutHeader(position, linesBefore);
        if (_part.Kind != PartKind.Message) return;
        var message = new MimePart(_part, position);
        _parts++;
        message.EndHeader(position, linesBefore, mayHoldParts: false);
    }

    private void Finish()
    {
        var (end, lines) = (_lines.Position, _lines.LinesBefore);
        if (_place == Place.BoundaryLine && _lines.BeginsLine) BeginBehindBoundary();
        if (_place == Place.Header) EndHeader(end, lines);
        if (_place == Place.BeforeMessage)
        {
            BeginPart();
            EndHeader(end, lines);
        }
        for (var part = _part; part is not null; part = part.Parent) part.EndBody(end, lines);
    }
}
