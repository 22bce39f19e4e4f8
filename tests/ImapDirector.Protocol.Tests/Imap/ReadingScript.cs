using System.Buffers;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Tests.Shared;

namespace ImapDirector.Protocol.Tests.Imap;

/// <summary>Lets a reader read a whole stream and writes down all that a session could notice, one event a line.</summary>
internal sealed class ReadingScript
{
    private readonly StringBuilder _events = new();

    private ReadingScript(byte[] bytes, CommandLimits limits, int[] sizes)
    {
        Input = new CutPipeReader(bytes, sizes);
        Reader = new ImapCommandReader(Input, limits, _ =>
        {
            _events.AppendLine("+");
            return ValueTask.CompletedTask;
        });
    }

    public CutPipeReader Input { get; }

    public ImapCommandReader Reader { get; }

    /// <summary>Reads to the end; messages of APPEND are copied when their length is even, skipped when it is odd.</summary>
    public static string Of(byte[] bytes, CommandLimits limits, params int[] sizes)
    {
        var script = new ReadingScript(bytes, limits, sizes);
        // Everything has arrived or ended, so nothing here ever waits.
        script.RunAsync().GetAwaiter().GetResult();
        return script._events.ToString().ReplaceLineEndings("\n");
    }

    public static string Of(string bytes, CommandLimits limits, params int[] sizes) => Of(Encoding.Latin1.GetBytes(bytes), limits, sizes);

    /// <summary>The reader over <paramref name="bytes"/>, for tests that take the steps themselves.</summary>
    public static ReadingScript Over(string bytes, CommandLimits limits, params int[] sizes) => new(Encoding.Latin1.GetBytes(bytes), limits, sizes);

    public static string Text(ReadOnlySequence<byte> bytes) => Encoding.Latin1.GetString(bytes);

    private async Task RunAsync()
    {
        while (true)
        {
            var frame = await Reader.ReadAsync(default);
            Note(frame);
            if (frame.Kind is FrameKind.EndOfStream or FrameKind.Flood) return;
            if (frame.Kind != FrameKind.Command) continue;
            if (!ImapCommandParser.TryParse(frame.Bytes, new ParseOptions(false, 64), out var command, out _)) continue;
            if (command is AppendCommand append) await ReadMessagesAsync(append.First);
            if (command is ReplaceCommand replace) await ReadMessagesAsync(replace.First);
        }
    }

    private async Task ReadMessagesAsync(AppendStretch stretch)
    {
        while (stretch.Announced is { } literal)
        {
            if (literal.Length % 2 == 1)
            {
                _events.AppendLine($"skipped {await Reader.SkipLiteralAsync(literal, default)}");
                return;
            }
            var message = new StringBuilder();
            var whole = await Reader.CopyLiteralAsync(literal, (piece, _) =>
            {
                message.Append(Encoding.Latin1.GetString(piece.Span));
                return ValueTask.CompletedTask;
            }, default);
            _events.AppendLine($"message {whole} {message}");
            if (!whole) return;
            var rest = await Reader.EndLiteralCommandAsync(default);
            Note(rest);
            if (rest.Kind != FrameKind.Command || !ImapCommandParser.TryParseRest(rest.Bytes, stretch.Place, new ParseOptions(false, 64), out var next, out _)) return;
            stretch = next;
        }
    }

    private void Note(CommandFrame frame) => _events.AppendLine($"{frame.Kind} {frame.Tag} {Text(frame.Bytes)}");
}
