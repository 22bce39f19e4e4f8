using System.Text;
using CsCheck;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class LoginNameTests
{
    [Theory]
    [InlineData("alice@example.com", "alice@example.com")]
    [InlineData("ALICE@EXAMPLE.COM", "alice@example.com")]
    [InlineData("alice", "alice@example.com")]
    [InlineData("alice+lists", "alice@example.com")]
    [InlineData("alice+lists+more@Example.com", "alice@example.com")]
    [InlineData("al.ice-b_c@mail.example.com", "al.ice-b_c@mail.example.com")]
    public void Every_spelling_is_one_name(string sent, string name) => Assert.Equal(name, Read(sent));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(" alice")]
    [InlineData("alice ")]
    [InlineData("alice\t")]
    [InlineData("al ice")]
    [InlineData("alice.")]
    [InlineData(".alice")]
    [InlineData("alice@example.com.")]
    [InlineData("alice@.example.com")]
    [InlineData("alice@")]
    [InlineData("@example.com")]
    [InlineData("+lists@example.com")]
    [InlineData("alice@example.com@example.com")]
    [InlineData("alice*root")]
    [InlineData("alice%40example.com")]
    [InlineData("alice/../bob")]
    [InlineData("alice\\bob")]
    [InlineData("alice:bob")]
    [InlineData("alice{x}")]
    [InlineData("alice\0")]
    [InlineData("alice\r\n")]
    [InlineData("alice\u007f")]
    // Cyrillic a, full-width a, a with a zero-width space, dotless i, Kelvin sign, long s, ligature, combining accent, soft hyphen, right-to-left override.
    [InlineData("\u0430lice")]
    [InlineData("\uff41lice")]
    [InlineData("a\u200blice")]
    [InlineData("al\u0131ce")]
    [InlineData("ali\u212ae")]
    [InlineData("ali\u017f")]
    [InlineData("\ufb01ona")]
    [InlineData("alice\u0301")]
    [InlineData("al\u00adice")]
    [InlineData("alice\u202e")]
    [InlineData("\u00e4lice@example.com")]
    [InlineData("alice@ex\u00e4mple.com")]
    public void What_only_looks_like_a_name_is_none(string sent) => Assert.Null(Read(sent));

    [Theory]
    [InlineData(243, true)]
    [InlineData(244, false)]
    public void With_its_domain_a_name_has_255_letters_at_most(int length, bool isName) => Assert.Equal(isName, Read(new string('a', length)) is not null);

    [Fact]
    public void Bytes_that_are_no_ASCII_are_no_name_and_a_name_is_its_own_name() => Gen.Byte.Array[0, 300].Sample(bytes =>
    {
        if (!LoginName.TryRead(bytes, "example.com", out var user)) return true;
        return bytes.All(letter => letter < 0x80) && Read(user.Value) == user.Value && user.Value.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || ".-_@".Contains(letter));
    });

    [FactIfInstalled("redis-server")]
    public async Task One_string_decides_password_node_and_throttling()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using var client = await director.LogInAsync("ALICE+folder");
        var keys = director.Redis.Probe.GetServers()[0].Keys(pattern: "*lice*").Select(key => key.ToString()).Order(StringComparer.Ordinal);
        Assert.Equal(["imapdirector:{alice@example.com}:account", "imapdirector:{alice@example.com}:assignment", "imapdirector:{alice@example.com}:sessions"], keys);
        Assert.StartsWith("alice@example.com\0", node.Session.Credentials, StringComparison.Ordinal);
    }

    private static string? Read(string sent) => LoginName.TryRead(Encoding.UTF8.GetBytes(sent), "example.com", out var user) ? user.Value : null;
}
