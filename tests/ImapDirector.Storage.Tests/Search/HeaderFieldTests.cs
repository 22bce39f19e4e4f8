using System.Text;
using CsCheck;
using ImapDirector.Storage.Search;
using MimeKit;
using Xunit;

namespace ImapDirector.Storage.Tests.Search;

/// <summary>The fields of a header, as SEARCH looks at them.</summary>
public sealed class HeaderFieldTests
{
    private static readonly string[] Parts = ["a", "b", " ", "\r\n ", "\r\n\t", "=?utf-8?q?x=C3=A9_y?=", "=?iso-8859-1?b?6Q==?=", "<a@b>", "\u00e9", "=?", "?=", "(c)", "\"q\""];

    private static List<(string Name, string Value)> Read(string header)
    {
        var bytes = Encoding.Latin1.GetBytes(header);
        return MessageText.ReadHeader(new MemoryStream(bytes), 0, bytes.Length);
    }

    [Theory]
    [InlineData("A: b\r\n\r\n", "A=b")]
    [InlineData("A: b", "A=b")]
    [InlineData("A:b\nC \t: d\n\n", "A=b C=d")]
    [InlineData("A: b\r\n c\r\n\td\r\nE: f\r\n", "A=b c\td E=f")]
    [InlineData("A: =?utf-8?q?b=C3=A9?=\r\n =?utf-8?q?c?=\r\n", "A=b\u00e9c")]
    [InlineData("A:\r\n\r\n", "A=")]
    [InlineData(": x\r\nA: b\r\n", "A=b")]
    [InlineData(" folded first: x\r\nA: b\r\n", "A=b")]
    // A line that is no field's hides none behind it.
    [InlineData("no colon\r\nA: b\r\n", "A=b")]
    [InlineData("From x@y Sat Jan  1 12:00:00 2000\r\nA: b\r\n", "A=b")]
    public void Fields_are_taken_apart_and_decoded(string header, string fields) =>
        Assert.Equal(fields, string.Join(' ', Read(header).Select(static field => $"{field.Name}={field.Value}")));

    [Fact]
    public void They_are_those_that_a_MIME_parser_finds() =>
        Gen.Int[0, Parts.Length - 1].Array[1, 12].Array[1, 4].Sample(static fields =>
        {
            var header = string.Concat(fields.Select(static parts => $"N: {string.Concat(parts.Select(static part => Parts[part]))}\r\n")) + "\r\n";
            var expected = HeaderList.Load(new MemoryStream(Encoding.Latin1.GetBytes(header))).Select(static field => $"{field.Field}={field.Value}");
            Assert.Equal(expected, Read(header).Select(static field => $"{field.Name}={field.Value}"));
        });
}
