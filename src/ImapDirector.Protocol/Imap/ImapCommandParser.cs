using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace ImapDirector.Protocol.Imap;

/// <summary>Parses one framed command. Total: any bytes give a command or a <see cref="ParseError"/>, never an exception.</summary>
public static class ImapCommandParser
{
    /// <summary>Parses <paramref name="frame"/>, one command with its literals in place (as <see cref="ImapCommandReader"/> frames
    /// it), ending with CRLF; an APPEND ends with the CRLF behind its message literal's header.</summary>
    public static bool TryParse(in ReadOnlySequence<byte> frame, in ParseOptions options,
        [NotNullWhen(true)] out ImapCommand? command, out ParseError error) => throw new NotImplementedException();
}

/// <summary>How a session reads names and how deep it lets lists go.</summary>
/// <param name="Utf8Names">Mailbox names are UTF-8 (after ENABLE IMAP4rev2 or UTF8=ACCEPT) rather than modified UTF-7.</param>
/// <param name="MaxDepth">Parentheses, NOT and OR may nest this deep (limits P5 and N3).</param>
public readonly record struct ParseOptions(bool Utf8Names, int MaxDepth);

/// <summary>Why a command could not be parsed.</summary>
/// <param name="Kind">What kind of error.</param>
/// <param name="Tag">The command's tag when it could be read, else <c>null</c> (the answer is then untagged <c>* BAD</c>).</param>
/// <param name="Reason">One short English phrase for the BAD's text; never repeats client bytes.</param>
public readonly record struct ParseError(ParseErrorKind Kind, string? Tag, string Reason);

/// <summary>The kinds of <see cref="ParseError"/>.</summary>
public enum ParseErrorKind
{
    /// <summary>Answer <c>BAD</c>.</summary>
    Syntax,
    /// <summary>The command's name is not known; answer <c>BAD</c>.</summary>
    UnknownCommand,
    /// <summary>Answer <c>NO [BADCHARSET (US-ASCII UTF-8)]</c>.</summary>
    BadCharset,
    /// <summary>A mailbox name, flag or set is over its limit or not allowed; answer <c>NO [CANNOT]</c>.</summary>
    Refused,
}
