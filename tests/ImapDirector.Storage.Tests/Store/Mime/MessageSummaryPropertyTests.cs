using System.Text;
using CsCheck;
using ImapDirector.Storage.Store.Mime;
using Xunit;

namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>What holds for every message, and what any message may cost.</summary>
public sealed class MessageSummaryPropertyTests
{
    private static readonly Gen<string> Anything = Gen.OneOf(
        Gen.Byte.Array[0, 300].Select(Encoding.Latin1.GetString),
        RandomMessages.Lines, RandomMessages.Trees, RandomMessages.Addresses, RandomMessages.ContentFields,
        RandomMessages.Lines.Select(static message => message.Replace("\r\n", "\n", StringComparison.Ordinal)));

    [Fact]
    public void Every_message_has_a_summary_that_can_be_read_and_parts_that_lie_in_each_other() => Anything.Sample(static message =>
    {
        var text = new SummaryText(message);
        Assert.StartsWith("(", text.Envelope, StringComparison.Ordinal);
        Assert.StartsWith("(", text.Body, StringComparison.Ordinal);
        Assert.StartsWith("(", text.BodyStructure, StringComparison.Ordinal);
        var parts = text.Summary.Parts;
        Assert.Equal(("", true, 0, message.Length), (parts[0].Path, parts[0].IsMessage, parts[0].HeaderStart, parts[0].End));
        Assert.Equal(parts.Length, parts.Select(static part => (part.Path, part.IsMessage)).Distinct().Count());
        foreach (var part in parts)
        {
            Assert.InRange(part.BodyStart, part.HeaderStart, part.End);
            var parent = parts.LastOrDefault(other => other != part && (other.Path.Length == 0 || part.Path == other.Path || part.Path.StartsWith(other.Path + ".", StringComparison.Ordinal))
                && (part.IsMessage || !(other.Path == part.Path)) && parts.IndexOf(other) < parts.IndexOf(part));
            if (parent is null) continue;
            Assert.InRange(part.HeaderStart, parent.BodyStart, parent.End);
            Assert.InRange(part.End, part.BodyStart, parent.End);
        }
    }, iter: 2000);

    public static TheoryData<string, string> Costly => new()
    {
        { "", "x" },
        { "", "X: y\r\n" },
        { "Subject: ", "\r\n x" },
        { "Subject: ", "\0" },
        { "To: ", "a@b," },
        { "To: ", "(" },
        { "To: ", "\"" },
        { "To: ", "\\(\"" },
        { "To: ", "a:" },
        { "To: ", "<@a," },
        { "", "To: a\r\n" },
        { "Content-Type: a/b", ";p*=v" },
        { "Content-Type: a/b", ";" },
        { "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--\r\n" },
        { "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n" },
        { "Content-Type: multipart/digest; boundary=b\r\n\r\n", "--b\r\n\r\n" },
        { "", "Content-Type: message/rfc822\r\n\r\n" },
        { "", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" },
    };

    [Theory]
    [MemberData(nameof(Costly))]
    public void Twice_the_message_costs_no_more_than_twice_the_memory(string head, string repeated)
    {
        // Behind the limits the cost no longer grows; before them it grows as the message does.
        Allocated(head, repeated, 1);
        // The smaller of two: a collection in between takes pooled buffers away, and the next call makes them anew.
        var single = Math.Min(Allocated(head, repeated, 16 * 1024), Allocated(head, repeated, 16 * 1024));
        var twice = Math.Min(Allocated(head, repeated, 32 * 1024), Allocated(head, repeated, 32 * 1024));
        // A buffer that grows by doubling may have just done so.
        Assert.True(twice <= 2.6 * single + 64 * 1024, $"{single} bytes, then {twice}");
    }

    [Fact]
    public void A_large_message_is_not_held_in_memory()
    {
        var body = new MemoryStream();
        body.Write("Subject: large\r\n\r\n"u8);
        var line = Encoding.ASCII.GetBytes(new string('x', 76) + "\r\n");
        while (body.Length < 20 * 1024 * 1024) body.Write(line);
        body.Position = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        MessageSummarizer.Summarize(body);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 * 1024);
    }

    private static long Allocated(string head, string repeated, int bytes)
    {
        var message = new MemoryStream(Encoding.Latin1.GetBytes(head + string.Concat(Enumerable.Repeat(repeated, bytes / repeated.Length + 1))));
        var before = GC.GetAllocatedBytesForCurrentThread();
        MessageSummarizer.Summarize(message);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
