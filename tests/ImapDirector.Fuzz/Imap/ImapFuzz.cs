using System.Buffers;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Fuzz.Imap;

public sealed class ImapFuzz
{
    private const int Slack = 64 * 1024;

    // Tables that are there once belong to no command.
    static ImapFuzz() => MailboxName.TryCreate("e\u0301", out _);

    [Fact]
    public void The_parser_answers_every_bent_command_and_costs_no_more_than_it_may() =>
        Fuzzing.Run(ImapCorpus.Commands, rounds: 100_000, (input, random) =>
        {
            var frame = CutPipeReader.Cut(input, random.Next(1, 50));
            var options = new ParseOptions(random.Next(2) == 0, random.Next(2) == 0 ? 1 : 64);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var parsed = ImapCommandParser.TryParse(frame, options, out var command, out var error);
            var cost = GC.GetAllocatedBytesForCurrentThread() - before;

            Assert.True(cost <= 16L * input.Length + Slack, $"{cost} bytes for {input.Length}");
            Assert.Equal(parsed, command is not null);
            Assert.True(ImapCommandParser.TryParse(new ReadOnlySequence<byte>(input), options, out _, out var again) == parsed && again == error,
                "cutting the frame changes nothing");
            if (parsed) Assert.NotEmpty(command!.Name);
            else Assert.NotEmpty(error.Reason);
        });

    [Fact]
    public void Whatever_follows_a_literal_of_APPEND_has_an_answer() =>
        Fuzzing.Run(ImapCorpus.Rests, rounds: 100_000, (input, random) =>
        {
            var place = (AppendPlace)random.Next((int)AppendPlace.BehindMessage, (int)AppendPlace.Complete);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var parsed = ImapCommandParser.TryParseRest(CutPipeReader.Cut(input, random.Next(1, 50)), place, ParseOptions.AfterLogin, out var stretch, out var error);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before <= 16L * input.Length + Slack, "it costs no more than it may");
            if (!parsed) Assert.NotEmpty(error.Reason);
            else Assert.Equal(stretch!.Place == AppendPlace.Complete, stretch.Announced is null);
        });

    [Fact]
    public void A_URL_names_a_part_or_nothing() =>
        Fuzzing.Run(ImapCorpus.Urls, rounds: 100_000, (input, _) =>
        {
            var text = Encoding.UTF8.GetString(input);
            if (AuthorizedUrl.TryParse(text, out var authorized))
            {
                Assert.StartsWith(authorized.Rump, text, StringComparison.Ordinal);
                Assert.True(authorized.Message.Mailbox is not null && authorized.User.Length > 0, "it is somebody's");
            }
            if (!MessageUrl.TryParse(text, out var url)) return;
            Assert.NotEqual(0u, url.Uid);
            if (url.Mailbox is { } name) Assert.True(MailboxName.TryCreate(name.Value, out var same) && same == name, "a name is its own name");
        });

    [Fact]
    public void The_reader_reads_every_bent_stream_alike_however_it_is_cut() =>
        Fuzzing.Run(ImapCorpus.Commands, rounds: 30_000, (input, random) =>
        {
            var limits = random.Next(3) switch
            {
                0 => CommandLimits.BeforeLogin,
                1 => CommandLimits.AfterLogin,
                _ => new CommandLimits(random.Next(20, 100), random.Next(1, 30), random.Next(1, 200), AllowAppend: true),
            };
            var whole = Read(new CutPipeReader(input), limits);
            Assert.Equal(whole, Read(new CutPipeReader(input, random.Next(1, 30), random.Next(1, 5)), limits));
            var bytes = new CutPipeReader(input, 1);
            Assert.Equal(whole, Read(bytes, limits));
            Assert.True(bytes.BytesShown <= input.Length, "each byte is looked at once");
        });

    [Fact]
    public void A_mailbox_name_that_is_read_is_written_back_as_it_came() =>
        Fuzzing.Run(ImapCorpus.Names, rounds: 100_000, (input, _) =>
        {
            if (ModifiedUtf7.TryDecode(input, out var text)) Assert.Equal(input, ModifiedUtf7.Encode(text));
            foreach (var utf8 in new[] { false, true })
            {
                if (!MailboxName.TryDecode(input, utf8, out var name)) continue;
                Assert.True(MailboxName.TryCreate(name.Value, out var same) && same == name, "a name is its own name");
                Assert.DoesNotContain("..", name.Value.Split('/'));
                var written = new ArrayBufferWriter<byte>();
                written.Mailbox(name, utf8);
                Assert.Equal(-1, written.WrittenSpan.IndexOfAny((byte)'\r', (byte)'\n', (byte)0));
            }
        });

    [Fact]
    public void A_backend_can_say_what_it_likes() =>
        Fuzzing.Run(ImapCorpus.Responses, rounds: 50_000, (input, random) =>
        {
            var whole = Responses(new CutPipeReader(input));
            Assert.Equal(whole, Responses(new CutPipeReader(input, random.Next(1, 10))));
            Assert.All(whole, response =>
            {
                Assert.All(response.Text + response.Code + response.CodeArguments + response.Tag, c => Assert.InRange(c, ' ', '~'));
                Assert.All(response.Capabilities() ?? [], Assert.NotEmpty);
            });
        });

    private static List<BackendResponse> Responses(CutPipeReader input)
    {
        var reader = new BackendResponseReader(input);
        var responses = new List<BackendResponse>();
        do responses.Add(Fuzzing.Completed(reader.ReadAsync(default)));
        while (responses[^1].IsLine);
        return responses;
    }

    /// <summary>All a session could notice. Messages of APPEND are copied, skipped or left to the reader, by their length.</summary>
    private static string Read(CutPipeReader input, CommandLimits limits)
    {
        var events = new StringBuilder();
        var reader = new ImapCommandReader(input, limits, _ =>
        {
            events.Append("+|");
            return ValueTask.CompletedTask;
        });
        while (true)
        {
            var frame = Fuzzing.Completed(reader.ReadAsync(default));
            events.Append(frame.Kind).Append(frame.Tag).Append(Encoding.Latin1.GetString(frame.Bytes)).Append('|');
            Assert.True(frame.Bytes.Length <= limits.MaxLineBytes + limits.MaxLiteralBytes, "no more is kept than the limits allow");
            if (frame.Kind is FrameKind.EndOfStream or FrameKind.Flood) return events.ToString();
            if (frame.Kind != FrameKind.Command || !limits.AllowAppend) continue;
            if (!ImapCommandParser.TryParse(frame.Bytes, ParseOptions.AfterLogin, out var command, out _) || command is not AppendCommand append) continue;
            for (var stretch = append.First; stretch.Announced is { } literal;)
            {
                if (literal.Length % 3 == 2) break;
                if (literal.Length % 3 == 0)
                {
                    events.Append(Fuzzing.Completed(reader.SkipLiteralAsync(literal, default))).Append('|');
                    break;
                }
                var whole = Fuzzing.Completed(reader.CopyLiteralAsync(literal, (piece, _) =>
                {
                    events.Append(Encoding.Latin1.GetString(piece.Span));
                    return ValueTask.CompletedTask;
                }, default));
                events.Append(whole).Append('|');
                if (!whole) return events.ToString();
                var rest = Fuzzing.Completed(reader.EndLiteralCommandAsync(default));
                events.Append(rest.Kind).Append(Encoding.Latin1.GetString(rest.Bytes)).Append('|');
                if (rest.Kind != FrameKind.Command || !ImapCommandParser.TryParseRest(rest.Bytes, stretch.Place, ParseOptions.AfterLogin, out var next, out _)) break;
                stretch = next;
            }
        }
    }
}
