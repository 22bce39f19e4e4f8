using System.Text;
using CsCheck;
using ImapDirector.Director.Login;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class SaslCredentialsTests
{
    [Fact]
    public void Base64_of_anything_decodes_to_it() =>
        Gen.Byte.Array[0, 300].Sample(bytes =>
        {
            Assert.True(SaslCredentials.TryDecode(Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes)), out var response));
            Assert.Equal(bytes, response.ToArray());
        });

    [Fact]
    public void Whatever_is_decoded_was_base64_to_the_last_byte() =>
        Gen.Char["AQgz09+/= \t\r\n\0*"].Array[0, 12].Sample(letters =>
        {
            var text = new string(letters);
            if (!SaslCredentials.TryDecode(Encoding.ASCII.GetBytes(text), out var response) || text == "=") return;
            Assert.DoesNotContain(text, char.IsWhiteSpace);
            Assert.Equal(Convert.FromBase64String(text), response.ToArray());
        });

    [Fact]
    public void A_PLAIN_message_is_split_as_it_was_joined()
    {
        var text = Gen.Byte[1, 255].Array[1, 40];
        Gen.Select(Gen.Byte[1, 255].Array[0, 40], text, text).Sample((identity, user, password) =>
        {
            Assert.True(SaslCredentials.TrySplitPlain([.. identity, 0, .. user, 0, .. password], out var i, out var u, out var p));
            Assert.Equal((identity, user, password), (i, u, p), Triples);
        });
    }

    [Fact]
    public void Any_bytes_are_split_or_turned_down_and_no_part_has_a_NUL() =>
        Gen.Byte[0, 3].Array[0, 12].Sample(bytes =>
        {
            if (!SaslCredentials.TrySplitPlain(bytes, out var identity, out var user, out var password)) return;
            Assert.Equal(bytes, [.. identity, 0, .. user, 0, .. password]);
            Assert.All([identity, user, password], part => Assert.DoesNotContain((byte)0, part));
            Assert.NotEmpty(user);
            Assert.NotEmpty(password);
        });

    private static bool Triples((byte[], byte[], byte[]) a, (byte[], byte[], byte[]) b) =>
        a.Item1.SequenceEqual(b.Item1) && a.Item2.SequenceEqual(b.Item2) && a.Item3.SequenceEqual(b.Item3);
}
