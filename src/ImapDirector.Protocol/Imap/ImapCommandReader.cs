using System.Buffers;
using System.IO.Pipelines;

namespace ImapDirector.Protocol.Imap;

/// <summary>
/// Cuts a byte stream into commands: lines, and the literals inside them, asking the client to go on where a synchronizing
/// literal needs it. What is over a limit is skipped without being stored.
/// </summary>
/// <remarks>The message of APPEND is not part of the frame: the session reads it with <see cref="CopyLiteralAsync"/> or
/// turns it down with <see cref="SkipLiteralAsync"/>, and then calls <see cref="EndLiteralCommandAsync"/>.</remarks>
/// <param name="input">Where bytes come from. The caller keeps owning it and may read from it between commands.</param>
/// <param name="limits">The limits.</param>
/// <param name="requestContinuation">Writes and flushes <c>+ OK\r\n</c>.</param>
public sealed class ImapCommandReader(PipeReader input, CommandLimits limits, Func<CancellationToken, ValueTask> requestContinuation)
{
    /// <summary>Reads the next command. The frame's bytes are valid until the next call on this reader.</summary>
    public ValueTask<CommandFrame> ReadAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Reads one line without its CRLF (DONE, a SASL response), valid until the next call; too long a line is skipped
    /// and gives <see cref="FrameKind.LineTooLong"/>.</summary>
    public ValueTask<CommandFrame> ReadLineAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Requests the announced message literal (where it is synchronizing) and hands its bytes to <paramref name="sink"/> in pieces.</summary>
    /// <returns><c>false</c> when the stream ended inside the literal.</returns>
    public ValueTask<bool> CopyLiteralAsync(LiteralHeader literal, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> sink,
        CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Turns the announced message literal down: a non-synchronizing one is read and thrown away, with the rest of its
    /// command (further literals included); after a synchronizing one there is nothing to skip.</summary>
    /// <returns><c>false</c> when the stream ended.</returns>
    public ValueTask<bool> SkipLiteralAsync(LiteralHeader literal, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Reads what follows the message literal.</summary>
    /// <returns>An empty frame when it was just CRLF; otherwise <see cref="FrameKind.Command"/> with the bytes found (a syntax error, or
    /// a second message of MULTIAPPEND, which is not offered), already skipped.</returns>
    public ValueTask<CommandFrame> EndLiteralCommandAsync(CancellationToken cancellationToken) => throw new NotImplementedException();
}

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
    /// <summary>A non-synchronizing literal was so large that skipping it would be a gift to the sender: the connection must be closed (limits P4).</summary>
    Flood,
}

/// <summary>Limits of an <see cref="ImapCommandReader"/>, in bytes.</summary>
/// <param name="MaxLineBytes">A command without its literals (limits P1: 8 KiB before login; N1: 64 KiB after).</param>
/// <param name="MaxLiteralBytes">All literals of one command together, APPEND's message aside (limits P4: 1 KiB each before login).</param>
/// <param name="MaxSkippedLiteralBytes">A non-synchronizing literal above this is a <see cref="FrameKind.Flood"/>.</param>
/// <param name="AllowAppend">Whether APPEND's message literal is left to the session; if not, APPEND is a command like any other.</param>
public sealed record CommandLimits(int MaxLineBytes, int MaxLiteralBytes, long MaxSkippedLiteralBytes, bool AllowAppend)
{
    /// <summary>Before login.</summary>
    public static readonly CommandLimits BeforeLogin = new(8 * 1024, 1024, 1024, AllowAppend: false);

    /// <summary>After login.</summary>
    public static readonly CommandLimits AfterLogin = new(64 * 1024, 256 * 1024, 64L * 1024 * 1024, AllowAppend: true);
}
