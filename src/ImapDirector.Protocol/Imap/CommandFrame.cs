using System.Buffers;

namespace ImapDirector.Protocol.Imap;

/// <summary>What an <see cref="ImapCommandReader"/> read.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Bytes">The command with its literals in place and its last CRLF, or the line without it.</param>
/// <param name="Tag">With the TooLong and TooBig kinds: the tag when one could be read from the part that was kept.</param>
public readonly record struct CommandFrame(FrameKind Kind, ReadOnlySequence<byte> Bytes, string? Tag = null);

/// <summary>The kinds of <see cref="CommandFrame"/>.</summary>
public enum FrameKind
{
    /// <summary>A whole command (an APPEND up to its message literal).</summary>
    Command,
    /// <summary>The client closed its side; nothing, or an unfinished command, was left.</summary>
    EndOfStream,
    /// <summary>The line was over the limit; it has been skipped.</summary>
    LineTooLong,
    /// <summary>A literal, or all of a command's literals, were over the limit; they have been skipped. A synchronizing one was not asked for.</summary>
    LiteralTooBig,
    /// <summary>A non-synchronizing literal (or a line) was so large that skipping it would be a gift to the sender: the connection must be closed (limits P4).</summary>
    Flood,
}

/// <summary>Limits of an <see cref="ImapCommandReader"/>, in bytes.</summary>
/// <param name="MaxLineBytes">A command without its literals, its line ends included (limits P1: 8 KiB before login; N1: 64 KiB after).</param>
/// <param name="MaxLiteralBytes">All literals of one command together, APPEND's message aside.</param>
/// <param name="MaxSkippedLiteralBytes">A command whose non-synchronizing literals are to be skipped and are together above this is a <see cref="FrameKind.Flood"/>.</param>
/// <param name="AllowAppend">Whether APPEND's message literal is left to the session; if not, APPEND is a command like any other.</param>
public sealed record CommandLimits(int MaxLineBytes, int MaxLiteralBytes, long MaxSkippedLiteralBytes, bool AllowAppend)
{
    /// <summary>A line that is being skipped is followed this far before it is a <see cref="FrameKind.Flood"/>.</summary>
    public const int MaxSkippedLineBytes = 1024 * 1024;

    /// <summary>Before login: LOGIN's two literals of 1 KiB each (limits P4).</summary>
    public static readonly CommandLimits BeforeLogin = new(8 * 1024, 2 * 1024, 1024, AllowAppend: false) { MaxSingleLiteralBytes = 1024 };

    /// <summary>After login.</summary>
    public static readonly CommandLimits AfterLogin = new(64 * 1024, 256 * 1024, 64L * 1024 * 1024, AllowAppend: true);

    /// <summary>Each literal by itself, APPEND's message aside; as many bytes as all of them together unless it is set.</summary>
    public int MaxSingleLiteralBytes { get; init; } = MaxLiteralBytes;
}
