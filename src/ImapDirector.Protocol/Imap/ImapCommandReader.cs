using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>
/// Cuts a byte stream into commands: lines, and the literals inside them, asking the client to go on where a synchronizing
/// literal needs it. What is over a limit is skipped without being stored.
/// </summary>
/// <remarks>
/// <para>The message of APPEND is not part of the frame: the session reads it with <see cref="CopyLiteralAsync"/> or
/// turns it down with <see cref="SkipLiteralAsync"/>, and then calls <see cref="EndLiteralCommandAsync"/>. A session that does
/// neither (the command could not be parsed) just reads on: what is left of the command is skipped first.</para>
/// <para>Frames are copied out of the pipe, so nothing behind a command is ever taken from it. A read that was cancelled while it
/// waited for bytes may be repeated and goes on where it was. While it waits for a command to begin, the reader holds no memory.</para>
/// </remarks>
/// <param name="input">Where bytes come from. The caller keeps owning it and may read from it between commands.</param>
/// <param name="limits">The limits.</param>
/// <param name="requestContinuation">Writes and flushes <c>+ OK\r\n</c>.</param>
public sealed class ImapCommandReader(PipeReader input, CommandLimits limits, Func<CancellationToken, ValueTask> requestContinuation)
{
    private readonly FrameBuffer _frame = new();

    // The run: one command, line or rest of a command being read, possibly over several calls.
    private Run _run;
    private LineScanner _scanner;
    private FrameKind _kind;
    private bool _storing;
    private string? _tag;
    private long _lineBytes;
    private long _literals;
    private long _literalBytes;
    private long _literalLeft;
    private long _skippedLiteralBytes;
    private bool _flooded;

    // APPEND's message.
    private Message _message;
    private LiteralHeader _messageHeader;
    private long _messageLeft;

    private enum Run
    {
        None,
        Command,
        Line,
        AfterMessage,
        Discard,
    }

    private enum Message
    {
        None,
        Announced,
        Copying,
        Copied,
    }

    private enum Step
    {
        More,
        Ask,
        Done,
        Flood,
    }

    /// <summary>Reads the next command. The frame's bytes are valid until the next call on this reader.</summary>
    public async ValueTask<CommandFrame> ReadAsync(CancellationToken cancellationToken)
    {
        if (_message != Message.None) BeginDiscard();
        if (_run == Run.Discard)
        {
            var discarded = await FinishAsync(cancellationToken);
            if (discarded.Kind is FrameKind.EndOfStream or FrameKind.Flood) return discarded;
        }
        if (_run != Run.Command) Begin(Run.Command);
        return await FinishAsync(cancellationToken);
    }

    /// <summary>Reads one line without its CRLF (DONE, a SASL response), valid until the next call; too long a line is skipped
    /// and gives <see cref="FrameKind.LineTooLong"/>. A line that ended with a bare LF keeps it, so that no grammar takes it.</summary>
    public ValueTask<CommandFrame> ReadLineAsync(CancellationToken cancellationToken)
    {
        if (_run != Run.Line) Begin(Run.Line);
        return FinishAsync(cancellationToken);
    }

    /// <summary>Requests the announced message literal (where it is synchronizing) and hands its bytes to <paramref name="sink"/> in pieces.</summary>
    /// <returns><c>false</c> when the stream ended inside the literal.</returns>
    /// <exception cref="InvalidOperationException">The frame last read announced no message.</exception>
    public async ValueTask<bool> CopyLiteralAsync(LiteralHeader literal, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> sink,
        CancellationToken cancellationToken)
    {
        DemandAnnounced(literal);
        _message = Message.Copying;
        _messageLeft = literal.Length;
        if (literal.Synchronizing) await requestContinuation(cancellationToken);
        while (_messageLeft > 0)
        {
            var read = await ReadInputAsync(cancellationToken);
            var taken = 0L;
            try
            {
                foreach (var piece in read.Buffer)
                {
                    var part = piece[..(int)Math.Min(piece.Length, _messageLeft)];
                    if (part.IsEmpty) continue;
                    // Counted before the sink sees it: when the sink fails, the rest can still be skipped.
                    taken += part.Length;
                    _messageLeft -= part.Length;
                    await sink(part, cancellationToken);
                    if (_messageLeft == 0) break;
                }
            }
            finally
            {
                input.AdvanceTo(read.Buffer.GetPosition(taken));
            }
            if (_messageLeft > 0 && read.IsCompleted) return false;
        }
        _message = Message.Copied;
        return true;
    }

    /// <summary>Turns the announced message literal down: a non-synchronizing one is read and thrown away, with the rest of its
    /// command (further literals included); after a synchronizing one there is nothing to skip.</summary>
    /// <returns><c>false</c> when the stream ended, or when there is more to skip than the limit: then the connection must be closed.</returns>
    /// <exception cref="InvalidOperationException">The frame last read announced no message.</exception>
    public async ValueTask<bool> SkipLiteralAsync(LiteralHeader literal, CancellationToken cancellationToken)
    {
        DemandAnnounced(literal);
        BeginDiscard();
        if (_run != Run.Discard) return true;
        var rest = await FinishAsync(cancellationToken);
        return rest.Kind is not (FrameKind.EndOfStream or FrameKind.Flood);
    }

    /// <summary>Reads what follows the message literal.</summary>
    /// <returns>An empty frame when it was just CRLF; otherwise <see cref="FrameKind.Command"/> with the bytes found: up to the header of the
    /// next literal (RFC 3502, RFC 4469) where there is one, which may then be copied or skipped like the first. <see cref="FrameKind.EndOfStream"/>,
    /// <see cref="FrameKind.LineTooLong"/> and <see cref="FrameKind.Flood"/> as in <see cref="ReadAsync"/>.</returns>
    /// <exception cref="InvalidOperationException">No message has been copied.</exception>
    public ValueTask<CommandFrame> EndLiteralCommandAsync(CancellationToken cancellationToken)
    {
        if (_message == Message.Copied)
        {
            _message = Message.None;
            Begin(Run.AfterMessage);
        }
        else if (_run != Run.AfterMessage)
        {
            throw new InvalidOperationException("No message literal has been copied.");
        }
        return FinishAsync(cancellationToken);
    }

    /// <summary>Wipes and gives back the bytes of the frame last read, which is not valid any more: for after a password has been used.</summary>
    public void ForgetFrame()
    {
        if (_run == Run.None) _frame.Clear();
    }

    private void DemandAnnounced(LiteralHeader literal)
    {
        if (_message != Message.Announced || literal != _messageHeader)
            throw new InvalidOperationException("The frame last read did not announce this message literal.");
    }

    private void Begin(Run run)
    {
        _frame.Clear();
        _run = run;
        _scanner = default;
        _kind = FrameKind.Command;
        _storing = run != Run.Discard;
        _tag = null;
        _lineBytes = _literals = _literalBytes = _literalLeft = _skippedLiteralBytes = 0;
    }

    /// <summary>Sets out to skip what is left of an APPEND, if anything is.</summary>
    private void BeginDiscard()
    {
        var (message, header) = (_message, _messageHeader);
        _message = Message.None;
        // The client was never told to go on, so it will not.
        if (message == Message.Announced && header.Synchronizing) return;
        Begin(Run.Discard);
        var left = message switch
        {
            Message.Announced => header.Length,
            Message.Copying => _messageLeft,
            _ => 0,
        };
        _flooded |= SkipLiteral(left) == Step.Flood;
    }

    private async ValueTask<CommandFrame> FinishAsync(CancellationToken cancellationToken)
    {
        while (!_flooded)
        {
            var read = await ReadInputAsync(cancellationToken);
            var step = Take(read.Buffer, out var taken);
            input.AdvanceTo(read.Buffer.GetPosition(taken));
            switch (step)
            {
                case Step.Done:
                    return EndRun();
                case Step.Flood:
                    _flooded = true;
                    break;
                case Step.Ask:
                    await requestContinuation(cancellationToken);
                    break;
                default:
                    if (!read.IsCompleted) break;
                    _kind = FrameKind.EndOfStream;
                    _frame.Clear();
                    return EndRun();
            }
        }
        _frame.Clear();
        _run = Run.None;
        return new CommandFrame(FrameKind.Flood, default, _tag);
    }

    private CommandFrame EndRun()
    {
        var bytes = _frame.Memory;
        // The header of a literal ends with its line, which is part of the syntax.
        if (_run is Run.Line or Run.AfterMessage && _message != Message.Announced && bytes.Span.EndsWith("\r\n"u8)) bytes = bytes[..^2];
        _run = Run.None;
        return new CommandFrame(_kind, new ReadOnlySequence<byte>(bytes), _tag);
    }

    private async ValueTask<ReadResult> ReadInputAsync(CancellationToken cancellationToken)
    {
        var read = await input.ReadAsync(cancellationToken);
        if (!read.IsCanceled) return read;
        input.AdvanceTo(read.Buffer.Start);
        throw new OperationCanceledException("The read was cancelled.");
    }

    private Step Take(in ReadOnlySequence<byte> buffer, out long taken)
    {
        taken = 0;
        foreach (var piece in buffer)
        {
            for (var rest = piece.Span; !rest.IsEmpty;)
            {
                var step = TakePiece(rest, out var count);
                taken += count;
                rest = rest[count..];
                if (step != Step.More) return step;
            }
        }
        return Step.More;
    }

    private Step TakePiece(ReadOnlySpan<byte> bytes, out int count)
    {
        if (_literalLeft > 0)
        {
            count = (int)Math.Min(bytes.Length, _literalLeft);
            _literalLeft -= count;
            if (_storing) _frame.Append(bytes[..count]);
            return Step.More;
        }
        if (_run == Run.Line)
        {
            var end = bytes.IndexOf((byte)'\n');
            count = end < 0 ? bytes.Length : end + 1;
            return TakeLine(bytes[..count]) ? end < 0 ? Step.More : Step.Done : Step.Flood;
        }
        var seen = _scanner.Scan(bytes, out count, out var literal);
        if (!TakeLine(bytes[..count])) return Step.Flood;
        return seen switch
        {
            LineEvent.EndOfLine => Step.Done,
            LineEvent.Literal => TakeHeader(literal),
            _ => Step.More,
        };
    }

    private bool TakeLine(ReadOnlySpan<byte> bytes)
    {
        _lineBytes += bytes.Length;
        if (_storing)
        {
            var room = limits.MaxLineBytes - (_lineBytes - bytes.Length);
            _frame.Append(bytes[..(int)Math.Min(bytes.Length, room)]);
            if (_lineBytes > limits.MaxLineBytes) StopStoring(FrameKind.LineTooLong);
        }
        return _lineBytes <= Math.Max(limits.MaxLineBytes, CommandLimits.MaxSkippedLineBytes);
    }

    private Step TakeHeader(LiteralHeader literal)
    {
        if (_storing)
        {
            if (_run == Run.AfterMessage || IsMessage())
            {
                _message = Message.Announced;
                _messageHeader = literal;
                return Step.Done;
            }
            if (literal.Length <= limits.MaxSingleLiteralBytes && literal.Length <= limits.MaxLiteralBytes - _literalBytes)
            {
                _literals++;
                _literalBytes += literal.Length;
                _literalLeft = literal.Length;
                return literal.Synchronizing ? Step.Ask : Step.More;
            }
            StopStoring(FrameKind.LiteralTooBig);
        }
        // Of a command that will be refused nothing more is asked for: with a literal that waits for us, it ends here.
        return literal.Synchronizing ? Step.Done : SkipLiteral(literal.Length);
    }

    private Step SkipLiteral(long length)
    {
        if (length > limits.MaxSkippedLiteralBytes - _skippedLiteralBytes) return Step.Flood;
        _skippedLiteralBytes += length;
        _literalLeft = length;
        return Step.More;
    }

    private void StopStoring(FrameKind why)
    {
        _storing = false;
        _kind = why;
        if (_run == Run.Command) _tag = Grammar.TagOf(_frame.Span);
        _frame.Clear();
    }

    /// <summary>Whether the header just read is that of the message of APPEND or REPLACE: the first behind the end of the mailbox argument,
    /// which may itself be the first literal.</summary>
    private bool IsMessage()
    {
        if (!limits.AllowAppend || _run != Run.Command) return false;
        var line = _frame.Span;
        var space = line.IndexOf((byte)' ');
        if (space < 0) return false;
        line = line[(space + 1)..];
        if (!TryVerb(ref line, "APPEND "u8))
        {
            TryVerb(ref line, "UID "u8);
            if (!TryVerb(ref line, "REPLACE "u8)) return false;
            var number = line.IndexOf((byte)' ');
            if (number < 0) return false;
            line = line[(number + 1)..];
        }
        var mailboxIsLiteral = line.StartsWith("{"u8) || line.StartsWith("~{"u8);
        return !mailboxIsLiteral || _literals > 0;
    }

    private static bool TryVerb(ref ReadOnlySpan<byte> line, ReadOnlySpan<byte> verb)
    {
        if (line.Length < verb.Length || !Ascii.EqualsIgnoreCase(line[..verb.Length], verb)) return false;
        line = line[verb.Length..];
        return true;
    }
}
