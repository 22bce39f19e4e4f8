using System.Text;
using CsCheck;
using ImapDirector.Storage.Commands;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>HEADER.FIELDS and HEADER.FIELDS.NOT.</summary>
public sealed class HeaderFieldFilterTests
{
    private const string Header =
        "Received: by a\r\n\twith b;\r\n today\r\nSubject: one\r\nSUBJECT : two\r\nno colon here\r\nFrom: x\r\n\r\n";

    private static string Select(string header, bool wanted, params string[] names)
    {
        var text = "junk" + header + "body: not a field\r\n";
        using var content = new MemoryStream(Encoding.Latin1.GetBytes(text));
        return SectionReader.Read(HeaderFieldFilter.Select(content, 4, 4 + header.Length, [.. names], wanted), content);
    }

    [Fact]
    public void Fields_come_in_the_order_of_the_header_whole_and_in_any_case() =>
        Assert.Equal("Received: by a\r\n\twith b;\r\n today\r\nSubject: one\r\nSUBJECT : two\r\n\r\n", Select(Header, true, "subject", "RECEIVED"));

    [Fact]
    public void The_others_are_what_is_left() =>
        Assert.Equal("no colon here\r\nFrom: x\r\n\r\n", Select(Header, false, "subject", "received"));

    [Fact]
    public void A_name_that_is_not_there_leaves_the_empty_line() => Assert.Equal("\r\n", Select(Header, true, "Date"));

    [Theory]
    [InlineData("Subject: no empty line\r\n", "Subject: no empty line\r\n\r\n")]
    [InlineData("Subject: not even a line end", "Subject: not even a line end\r\n")]
    [InlineData("", "\r\n")]
    [InlineData("\r\n", "\r\n")]
    [InlineData("Subject: bare\nFrom: lf\n\n", "Subject: bare\n\r\n")]
    public void A_header_that_is_not_whole_is_read_as_far_as_it_goes(string header, string expected) =>
        Assert.Equal(expected, Select(header, true, "Subject"));

    [Fact]
    public void A_long_header_is_the_same_as_what_a_simple_reader_finds() =>
        Gen.Select(Gen.OneOf(Gen.Const("A"), Gen.Const("Bb"), Gen.Const("X-Long")), Gen.Int[0, 3000], Gen.Int[0, 2]).Array[0, 40].Sample(fields =>
        {
            var header = new StringBuilder();
            var expected = new StringBuilder();
            foreach (var (name, length, folds) in fields)
            {
                var field = $"{name}: {new string('v', length)}\r\n" + string.Concat(Enumerable.Repeat(" more\r\n", folds));
                header.Append(field);
                if (name == "Bb") expected.Append(field);
            }
            header.Append("\r\n");
            return Select(header.ToString(), true, "bB") == expected + "\r\n";
        });
}
