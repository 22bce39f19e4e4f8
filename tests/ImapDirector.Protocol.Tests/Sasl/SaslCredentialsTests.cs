using System.Text;
using CsCheck;
using ImapDirector.Protocol.Sasl;
using Xunit;

namespace ImapDirector.Protocol.Tests.Sasl;

public sealed class SaslCredentialsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("=", "")]
    [InlineData("QQ==", "A")]
    [InlineData("AGEAYg==", "\0a\0b")]
    public void What_is_base64_is_decoded(string base64, string expected) => Assert.Equal(expected, Decode(base64));

    [Theory]
    [InlineData("==")]
    [InlineData("QQ")]
    [InlineData("QQ=")]
    [InlineData("QQ===")]
    [InlineData("QQ==QQ==")]
    [InlineData("Q Q==")]
    [InlineData("QQ==\r\n")]
    [InlineData("\tQQ==")]
    [InlineData("QQ==\n")]
    [InlineData("Q*==")]
    [InlineData("_-_-")]
    [InlineData("QQ\0=")]
    public void What_is_no_base64_is_refused(string base64) => Assert.Null(Decode(base64));

    [Theory]
    [InlineData("\0alice\0secret", "", "alice", "secret")]
    [InlineData("bob\0alice\0sec ret", "bob", "alice", "sec ret")]
    public void A_plain_message_is_split_at_its_NULs(string message, string identity, string user, string password)
    {
        Assert.True(SaslCredentials.TrySplitPlain(Encoding.UTF8.GetBytes(message), out var first, out var second, out var third));
        Assert.Equal((identity, user, password), (Encoding.UTF8.GetString(first), Encoding.UTF8.GetString(second), Encoding.UTF8.GetString(third)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("alice")]
    [InlineData("alice\0secret")]
    [InlineData("\0\0secret")]
    [InlineData("\0alice\0")]
    [InlineData("\0alice\0sec\0ret")]
    [InlineData("\0\0\0\0")]
    public void A_message_without_a_name_or_a_password_or_with_a_NUL_too_many_is_none(string message) =>
        Assert.False(SaslCredentials.TrySplitPlain(Encoding.UTF8.GetBytes(message), out _, out _, out _));

    [Fact]
    public void What_was_encoded_is_decoded_and_nothing_throws() =>
        Gen.Byte.Array[0, 100].Sample(bytes =>
        {
            var base64 = Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes));
            Assert.True(SaslCredentials.TryDecode(base64, out var decoded));
            Assert.Equal(bytes, decoded.ToArray());
            SaslCredentials.TrySplitPlain(bytes, out _, out _, out _);
            SaslCredentials.TryDecode(bytes, out _);
        });

    private static string? Decode(string base64) =>
        SaslCredentials.TryDecode(Encoding.Latin1.GetBytes(base64), out var response) ? Encoding.Latin1.GetString(response) : null;
}
