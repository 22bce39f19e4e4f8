using System.Text;
using ImapDirector.Protocol.Sasl;
using Xunit;

namespace ImapDirector.Fuzz.Sasl;

public sealed class SaslFuzz
{
    private const int Slack = 64 * 1024;
    private static readonly ScramVerifier Verifier = ScramVerifier.Create(ScramHashName.Sha256, "secret"u8, [1, 2, 3, 4], 1);

    [Fact]
    public void Base64_is_what_the_framework_takes_and_nothing_more() =>
        Fuzzing.Run(SaslCorpus.Base64, rounds: 100_000, (input, _) =>
        {
            if (!SaslCredentials.TryDecode([.. input], out var decoded) || input is [(byte)'=']) return;
            Assert.Equal(Encoding.Latin1.GetString(input), Convert.ToBase64String(decoded));
        });

    [Fact]
    public void A_message_of_any_mechanism_is_taken_apart_or_refused_at_a_cost_that_its_length_bounds() =>
        Fuzzing.Run(SaslCorpus.Messages, rounds: 100_000, (input, _) =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var first = ScramClientFirst.TryParse(input);
            var isBearer = BearerMessage.TryParse(input, out var identity, out var token);
            var isXOAuth2 = XOAuth2Message.TryParse(input, out var user, out var other);
            var isPlain = SaslCredentials.TrySplitPlain(input, out var asked, out var name, out var password);
            var cost = GC.GetAllocatedBytesForCurrentThread() - before;

            Assert.True(cost <= 16L * input.Length + Slack, $"{cost} bytes for {input.Length}");
            Assert.True(!isPlain || (!asked.Contains((byte)0) && name.Length > 0 && password.Length > 0 && !name.Contains((byte)0) && !password.Contains((byte)0)));
            Assert.True(!isBearer || (token.Length > 0 && !token.Contains((byte)1) && !identity.Contains((byte)',')));
            Assert.True(!isXOAuth2 || (user.Length > 0 && other.Length > 0 && !user.Contains((byte)1) && !other.Contains((byte)1)));
            if (first is null) return;
            Assert.DoesNotContain((byte)0, first.User);
            Assert.Equal(input, first.Header.Concat(first.Bare));
            Assert.Equal(first.Binding == ScramBinding.Used, first.BindingName is not null);
        });

    [Fact]
    public void No_bent_proof_is_a_right_one() =>
        Fuzzing.Run(SaslCorpus.Finals, rounds: 50_000, (input, _) =>
        {
            var server = new ScramServer(ScramClientFirst.TryParse("n,,n=user,r=client"u8)!, Verifier, [], "server");
            Assert.NotEqual(ScramOutcome.Verified, server.Finish(input, out var answer));
            Assert.Empty(answer);
        });

    [Fact]
    public void A_verifier_is_within_bounds_or_none() =>
        Fuzzing.Run(SaslCorpus.Verifiers, rounds: 50_000, (input, _) =>
        {
            if (ScramVerifier.TryParse(Encoding.Latin1.GetString(input)) is not { } verifier) return;
            Assert.InRange(verifier.Iterations, 1, ScramVerifier.MaxIterations);
            Assert.InRange(verifier.Salt.Length, 1, 64);
            Assert.Equal((ScramVerifier.SizeOf(verifier.Hash), ScramVerifier.SizeOf(verifier.Hash)), (verifier.StoredKey.Length, verifier.ServerKey.Length));
            Assert.Equal(verifier.ToText(), ScramVerifier.TryParse(verifier.ToText())!.ToText());
        });
}
