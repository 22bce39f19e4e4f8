using System.Buffers;
using System.IO.Pipelines;

namespace ImapDirector.Protocol.Lmtp;

/// <summary>Reads command lines and nothing beyond them, so that a message behind DATA stays in the pipe. Each byte is looked at once, however they are cut.</summary>
/// <remarks>A bare LF ends a line as well, so that its refusal comes at once; with it the line does not parse.</remarks>
/// <param name="input">Where bytes come from.</param>
public sealed class LmtpLineReader(PipeReader input)
{
    /// <summary>The longest line, with its CRLF, in bytes (limits L2).</summary>
    public const int MaxLineBytes = 4096;

    private long _scanned;
    private bool _isTooLong;

    /// <summary>Reads a line.</summary>
    /// <exception cref="OperationCanceledException">The token fired first; nothing is lost by it.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask<LmtpLine> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (Take(await input.ReadAsync(cancellationToken), out var line)) return line;
        }
    }

    /// <summary>Takes a line that has arrived already.</summary>
    /// <returns><c>false</c> when that would have to wait.</returns>
    public bool TryRead(out LmtpLine line)
    {
        line = default;
        while (input.TryRead(out var read))
        {
            if (Take(read, out line)) return true;
        }
        return false;
    }

    private bool Take(ReadResult read, out LmtpLine line)
    {
        line = default;
        if (read.IsCanceled)
        {
            input.AdvanceTo(read.Buffer.Start);
            throw new OperationCanceledException("The read was cancelled.");
        }
        var unseen = read.Buffer.Slice(_scanned);
        if (unseen.PositionOf((byte)'\n') is { } newline)
        {
            var end = read.Buffer.GetPosition(1, newline);
            var whole = read.Buffer.Slice(0, end);
            line = _isTooLong || whole.Length > MaxLineBytes ? LmtpLine.TooLong : new LmtpLine(LmtpLineKind.Line, WithoutEnd(whole));
            Forget(end);
            return true;
        }
        if (read.IsCompleted)
        {
            line = LmtpLine.EndOfStream;
            Forget(read.Buffer.End);
            return true;
        }
        // What is too long is thrown away as it comes, and answered once it has ended.
        _isTooLong |= read.Buffer.Length >= MaxLineBytes;
        if (_isTooLong)
        {
            _scanned = 0;
            input.AdvanceTo(read.Buffer.End);
        }
        else
        {
            _scanned = read.Buffer.Length;
            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
        return false;
    }

    private void Forget(SequencePosition end)
    {
        (_scanned, _isTooLong) = (0, false);
        input.AdvanceTo(end);
    }

    private static byte[] WithoutEnd(ReadOnlySequence<byte> line)
    {
        var bytes = line.ToArray();
        return bytes is [.. var command, (byte)'\r', (byte)'\n'] ? command : bytes;
    }
}

/// <summary>What came to an <see cref="LmtpLineReader"/>.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Bytes">A line without its CRLF; a bare LF that ended it stays.</param>
public readonly record struct LmtpLine(LmtpLineKind Kind, ReadOnlyMemory<byte> Bytes)
{
    internal static readonly LmtpLine TooLong = new(LmtpLineKind.TooLong, default);
    internal static readonly LmtpLine EndOfStream = new(LmtpLineKind.EndOfStream, default);
}

/// <summary>The kinds of an <see cref="LmtpLine"/>.</summary>
public enum LmtpLineKind
{
    /// <summary>A line within the limit.</summary>
    Line,
    /// <summary>A line over the limit; all of it has been read and thrown away.</summary>
    TooLong,
    /// <summary>The client has closed; a line it left unfinished counts for nothing.</summary>
    EndOfStream,
}
