using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>Reads a backend's responses, a line at a time, while the director logs in there (limits R3). Bytes behind the line last
/// read stay in the pipe, so that the relay finds them.</summary>
/// <param name="input">Where bytes come from.</param>
/// <param name="maxLineBytes">The longest line, with its CRLF.</param>
/// <param name="maxLines">The most lines this reader reads in all.</param>
public sealed class BackendResponseReader(
    PipeReader input,
    int maxLineBytes = BackendResponseReader.DefaultMaxLineBytes,
    int maxLines = BackendResponseReader.DefaultMaxLines)
{
    /// <summary>The longest line, in bytes (limits R3).</summary>
    public const int DefaultMaxLineBytes = 4 * 1024;

    /// <summary>The most lines (limits R3).</summary>
    public const int DefaultMaxLines = 20;

    private readonly FrameBuffer _line = new();
    private int _lines;

    /// <summary>Reads the next response. Never throws for what the backend wrote; after a kind that is no line
    /// (<see cref="BackendResponse.IsLine"/>) the connection is only good to be closed.</summary>
    public async ValueTask<BackendResponse> ReadAsync(CancellationToken cancellationToken)
    {
        if (_lines == maxLines) return BackendResponse.TooMany;
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            if (read.IsCanceled)
            {
                input.AdvanceTo(read.Buffer.Start);
                throw new OperationCanceledException("The read was cancelled.");
            }
            var end = read.Buffer.PositionOf((byte)'\n');
            var rest = end is { } newline ? read.Buffer.Slice(0, read.Buffer.GetPosition(1, newline)) : read.Buffer;
            var tooLong = _line.Length + rest.Length > maxLineBytes;
            if (!tooLong)
                foreach (var piece in rest) _line.Append(piece.Span);
            input.AdvanceTo(rest.End);

            if (tooLong) return Finish(BackendResponse.TooLong);
            if (end is not null)
            {
                _lines++;
                return Finish(Parse(_line.Span));
            }
            if (read.IsCompleted) return Finish(BackendResponse.EndOfStream);
        }
    }

    private BackendResponse Finish(BackendResponse response)
    {
        _line.Clear();
        return response;
    }

    /// <summary>Classifies one line that ends with LF.</summary>
    internal static BackendResponse Parse(ReadOnlySpan<byte> line)
    {
        if (!line.EndsWith("\r\n"u8)) return BackendResponse.Malformed;
        line = line[..^2];
        if (line.IndexOfAny((byte)0, (byte)'\r', (byte)'\n') >= 0) return BackendResponse.Malformed;
        if (line.Length > 0 && line[0] == '+') return Continuation(line[1..]);

        var space = line.IndexOf((byte)' ');
        if (space <= 0) return BackendResponse.Malformed;
        var tag = line[..space];
        var rest = line[(space + 1)..];
        var untagged = tag is [(byte)'*'];
        if (!untagged && tag.ContainsAnyExcept(Grammar.TagChars)) return BackendResponse.Malformed;

        if (StatusOf(rest, out var text) is { } status && (untagged || status <= ImapStatus.Bad))
        {
            var (code, arguments) = TakeCode(ref text);
            return new BackendResponse(untagged ? BackendResponseKind.Untagged : BackendResponseKind.Tagged,
                untagged ? "" : Printable(tag), status, code, arguments, Printable(text));
        }
        // A literal would make the next line part of this one; nothing a backend says before login needs one.
        if (!untagged || rest.IsEmpty || rest[^1] == '}') return BackendResponse.Malformed;
        return new BackendResponse(BackendResponseKind.Data, "", ImapStatus.Ok, "", "", Printable(rest));
    }

    private static BackendResponse Continuation(ReadOnlySpan<byte> rest)
    {
        if (!rest.IsEmpty && rest[0] != ' ') return BackendResponse.Malformed;
        var text = rest.IsEmpty ? rest : rest[1..];
        return new BackendResponse(BackendResponseKind.Continuation, "", ImapStatus.Ok, "", "", Printable(text));
    }

    private static ImapStatus? StatusOf(ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> text)
    {
        var space = rest.IndexOf((byte)' ');
        var word = space < 0 ? rest : rest[..space];
        text = space < 0 ? [] : rest[(space + 1)..];
        if (Ascii.EqualsIgnoreCase(word, "OK"u8)) return ImapStatus.Ok;
        if (Ascii.EqualsIgnoreCase(word, "NO"u8)) return ImapStatus.No;
        if (Ascii.EqualsIgnoreCase(word, "BAD"u8)) return ImapStatus.Bad;
        if (Ascii.EqualsIgnoreCase(word, "BYE"u8)) return ImapStatus.Bye;
        if (Ascii.EqualsIgnoreCase(word, "PREAUTH"u8)) return ImapStatus.PreAuth;
        return null;
    }

    /// <summary>Cuts <c>[NAME arguments]</c> off the front of <paramref name="text"/>. An unclosed bracket is text.</summary>
    private static (string Code, string Arguments) TakeCode(ref ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text[0] != '[') return ("", "");
        var close = text.IndexOf((byte)']');
        if (close < 0) return ("", "");
        var inside = text[1..close];
        text = text[(close + 1)..].TrimStart((byte)' ');
        var space = inside.IndexOf((byte)' ');
        return space < 0
            ? (Printable(inside).ToUpperInvariant(), "")
            : (Printable(inside[..space]).ToUpperInvariant(), Printable(inside[(space + 1)..]));
    }

    private static string Printable(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var value in bytes) text.Append(Grammar.IsPrintable(value) ? (char)value : '?');
        return text.ToString();
    }
}
