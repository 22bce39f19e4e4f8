using System.Text;
using CsCheck;
using ImapDirector.Protocol.Sasl;
using Xunit;

namespace ImapDirector.Protocol.Tests.Sasl;

public sealed class XOAuth2MessageTests
{
    [Fact]
    public void The_message_is_taken_apart()
    {
        Assert.True(XOAuth2Message.TryParse("user=someuser@example.com\u0001auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==\u0001\u0001"u8, out var user, out var token));
        Assert.Equal(("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=="), (Encoding.ASCII.GetString(user), Encoding.ASCII.GetString(token)));
        Assert.True(XOAuth2Message.TryParse("user=a\u0001auth=bearer b\u0001\u0001"u8, out _, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("user=")]
    [InlineData("\u0001\u0001")]
    [InlineData("user=\u0001\u0001")]
    [InlineData("user=a\u0001\u0001")]
    [InlineData("user=\u0001auth=Bearer b\u0001\u0001")]
    [InlineData("user=a\u0001auth=Bearer \u0001\u0001")]
    [InlineData("user=a\u0001auth=Basic bbbb\u0001\u0001")]
    [InlineData("user=a\u0001auth=Bearer b\u0001")]
    [InlineData("user=a\u0001auth=Bearer b\u0001c\u0001\u0001")]
    [InlineData("auth=Bearer b\u0001user=a\u0001\u0001")]
    public void What_is_no_message_is_none(string message) => Assert.False(XOAuth2Message.TryParse(Encoding.ASCII.GetBytes(message), out _, out _));

    [Fact]
    public void Any_bytes_are_read_without_an_exception() => Gen.Byte.Array[0, 100].Sample(bytes =>
    {
        _ = XOAuth2Message.TryParse(bytes, out _, out _);
        _ = XOAuth2Message.TryParse([.. "user="u8, .. bytes, 1, 1], out _, out _);
    });
}
