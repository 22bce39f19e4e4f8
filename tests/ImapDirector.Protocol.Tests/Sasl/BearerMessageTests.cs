using System.Text;
using ImapDirector.Protocol.Sasl;
using Xunit;

namespace ImapDirector.Protocol.Tests.Sasl;

public sealed class BearerMessageTests
{
    [Fact]
    public void What_is_written_is_read()
    {
        Assert.True(UserName.TryCreate("alice@example.com", null, out var user));
        var message = BearerMessage.Write(user, "a.b.c");

        Assert.Equal("n,a=alice@example.com,\u0001auth=Bearer a.b.c\u0001\u0001", Encoding.ASCII.GetString(message));
        Assert.True(BearerMessage.TryParse(message, out var identity, out var token));
        Assert.Equal("alice@example.com", Encoding.ASCII.GetString(identity));
        Assert.Equal("a.b.c", Encoding.ASCII.GetString(token));
    }

    [Theory]
    [InlineData("n,a=u,^host=h^port=143^auth=Bearer t^^", "u", "t")]
    [InlineData("n,a=u,^auth=bearer t^host=h^^", "u", "t")]
    [InlineData("n,,^auth=Bearer t^^", "", "t")]
    [InlineData("y,a=u,^auth=Bearer t^^", "u", "t")]
    public void Other_pairs_are_passed_over(string message, string identity, string token)
    {
        Assert.True(BearerMessage.TryParse(Bytes(message), out var readIdentity, out var readToken));
        Assert.Equal((identity, token), (Encoding.ASCII.GetString(readIdentity), Encoding.ASCII.GetString(readToken)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("n,a=u,")]
    [InlineData("n,a=u,^")]
    [InlineData("n,a=u,^^")]
    [InlineData("n,a=u,^auth=Bearer t")]
    [InlineData("n,a=u,^auth=Bearer t^")]
    [InlineData("n,a=u,^auth=Bearer ^^")]
    [InlineData("n,a=u,^auth=Basic t^^")]
    [InlineData("n,a=u,^auth=Bearer t^auth=Bearer s^^")]
    [InlineData("n,a=u,^^auth=Bearer t^^")]
    [InlineData("n,a=,^auth=Bearer t^^")]
    [InlineData("n,u,^auth=Bearer t^^")]
    [InlineData("n,a=u^auth=Bearer t^^")]
    [InlineData("p=tls-unique,a=u,^auth=Bearer t^^")]
    public void Anything_else_is_no_such_message(string message) => Assert.False(BearerMessage.TryParse(Bytes(message), out _, out _));

    private static byte[] Bytes(string message) => Encoding.ASCII.GetBytes(message.Replace('^', '\u0001'));
}
