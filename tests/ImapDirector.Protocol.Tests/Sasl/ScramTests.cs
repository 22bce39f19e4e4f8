using System.Text;
using CsCheck;
using ImapDirector.Protocol.Sasl;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Protocol.Tests.Sasl;

public sealed class ScramTests
{
    private static readonly byte[] Binding = [1, 2, 3, 4];

    // RFC 5802 section 5, and RFC 7677 section 3.
    [Theory]
    [InlineData(ScramHashName.Sha1, "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92", "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ=")]
    [InlineData(ScramHashName.Sha256, "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ==", "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")]
    public void The_examples_of_the_RFCs_come_out(ScramHashName hash, string clientNonce, string serverNonce, string salt, string proof, string signature)
    {
        var verifier = ScramVerifier.Create(hash, "pencil"u8, Convert.FromBase64String(salt), 4096);
        var server = new ScramServer(First($"n,,n=user,r={clientNonce}")!, verifier, [], serverNonce);

        Assert.Equal($"r={clientNonce}{serverNonce},s={salt},i=4096", Encoding.ASCII.GetString(server.FirstMessage));
        Assert.Equal(ScramOutcome.Verified, Finish(server, $"c=biws,r={clientNonce}{serverNonce},p={proof}", out var answer));
        Assert.Equal("v=" + signature, answer);
        Assert.Equal(ScramOutcome.WrongProof, Finish(server, $"c=biws,r={clientNonce}{serverNonce},p={Convert.ToBase64String(new byte[ScramVerifier.SizeOf(hash)])}", out answer));
        Assert.Equal("", answer);
    }

    [Fact]
    public void Another_channel_is_told_from_a_wrong_password()
    {
        var (server, client) = Exchange("p=tls-server-end-point,,", Binding);
        Assert.Equal(ScramOutcome.Verified, server.Finish(client.Final("secret", Binding), out _));
        Assert.Equal(ScramOutcome.OtherChannel, server.Finish(client.Final("secret", [9, 9, 9, 9]), out _));
        Assert.Equal(ScramOutcome.WrongProof, server.Finish(client.Final("wrong", Binding), out _));
        // A header that is not the one the exchange began with.
        Assert.Equal(ScramOutcome.OtherChannel, server.Finish(client.Final("secret", [], "n,,"), out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("c=biws")]
    [InlineData("c=biws,r=clientserver")]
    [InlineData("c=biws,r=clientserver,p=")]
    [InlineData("c=biws,r=clientserver,p==")]
    [InlineData("c=biws,r=clientserver,p=AAAA")]
    [InlineData("c=biws,r=clientother,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")]
    [InlineData("r=clientserver,c=biws,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")]
    [InlineData(",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")]
    [InlineData("c=,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")]
    [InlineData("c=biws,r,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")]
    public void What_is_no_final_message_is_malformed(string final) =>
        Assert.Equal(ScramOutcome.Malformed, Finish(new ScramServer(First("n,,n=user,r=client")!, ScramVerifier.Create(ScramHashName.Sha1, "x"u8, [1], 1), [], "server"), final, out _));

    [Theory]
    [InlineData("n,,n=user,r=abc", "user", "")]
    [InlineData("y,a=other,n=user,r=abc", "user", "other")]
    [InlineData("n,a=o=2Cther,n=us=3Der,r=abc,x=1", "us=er", "o,ther")]
    [InlineData("p=tls-exporter,,n=\u00fcser,r=abc", "\u00fcser", "")]
    public void A_first_message_is_taken_apart(string message, string user, string identity)
    {
        var first = First(message)!;
        Assert.Equal((user, identity, "abc"), (Encoding.UTF8.GetString(first.User), Encoding.UTF8.GetString(first.Identity), first.Nonce));
    }

    [Theory]
    [InlineData("")]
    [InlineData("n,")]
    [InlineData("n,,")]
    [InlineData("x,,n=user,r=abc")]
    [InlineData("p=,,n=user,r=abc")]
    [InlineData("p=tls exporter,,n=user,r=abc")]
    [InlineData("n,user,n=user,r=abc")]
    [InlineData("n,a=,n=user,r=abc")]
    [InlineData("n,,m=ext,n=user,r=abc")]
    [InlineData("n,,n=,r=abc")]
    [InlineData("n,,n=us=2Xer,r=abc")]
    [InlineData("n,,n=user=,r=abc")]
    [InlineData("n,,n=us\0er,r=abc")]
    [InlineData("n,,n=user")]
    [InlineData("n,,n=user,r=")]
    [InlineData("n,,n=user,r=a\u00e4")]
    [InlineData("n,,r=abc,n=user")]
    public void What_is_no_first_message_is_none(string message) => Assert.Null(First(message));

    [Theory]
    [InlineData(512, true)]
    [InlineData(513, false)]
    public void A_nonce_has_a_longest(int length, bool isTaken) => Assert.Equal(isTaken, First($"n,,n=user,r={new string('x', length)}") is not null);

    [Fact]
    public void Any_bytes_are_read_without_an_exception() => Gen.Byte.Array[0, 300].Select(Gen.Byte.Array[0, 300]).Sample((first, final) =>
    {
        _ = ScramClientFirst.TryParse(first);
        _ = ScramClientFirst.TryParse([.. "n,,n="u8, .. first]);
        var server = new ScramServer(First("n,,n=user,r=client")!, ScramVerifier.Create(ScramHashName.Sha256, "x"u8, [1], 1), [], "server");
        return server.Finish(final, out _) != ScramOutcome.Verified && server.Finish([.. "c=biws,r="u8, .. final], out _) != ScramOutcome.Verified;
    });

    [Fact]
    public void A_verifier_is_read_as_it_is_written_in_both_notations()
    {
        var verifier = ScramVerifier.Create(ScramHashName.Sha256, "secret"u8, [1, 2, 3, 4], 4096);
        foreach (var text in (string[])[verifier.ToText(), $"SCRAM-SHA-256$4096:AQIDBA==${Convert.ToBase64String(verifier.StoredKey)}:{Convert.ToBase64String(verifier.ServerKey)}"])
        {
            Assert.True(ScramVerifier.TryParse(text)!.Matches("secret"u8));
            Assert.False(ScramVerifier.TryParse(text)!.Matches("other"u8));
        }
        Assert.DoesNotContain("=", verifier.ToString(), StringComparison.Ordinal);
    }

    private static (ScramServer Server, ScramTestClient Client) Exchange(string header, byte[] binding)
    {
        var client = new ScramTestClient(ScramHashName.Sha256, header, "user", "client");
        var server = new ScramServer(ScramClientFirst.TryParse(client.First)!, ScramVerifier.Create(ScramHashName.Sha256, "secret"u8, [7, 7, 7], 100), binding, "server");
        client.Hear(server.FirstMessage);
        return (server, client);
    }

    private static ScramClientFirst? First(string message) => ScramClientFirst.TryParse(Encoding.UTF8.GetBytes(message));

    private static ScramOutcome Finish(ScramServer server, string final, out string answer)
    {
        var outcome = server.Finish(Encoding.ASCII.GetBytes(final), out var bytes);
        answer = Encoding.ASCII.GetString(bytes);
        return outcome;
    }
}
