using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using CsCheck;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Commands;
using ImapDirector.Storage.Store;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>Which bytes of a message a section-spec names.</summary>
public sealed class SectionTests
{
    // A multipart message with a text part and an attached message, which is not multipart.
    private const string RootHeader = "Subject: root\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    private const string TextHeader = "Content-Type: text/plain\r\n\r\n";
    private const string TextBody = "first part";
    private const string AttachedMime = "Content-Type: message/rfc822\r\n\r\n";
    private const string InnerHeader = "Subject: inner\r\nFrom: x@example.com\r\n\r\n";
    private const string InnerBody = "inner body";

    private static readonly string Message =
        $"{RootHeader}--b\r\n{TextHeader}{TextBody}\r\n--b\r\n{AttachedMime}{InnerHeader}{InnerBody}\r\n--b--\r\n";

    private static MessageSummary Summary()
    {
        var parts = ImmutableArray.CreateBuilder<PartRecord>();
        parts.Add(Part("", true, RootHeader, Message.Length, "multipart/mixed"));
        parts.Add(Part("1", false, TextHeader, EndOf(TextBody), "text/plain"));
        parts.Add(Part("2", false, AttachedMime, EndOf(InnerBody), "message/rfc822"));
        parts.Add(Part("2", true, InnerHeader, EndOf(InnerBody), "text/plain"));
        return new MessageSummary([], [], [], parts.ToImmutable(), null);
    }

    private static PartRecord Part(string path, bool isMessage, string header, int end, string type)
    {
        var start = Message.IndexOf(header, StringComparison.Ordinal);
        return new PartRecord(path, isMessage, start, start + header.Length, end, type, null, "7bit");
    }

    private static int EndOf(string text) => Message.IndexOf(text, StringComparison.Ordinal) + text.Length;

    private static string? Read(string part, SectionText text, params string[] fields)
    {
        var numbers = part.Split('.', StringSplitOptions.RemoveEmptyEntries).Select(uint.Parse).ToImmutableArray();
        var section = new BodySection(numbers, text, [.. fields]);
        using var content = new MemoryStream(Encoding.ASCII.GetBytes(Message));
        return SectionLocator.Find(section, Summary(), content) is { } bytes ? SectionReader.Read(bytes, content) : null;
    }

    [Fact]
    public void The_whole_message_and_its_header_and_text()
    {
        Assert.Equal(Message, Read("", SectionText.All));
        Assert.Equal(RootHeader, Read("", SectionText.Header));
        Assert.Equal(Message[RootHeader.Length..], Read("", SectionText.Text));
    }

    [Fact]
    public void Parts_are_their_bodies_and_MIME_is_their_header()
    {
        Assert.Equal(TextBody, Read("1", SectionText.All));
        Assert.Equal(TextHeader, Read("1", SectionText.Mime));
        Assert.Equal(InnerHeader + InnerBody, Read("2", SectionText.All));
        Assert.Equal(AttachedMime, Read("2", SectionText.Mime));
    }

    [Fact]
    public void HEADER_and_TEXT_of_an_attached_message_are_the_inner_ones_and_its_only_part_is_part_1()
    {
        Assert.Equal(InnerHeader, Read("2", SectionText.Header));
        Assert.Equal(InnerBody, Read("2", SectionText.Text));
        Assert.Equal("Subject: inner\r\n\r\n", Read("2", SectionText.HeaderFields, "SUBJECT"));
        Assert.Equal(InnerBody, Read("2.1", SectionText.All));
        Assert.Equal(InnerHeader, Read("2.1", SectionText.Mime));
    }

    [Theory]
    [InlineData("3", SectionText.All)]
    [InlineData("1.1", SectionText.All)]
    [InlineData("2.2", SectionText.All)]
    [InlineData("2.1.1", SectionText.All)]
    [InlineData("1", SectionText.Header)]
    [InlineData("1", SectionText.Text)]
    [InlineData("3", SectionText.Mime)]
    [InlineData("1", SectionText.HeaderFields)]
    public void What_the_message_does_not_have_is_nothing(string part, SectionText text) => Assert.Null(Read(part, text, "Subject"));

    [Fact]
    public void Any_partial_of_any_ranges_is_the_same_slice_of_their_bytes() =>
        Gen.Select(Gen.Int[0, 20].Array[0, 5], Gen.Bool, Gen.UInt[0, 60], Gen.UInt[1, 60]).Sample((lengths, emptyLine, offset, length) =>
        {
            var ranges = new List<ByteRange>();
            var start = 3L;
            foreach (var one in lengths)
            {
                ranges.Add(new ByteRange(start, one));
                start += one + 1;
            }
            using var content = new MemoryStream([.. Enumerable.Range(0, 200).Select(static i => (byte)('0' + i % 75))]);
            var bytes = emptyLine ? SectionBytes.WithEmptyLine(ranges) : new SectionBytes(ranges, default);
            var whole = SectionReader.Read(bytes, content);
            var from = (int)Math.Min(offset, whole.Length);
            var expected = whole.Substring(from, (int)Math.Min(length, whole.Length - from));
            var cut = bytes.Cut(offset, length);
            return whole.Length == bytes.Length && cut.Length == expected.Length && SectionReader.Read(cut, content) == expected;
        });
}
