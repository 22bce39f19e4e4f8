using System.Collections.Immutable;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Commands;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Mime;
using Xunit;

namespace ImapDirector.Fuzz.Mail;

/// <summary>What is computed of a message, and read of it afterwards, whatever its bytes.</summary>
public sealed class MailFuzz
{
    // A message is not trusted with more than this, however small it is: tables, buffers and a decoder that are there once.
    private const int Slack = 512 * 1024;

    [Fact]
    public void Every_bent_message_has_a_summary_whose_parts_lie_within_it() =>
        Fuzzing.Run(MailCorpus.Messages, rounds: 60_000, (input, _) =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var (summary, keys) = MessageSummarizer.Examine(new MemoryStream(input));
            var cost = GC.GetAllocatedBytesForCurrentThread() - before;

            Assert.True(cost <= 200L * input.Length + Slack, $"{cost} bytes for {input.Length}");
            foreach (var text in new[] { summary.Envelope, summary.Body, summary.BodyStructure }) DemandWellFormed(text);
            Assert.All(summary.Parts, part => Assert.True(part.HeaderStart >= 0 && part.HeaderStart <= part.BodyStart && part.BodyStart <= part.End && part.End <= input.Length, $"{part}"));
            Assert.True(keys.MessageId.Length is 0 or 16 && keys.Parents.Length % 16 == 0);
            var again = SummaryFormat.Decode(SummaryFormat.Encode(summary))!;
            Assert.Equal(summary.Parts.AsEnumerable(), again.Parts);
            Assert.Equal(SummaryFormat.Encode(summary), SummaryFormat.Encode(again));
        });

    [Fact]
    public void Every_section_of_every_bent_message_is_within_it_or_is_not_there() =>
        Fuzzing.Run(MailCorpus.Messages, rounds: 40_000, (input, random) =>
        {
            var content = new MemoryStream(input);
            var summary = MessageSummarizer.Summarize(content);
            for (var i = 0; i < 8; i++)
            {
                var section = Section(random);
                if (SectionLocator.Find(section, summary, content) is { } found)
                {
                    if (random.Next(3) == 0) found = found.Cut((uint)random.Next(50), (uint)random.Next(50));
                    Assert.All(found.Ranges, range => Assert.True(range.Start >= 0 && range.Length >= 0 && range.Start + range.Length <= input.Length, $"{section} {range}"));
                    Assert.Equal(found.Length, found.Ranges.Sum(static range => range.Length) + found.Suffix.Length);
                }
                var binary = BinarySection.Find(section with { Text = SectionText.All, HeaderFields = [] }, summary, content, out var isUnknown);
                Assert.False(isUnknown && binary is not null);
                Assert.InRange(binary?.Length ?? 0, 0, input.Length);
            }
            if (MessagePreview.Of(content, summary) is not { } preview) return;
            Assert.True(preview.Length <= 512, preview);
            Assert.DoesNotContain(preview, char.IsControl);
        });

    [Fact]
    public void A_summary_that_was_damaged_in_the_database_is_told_as_damage() =>
        Fuzzing.Run([.. MailCorpus.Messages.Select(static message =>
            System.Text.Encoding.Latin1.GetString(SummaryFormat.Encode(MessageSummarizer.Summarize(new MemoryStream(System.Text.Encoding.Latin1.GetBytes(message))))))],
            rounds: 60_000, (input, _) =>
            {
                try
                {
                    SummaryFormat.Decode(input);
                }
                catch (Exception damage) when (SummaryFormat.IsDamage(damage))
                {
                    // As callers take it.
                }
            });

    /// <summary>One value of IMAP: parentheses in balance, strings closed, literals as long as they say.</summary>
    private static void DemandWellFormed(ReadOnlySpan<byte> text)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'(':
                    depth++;
                    break;
                case (byte)')':
                    Assert.True(--depth >= 0);
                    break;
                case (byte)'"':
                    for (i++; text[i] != '"'; i++)
                    {
                        if (text[i] == '\\') i++;
                        Assert.True(text[i] is not ((byte)'\r' or (byte)'\n' or 0));
                    }
                    break;
                case (byte)'{':
                    var end = i + text[i..].IndexOf("}\r\n"u8);
                    Assert.True(end > i && int.TryParse(text[(i + 1)..end], out _));
                    i = end + 2 + int.Parse(text[(i + 1)..end], System.Globalization.CultureInfo.InvariantCulture);
                    Assert.True(i < text.Length);
                    break;
                default:
                    Assert.True(text[i] is >= (byte)' ' and < 0x7F);
                    break;
            }
        }
        Assert.Equal(0, depth);
    }

    private static BodySection Section(Random random)
    {
        ImmutableArray<uint> part = [.. Enumerable.Range(0, random.Next(4)).Select(_ => (uint)random.Next(1, 4))];
        var text = (SectionText)random.Next(6);
        if (text == SectionText.Mime && part.IsEmpty) part = [1];
        ImmutableArray<string> fields = text is SectionText.HeaderFields or SectionText.HeaderFieldsNot ? ["subject", "To", "x"] : [];
        return new BodySection(part, text, fields);
    }
}
