using System.Buffers;
using System.Text;
using CsCheck;
using ImapDirector.Protocol.Imap;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

public sealed class ImapCommandParserProperties
{
    private static readonly Gen<(ImapCommand Command, Spelling Spelling, bool Utf8)> Spelled =
        Gen.Select(CommandGen.Any, Gen.Enum<Spelling>(), Gen.Bool).Select((command, spelling, utf8) => (command, spelling, utf8));

    private static byte[] Print((ImapCommand Command, Spelling Spelling, bool Utf8) spelled) =>
        CommandPrinter.Print(spelled.Command, spelled.Spelling, spelled.Utf8);

    [Fact]
    public void What_is_printed_parses_to_what_it_was() =>
        Spelled.Sample(spelled =>
        {
            var frame = new ReadOnlySequence<byte>(Print(spelled));
            Assert.True(ImapCommandParser.TryParse(frame, new ParseOptions(spelled.Utf8, 64), out var parsed, out var error), error.Reason);
            Assert.Equal(Structure.Of(spelled.Command), Structure.Of(parsed));
        }, iter: 20_000, print: spelled => Encoding.Latin1.GetString(Print(spelled)));

    [Fact]
    public void A_command_in_pieces_parses_to_the_same() =>
        Gen.Select(Spelled, Gen.Int[1, 9].Array[1, 4]).Sample((spelled, sizes) =>
        {
            var pieces = CutPipeReader.Cut(Print(spelled), sizes);
            Assert.True(ImapCommandParser.TryParse(pieces, new ParseOptions(spelled.Utf8, 64), out var parsed, out var error), error.Reason);
            Assert.Equal(Structure.Of(spelled.Command), Structure.Of(parsed));
        });

    [Fact]
    public void The_reader_cuts_printed_commands_out_of_a_stream_as_they_were_printed() =>
        Gen.Select(Spelled.Where(s => s.Command is not (AppendCommand or ReplaceCommand)).Array[1, 4], Gen.Int[1, 40].Array[1, 4]).Sample((commands, sizes) =>
        {
            var expected = new StringBuilder();
            foreach (var command in commands)
            {
                if (command.Spelling == Spelling.Literals)
                    for (var i = Print(command).AsSpan().Count("}\r\n"u8); i > 0; i--) expected.Append("+\n");
                expected.Append("Command  ").Append(Encoding.Latin1.GetString(Print(command))).Append('\n');
            }
            // A string may happen to hold what looks like a literal's header; then counting them in the printed text would be wrong.
            var read = ReadingScript.Of(commands.SelectMany(Print).ToArray(), CommandLimits.AfterLogin, sizes);
            Assert.Equal((expected + "EndOfStream  \n").ReplaceLineEndings("\n").Replace("+\n", ""), read.Replace("+\n", ""));
        });

    [Fact]
    public void A_printed_command_with_bytes_changed_never_throws_and_keeps_its_tag() =>
        Gen.Select(Spelled, Gen.Select(Gen.Int[0, 200], Gen.Byte).Array[1, 6]).Sample((spelled, changes) =>
        {
            var bytes = Print(spelled);
            foreach (var (at, value) in changes)
                if (spelled.Command.Tag.Length + 1 + at < bytes.Length) bytes[spelled.Command.Tag.Length + 1 + at] = value;
            if (ImapCommandParser.TryParse(new ReadOnlySequence<byte>(bytes), new ParseOptions(spelled.Utf8, 64), out var parsed, out var error))
                Assert.Equal(spelled.Command.Tag, parsed.Tag);
            else
                Assert.Equal(spelled.Command.Tag, error.Tag);
        }, iter: 20_000);

    [Fact]
    public void A_printed_command_cut_short_is_an_error() =>
        Gen.Select(Spelled.Where(s => s.Command is not (AppendCommand or ReplaceCommand)), Gen.Int[1, 500]).Sample((spelled, cut) =>
        {
            var bytes = Print(spelled);
            bytes = bytes[..^Math.Min(cut, bytes.Length)];
            Assert.False(ImapCommandParser.TryParse(new ReadOnlySequence<byte>(bytes), new ParseOptions(spelled.Utf8, 64), out _, out var error));
            Assert.NotEmpty(error.Reason);
        }, iter: 5000);
}
