using System.Text;
using CsCheck;
using ImapDirector.Director.Relay;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

public sealed class ResponseBoundaryTests
{
    // Whole responses: one end of the stream in the middle of any of them is no place for a line of ours.
    private static readonly Gen<string> Response = Gen.OneOf(
        Gen.Const("* 1 EXISTS\r\n"),
        Gen.Const("* 1 FETCH (FLAGS ())\r\n"),
        Gen.Const("* LIST () \"/\" {0}\r\n\r\n"),
        Gen.Const("+ \r\n"),
        Gen.Const("a OK {x} {} {1x} }{ done\r\n"),
        Gen.Char["ab{}1\r\n)"].Array[0, 60].Select(body => $"* 1 FETCH (BODY[] {{{body.Length}}}\r\n{new string(body)})\r\n"),
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9], (a, b) => $"* 2 FETCH (X {{{a}}}\r\n{new string('\n', a)} Y ~{{{b}}}\r\n{new string('}', b)} {new string('z', a * b)})\r\n"));

    [Fact]
    public void A_stream_is_at_the_end_of_a_response_exactly_where_one_ends() =>
        Response.Array[1, 5].Sample(responses =>
        {
            var ends = new HashSet<int> { 0 };
            var text = new StringBuilder();
            foreach (var response in responses) ends.Add(text.Append(response).Length);
            var bytes = Encoding.Latin1.GetBytes(text.ToString());

            var boundary = new ResponseBoundary();
            for (var i = 0; i <= bytes.Length; i++)
            {
                Assert.Equal(ends.Contains(i), boundary.IsAtEndOfResponse);
                if (i < bytes.Length) boundary.Advance(bytes.AsSpan(i, 1));
            }
        });

    [Fact]
    public void However_the_stream_is_cut_the_answer_is_the_same() =>
        Gen.Select(Response.Array[1, 5], Gen.Int[1, 40].Array[1, 10], Gen.Int[0, 400]).Sample((responses, cuts, length) =>
        {
            var all = Encoding.Latin1.GetBytes(string.Concat(responses));
            var bytes = all.AsSpan(0, Math.Min(length, all.Length));
            var whole = new ResponseBoundary();
            whole.Advance(bytes);
            var cut = new ResponseBoundary();
            for (var i = 0; !bytes.IsEmpty; i++)
            {
                var piece = Math.Min(cuts[i % cuts.Length], bytes.Length);
                cut.Advance(bytes[..piece]);
                bytes = bytes[piece..];
            }
            Assert.Equal(whole.IsAtEndOfResponse, cut.IsAtEndOfResponse);
        });

    [Fact]
    public void The_longest_announcement_is_seen_and_a_longer_number_is_text()
    {
        Assert.False(After("* X {999999999999999999}\r\n* 1 EXISTS\r\n"));
        Assert.True(After("* X {9999999999999999999}\r\n* 1 EXISTS\r\n"));
    }

    [Theory]
    [InlineData("* BYE see you\r\na OK LOGOUT completed\r\n", true)]
    [InlineData("* 1 EXISTS\r\n* bye\r\n* 2 EXISTS\r\na1 OK done\r\n", true)]
    [InlineData("* BYE going down\r\n", false)]
    [InlineData("a OK NOOP completed\r\n* BYE going down\r\n", false)]
    [InlineData("a OK NOOP completed\r\n", false)]
    [InlineData("* BYE\r\na OK LOG", false)]
    [InlineData("* BY\r\na OK\r\n", false)]
    [InlineData("* 1 FETCH (X {7}\r\n* BYE\r\n)\r\na OK\r\n", false)]
    [InlineData("* 1 FETCH (X {0}\r\n* BYE)\r\na OK\r\n", false)]
    public void The_answer_to_LOGOUT_is_a_tagged_response_behind_BYE(string text, bool isAnswered)
    {
        var boundary = new ResponseBoundary();
        boundary.Advance(Encoding.ASCII.GetBytes(text));
        Assert.Equal(isAnswered, boundary.IsAnsweredLogout);
    }

    private static bool After(string text)
    {
        var boundary = new ResponseBoundary();
        boundary.Advance(Encoding.ASCII.GetBytes(text));
        return boundary.IsAtEndOfResponse;
    }
}
