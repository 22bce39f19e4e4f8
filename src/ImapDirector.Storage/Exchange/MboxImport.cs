using System.Text;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store.Maintenance;

namespace ImapDirector.Storage.Exchange;

/// <summary>Adds the mail of mbox files: <c>A.B.mbox</c> is the mailbox <c>A/B</c>.</summary>
/// <param name="directory">The directory with the files.</param>
internal sealed class MboxImport(string directory)
{
    public async Task RunAsync(ImportTarget target, CancellationToken cancellationToken)
    {
        var isSubscribed = SubscriptionList.Read(directory);
        foreach (var file in Files(directory))
        {
            var (shown, folder) = (StoreCondition.Shown(file.Name), file.Name[..^MboxHeader.FileSuffix.Length]);
            if (!FolderName.TryRead(folder, out var name))
            {
                target.Tell($"{shown} has a name that no mailbox can have", "it is left out; rename it");
                continue;
            }
            if (ImportSource.IsLink(file))
            {
                target.Tell($"{shown} is a link", "it is left out");
                continue;
            }
            var mailbox = await target.OpenMailboxAsync(name, isSubscribed(folder), cancellationToken);
            if (file.Length == 0) continue;
            var (stream, why) = ImportSource.Open(file);
            if (stream is null)
            {
                target.Tell($"{shown} {why}", "it is left out");
                continue;
            }
            await using (stream) await new MboxReader(stream, mailbox, shown, target).RunAsync(cancellationToken);
        }
    }

    /// <summary>The mbox files of a directory, in the order of their names.</summary>
    public static IEnumerable<FileInfo> Files(string directory) => ImportSource.Files(directory)
        .Where(static file => file.Name.EndsWith(MboxHeader.FileSuffix, StringComparison.Ordinal)).OrderBy(static file => file.Name, StringComparer.Ordinal);
}

/// <summary>Reads one mbox file, message by message.</summary>
internal sealed class MboxReader(FileStream file, long mailbox, string shown, ImportTarget target)
{
    /// <summary>What keywords may take in a header; no more of them is looked at.</summary>
    private const int MaxFieldLength = 8 * 1024;

    private readonly LinePieces _lines = new(file);
    private readonly Dictionary<string, string> _fields = [];
    private bool _isHeader;
    private bool _isFieldNew;
    private string? _field;
    private bool _holdsEmptyLine;
    private int _number;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!_lines.MoveNext()) return;
            if (!MboxHeader.IsFromLine(_lines.Text.Span, out var date))
            {
                target.Tell($"{shown} does not begin with a From line", "it is left out: it is no mbox");
                return;
            }
            for (var isMore = true; isMore;)
            {
                // The rest of a From line that is longer than a piece.
                while (!_lines.EndsLine && _lines.MoveNext())
                {
                }
                (isMore, date) = await AddMessageAsync(date ?? File.GetLastWriteTimeUtc(file.SafeFileHandle), cancellationToken);
            }
        }
        catch (UnreadableSourceException broken)
        {
            target.Tell($"{shown} cannot be read behind message {_number} ({broken.InnerException!.GetType().Name})", "the rest is left out");
        }
    }

    /// <returns>Whether another one follows, and its date.</returns>
    private async Task<(bool IsMore, DateTimeOffset? Date)> AddMessageAsync(DateTimeOffset date, CancellationToken cancellationToken)
    {
        _fields.Clear();
        (_isHeader, _field, _holdsEmptyLine) = (true, null, false);
        var name = FormattableString.Invariant($"{shown} message {++_number}");
        await using var spool = target.NewSpool();
        var output = new BufferedSpool(spool);
        DateTimeOffset? next = null;
        var (isMore, wasEmptyLine) = (false, false);
        while (_lines.MoveNext())
        {
            // A From line stands behind an empty line, or at least has a date.
            if (_lines.BeginsLine && MboxHeader.IsFromLine(_lines.Text.Span, out next) && (wasEmptyLine || next is not null))
            {
                isMore = true;
                break;
            }
            wasEmptyLine = _lines.IsEmptyLine;
            // What is too large is read to its end all the same, to come to the next one.
            if (output.Length <= ImportTarget.MaxMessageBytes) await TakeAsync(output, cancellationToken);
        }
        await output.FlushAsync(cancellationToken);
        await target.AppendAsync(mailbox, spool, MboxHeader.Read(_fields), date, name, cancellationToken);
        return (isMore, next);
    }

    private async ValueTask TakeAsync(BufferedSpool output, CancellationToken cancellationToken)
    {
        if (_holdsEmptyLine) await output.WriteAsync(BufferedSpool.CrLf, cancellationToken);
        // The empty line in front of the next From line is not the message's: each is held back until it is known what follows.
        _holdsEmptyLine = _lines.IsEmptyLine;
        if (_holdsEmptyLine)
        {
            _isHeader = false;
            return;
        }
        if (_isHeader && IsField()) return;
        var text = _lines.Text;
        if (_lines.BeginsLine && MboxHeader.IsQuotedFrom(text.Span, atLeast: 1)) text = text[1..];
        await output.WriteAsync(text, cancellationToken);
        if (_lines.EndsLine) await output.WriteAsync(BufferedSpool.CrLf, cancellationToken);
    }

    /// <summary>Whether the piece belongs to a field that holds flags; then it is noted.</summary>
    private bool IsField()
    {
        var line = _lines.Text.Span;
        if (_lines.BeginsLine)
        {
            var isMore = _field is not null && MboxHeader.CanBeFolded(_field) && line is [(byte)' ' or (byte)'\t', ..];
            if (!isMore)
            {
                _field = MboxHeader.FieldOf(line);
                // Of several of one name the first counts: the one that whoever made the mbox put on top.
                _isFieldNew = _field is not null && _fields.TryAdd(_field, "");
                if (_field is not null) line = line[(_field.Length + 1)..];
            }
        }
        if (_field is null) return false;
        if (_isFieldNew && _fields[_field].Length < MaxFieldLength) _fields[_field] += " " + Encoding.Latin1.GetString(line[..Math.Min(line.Length, MaxFieldLength)]).Trim();
        return true;
    }
}
