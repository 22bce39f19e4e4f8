using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol.Assertions;
using Xunit;

namespace ImapDirector.Protocol.Tests.Assertions;

/// <summary>What a node takes for a director's word.</summary>
public sealed class AssertionTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly AssertionSigner _director = AssertionSigner.Create();
    private readonly SetClock _clock = new(Now - TimeSpan.FromHours(1));
    private readonly AssertionKeySet _keys;
    private readonly AssertionVerifier _node;

    public AssertionTests()
    {
        _keys = AssertionKeySet.Parse([_director.ExportPublicPem()]);
        _node = new AssertionVerifier("node1", Tolerance, _clock);
        _clock.Advance(TimeSpan.FromHours(1));
    }

    public void Dispose() => _director.Dispose();

    [Fact]
    public void A_token_says_at_the_node_what_the_director_said()
    {
        var said = Claims();

        var refusal = Verify(_director.Sign(said), out var heard);

        Assert.Equal(AssertionRefusal.None, refusal);
        Assert.Equal(said, heard);
    }

    [Fact]
    public void What_is_about_nobody_and_comes_from_nowhere_is_said_as_well()
    {
        var said = Claims() with { Subject = null, ClientAddress = null, Scope = AssertionScope.Control };

        Assert.Equal(AssertionRefusal.None, _node.Verify(Encoding.ASCII.GetBytes(_director.Sign(said)), _keys, AssertionScope.Control, null, out var heard));
        Assert.Equal(said, heard);
    }

    public static TheoryData<string, Func<Assertion, Assertion>, AssertionRefusal> Others => new()
    {
        { "another node", said => said with { Audience = "node2" }, AssertionRefusal.WrongNode },
        { "another user", said => said with { Subject = User("bob@example.com") }, AssertionRefusal.WrongUser },
        { "no user", said => said with { Subject = null }, AssertionRefusal.WrongUser },
        { "delivery", said => said with { Scope = AssertionScope.Lmtp }, AssertionRefusal.WrongScope },
        { "move", said => said with { Scope = AssertionScope.Transfer }, AssertionRefusal.WrongScope },
        { "orders", said => said with { Scope = AssertionScope.Control }, AssertionRefusal.WrongScope },
        { "no time", said => said with { ExpiresAt = said.IssuedAt }, AssertionRefusal.TooLong },
        { "five minutes", said => said with { ExpiresAt = said.IssuedAt + AssertionVerifier.MaxValidity }, AssertionRefusal.None },
        { "too long", said => said with { ExpiresAt = said.IssuedAt + AssertionVerifier.MaxValidity + Second }, AssertionRefusal.TooLong },
        { "fast clock", said => said with { IssuedAt = Now + Tolerance, ExpiresAt = Now + Tolerance + Second }, AssertionRefusal.None },
        { "too fast a clock", said => said with { IssuedAt = Now + Tolerance + Second, ExpiresAt = Now + Tolerance + 2 * Second }, AssertionRefusal.NotYetValid },
        { "slow clock", said => said with { IssuedAt = Now - Tolerance, ExpiresAt = Now - Tolerance + Second }, AssertionRefusal.None },
        { "expired", said => said with { IssuedAt = Now - Tolerance - Second, ExpiresAt = Now - Tolerance }, AssertionRefusal.Expired },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void A_token_is_for_one_node_one_user_one_use_and_a_time(string what, Func<Assertion, Assertion> change, AssertionRefusal expected)
    {
        Assert.True(Verify(_director.Sign(change(Claims())), out var heard) == expected, what);
        Assert.Equal(expected == AssertionRefusal.None, heard is not null);
    }

    [Fact]
    public void A_token_is_good_once_for_as_long_as_it_would_be_valid()
    {
        var token = _director.Sign(Claims());
        Assert.Equal(AssertionRefusal.None, Verify(token, out _));
        Assert.Equal(AssertionRefusal.Replayed, Verify(token, out _));

        _clock.Advance(TimeSpan.FromSeconds(30) + Tolerance - Second);
        Assert.Equal(AssertionRefusal.Replayed, Verify(token, out _));
        _clock.Advance(Second);
        Assert.Equal(AssertionRefusal.Expired, Verify(token, out _));
    }

    [Fact]
    public void A_clock_that_is_set_back_brings_no_token_back()
    {
        var token = _director.Sign(Claims());
        Assert.Equal(AssertionRefusal.None, Verify(token, out _));
        _clock.Set(Now + TimeSpan.FromDays(1));
        Assert.Equal(AssertionRefusal.None, Verify(_director.Sign(Claims() with { IssuedAt = Now + TimeSpan.FromDays(1), ExpiresAt = Now + TimeSpan.FromDays(1) + Second }), out _));
        _clock.Set(Now);

        Assert.Equal(AssertionRefusal.Replayed, Verify(token, out _));
    }

    [Fact]
    public void A_clock_that_is_set_back_brings_none_back_that_was_forgotten_either()
    {
        var token = _director.Sign(Claims());
        Assert.Equal(AssertionRefusal.None, Verify(token, out _));
        var later = TimeSpan.FromSeconds(30) + Tolerance + Second;
        _clock.Advance(later);
        Assert.Equal(AssertionRefusal.None, Verify(_director.Sign(Claims() with { IssuedAt = Now + later, ExpiresAt = Now + later + Second }), out _));
        _clock.Set(Now);

        Assert.Equal(AssertionRefusal.Expired, Verify(token, out _));
        Assert.Equal(AssertionRefusal.None, Verify(_director.Sign(Claims() with { ExpiresAt = Now + TimeSpan.FromSeconds(30) + Second }), out _));
    }

    [Fact]
    public void A_token_that_the_node_may_have_had_before_it_was_started_again_is_refused()
    {
        var token = _director.Sign(Claims());
        Assert.Equal(AssertionRefusal.None, Verify(token, out _));
        _clock.Advance(Second);
        var restarted = new AssertionVerifier("node1", Tolerance, _clock);

        Assert.Equal(AssertionRefusal.BeforeStart, restarted.Verify(Encoding.ASCII.GetBytes(token), _keys, AssertionScope.Imap, null, out _));
        Assert.Equal(AssertionRefusal.None, restarted.Verify(Encoding.ASCII.GetBytes(_director.Sign(Claims() with { IssuedAt = Now + Second })), _keys, AssertionScope.Imap, null, out _));
    }

    [Fact]
    public void Where_no_more_tokens_can_be_remembered_further_ones_are_refused_until_some_have_expired()
    {
        var node = new AssertionVerifier("node1", Tolerance, _clock, capacity: 2);
        Assert.Equal(AssertionRefusal.None, Use());
        Assert.Equal(AssertionRefusal.None, Use());
        Assert.Equal(AssertionRefusal.TooMany, Use());
        _clock.Advance(TimeSpan.FromSeconds(30) + Tolerance + Second);
        Assert.Equal(AssertionRefusal.None, Use());

        AssertionRefusal Use() => node.Verify(Encoding.ASCII.GetBytes(_director.Sign(Claims() with { IssuedAt = _clock.GetUtcNow(), ExpiresAt = _clock.GetUtcNow() + TimeSpan.FromSeconds(30) })),
            _keys, AssertionScope.Imap, null, out _);
    }

    [Fact]
    public void Keys_are_rotated_by_believing_both_for_a_while()
    {
        using var next = AssertionSigner.Create();
        var (old, @new) = (_director.Sign(Claims()), next.Sign(Claims()));
        Assert.Equal(AssertionRefusal.UnknownKey, Verify(@new, out _));

        var both = AssertionKeySet.Parse([_director.ExportPublicPem() + next.ExportPublicPem()]);
        Assert.Equal(2, both.Count);
        Assert.Equal(AssertionRefusal.None, _node.Verify(Encoding.ASCII.GetBytes(@new), both, AssertionScope.Imap, null, out _));

        var onlyNext = AssertionKeySet.Parse([next.ExportPublicPem()]);
        Assert.Equal(AssertionRefusal.UnknownKey, _node.Verify(Encoding.ASCII.GetBytes(old), onlyNext, AssertionScope.Imap, null, out _));
    }

    public static TheoryData<string, AssertionRefusal> Headers => new()
    {
        { """{"alg":"none","kid":"KID","typ":"JWT"}""", AssertionRefusal.WrongAlgorithm },
        { """{"alg":"HS256","kid":"KID","typ":"JWT"}""", AssertionRefusal.WrongAlgorithm },
        { """{"alg":"es256","kid":"KID","typ":"JWT"}""", AssertionRefusal.WrongAlgorithm },
        { """{"alg":"ES256","kid":"0000000000000000","typ":"JWT"}""", AssertionRefusal.UnknownKey },
        { """{"alg":"ES256","kid":"../../etc/passwd","typ":"JWT"}""", AssertionRefusal.UnknownKey },
        { """{"alg":"ES256","kid":"KID","typ":"JWS"}""", AssertionRefusal.Malformed },
        { """{"alg":"ES256","kid":"KID"}""", AssertionRefusal.Malformed },
        { """{"alg":"ES256","kid":"KID","typ":"JWT","jku":"https://example.com"}""", AssertionRefusal.Malformed },
        { """{"alg":"ES256","alg":"ES256","kid":"KID","typ":"JWT"}""", AssertionRefusal.Malformed },
        { """{"alg":"ES256","kid":"KID","typ":"JWT"} x""", AssertionRefusal.Malformed },
        { """{"alg":"ES256","kid":["KID"],"typ":"JWT"}""", AssertionRefusal.Malformed },
        { """{"alg":"\u0045S256","kid":"KID","typ":"JWT"}""", AssertionRefusal.Malformed },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void A_header_is_ours_to_the_letter(string header, AssertionRefusal expected) =>
        Assert.Equal(expected, Verify(SignRaw(header.Replace("KID", _director.KeyId, StringComparison.Ordinal), Payload()), out _));

    public static TheoryData<string, string> Payloads => new()
    {
        { "\"epoch\":7", "\"epoch\":\"7\"" },
        { "\"epoch\":7", "\"epoch\":-7" },
        { "\"epoch\":7", "\"epoch\":7.0" },
        { "\"epoch\":7", "\"epoch\":99999999999999999999" },
        { "\"epoch\":7", "\"epoch\":7,\"epoch\":8" },
        { "\"epoch\":7,", "" },
        { "\"epoch\":7", "\"epoch\":7,\"admin\":true" },
        { "\"scope\":\"imap\"", "\"scope\":\"Imap\"" },
        { "\"scope\":\"imap\"", "\"scope\":[\"imap\"]" },
        { "\"sub\":\"alice@example.com\"", "\"sub\":\"Alice@example.com\"" },
        { "\"sub\":\"alice@example.com\"", "\"sub\":\"alice+x@example.com\"" },
        { "\"sub\":\"alice@example.com\"", "\"sub\":\"../alice\"" },
        { "\"addr\":\"192.0.2.7\"", "\"addr\":\"nowhere\"" },
        { "\"sid\":\"session-1\"", "\"sid\":\"\"" },
        { "\"sid\":\"session-1\"", "\"sid\":\"a b\"" },
        { "\"jti\":\"", "\"jti\":\"0" },
        { "\"iat\":", "\"iat\":999999999999" },
    };

    [Theory]
    [MemberData(nameof(Payloads))]
    public void Claims_are_ours_to_the_letter(string text, string instead)
    {
        Assert.Contains(text, Payload(), StringComparison.Ordinal);
        Assert.Equal(AssertionRefusal.Malformed, Verify(SignRaw(Header(), Payload().Replace(text, instead, StringComparison.Ordinal)), out _));
    }

    [Fact]
    public void The_key_of_somebody_else_under_our_keys_name_is_no_good()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal(AssertionRefusal.BadSignature, Verify(SignRaw(Header(), Payload(), other), out _));
    }

    [Fact]
    public void A_token_that_is_changed_anywhere_is_no_good()
    {
        var token = _director.Sign(Claims());
        var random = new Random(20261128);
        for (var i = 0; i < token.Length; i++)
        {
            var changed = token.ToCharArray();
            do changed[i] = (char)random.Next(1, 128);
            while (changed[i] == token[i]);
            // The last character of a part has bits that mean nothing.
            if (Verify(new string(changed), out _) is AssertionRefusal.None) Assert.True(i + 1 == token.Length, $"Changed at {i}.");
        }
    }

    [Fact]
    public void Any_bytes_are_refused_without_an_exception()
    {
        var random = new Random(20261128);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            var text = i % 2 == 0 ? Encoding.Latin1.GetString(bytes) : $"{Base64Url.EncodeToString(bytes.AsSpan(0, bytes.Length / 2))}.{Base64Url.EncodeToString(bytes)}.{Base64Url.EncodeToString(bytes)}";
            Assert.NotEqual(AssertionRefusal.None, Verify(text, out _));
        }
    }

    [Fact]
    public void The_longest_names_fit_and_what_is_longer_than_any_token_is_not_looked_at()
    {
        var name = new string('n', 64);
        var longest = Claims() with
        {
            Issuer = name,
            Audience = name,
            SessionId = name,
            Subject = User(new string('u', 255)),
            Epoch = long.MaxValue,
            ClientAddress = IPAddress.Parse("fe80:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295"),
        };
        var token = _director.Sign(longest);
        Assert.InRange(token.Length, 800, AssertionVerifier.MaxTokenBytes);
        var node = new AssertionVerifier(name, Tolerance, new SetClock(Now));
        Assert.Equal(AssertionRefusal.None, node.Verify(Encoding.ASCII.GetBytes(token), _keys, AssertionScope.Imap, longest.Subject, out _));

        Assert.Equal(AssertionRefusal.Malformed, Verify(new string('A', AssertionVerifier.MaxTokenBytes + 1), out _));
        Assert.Equal(AssertionRefusal.Malformed, Verify("", out _));
        Assert.Equal(AssertionRefusal.Malformed, Verify("..", out _));
        Assert.Equal(AssertionRefusal.Malformed, Verify(_director.Sign(Claims()) + ".x", out _));
        Assert.Equal(AssertionRefusal.Malformed, Verify(_director.Sign(Claims()) + "=", out _));
    }

    [Fact]
    public void Keys_of_other_kinds_are_refused_with_the_reason_and_without_their_text()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);
        Assert.Contains("another curve", Assert.Throws<InvalidDataException>(() => AssertionKeySet.Parse([other.ExportSubjectPublicKeyInfoPem()])).Message, StringComparison.Ordinal);
        Assert.Contains("not of an elliptic curve", Assert.Throws<InvalidDataException>(() => AssertionKeySet.Parse([rsa.ExportSubjectPublicKeyInfoPem()])).Message, StringComparison.Ordinal);
        Assert.Contains("private key", Assert.Throws<InvalidDataException>(() => AssertionKeySet.Parse([_director.ExportPrivatePem()])).Message, StringComparison.Ordinal);
        Assert.Contains("no public key", Assert.Throws<InvalidDataException>(() => AssertionKeySet.Parse(["nothing"])).Message, StringComparison.Ordinal);
        Assert.Contains("another curve", Assert.Throws<InvalidDataException>(() => AssertionSigner.Parse(other.ExportPkcs8PrivateKeyPem())).Message, StringComparison.Ordinal);
        Assert.Contains("no private key", Assert.Throws<InvalidDataException>(() => AssertionSigner.Parse(_director.ExportPublicPem())).Message, StringComparison.Ordinal);
        Assert.Contains("no unencrypted private key", Assert.Throws<InvalidDataException>(() => AssertionSigner.Parse("nothing")).Message, StringComparison.Ordinal);
        using var again = AssertionSigner.Parse(_director.ExportPrivatePem());
        Assert.Equal(_director.KeyId, again.KeyId);
    }

    private static UserName User(string name) => UserName.TryCreate(name, null, out var user) ? user : throw new ArgumentException("Not a user name.", nameof(name));

    private static Assertion Claims() => new()
    {
        Issuer = "director1",
        Audience = "node1",
        Subject = User("alice@example.com"),
        Epoch = 7,
        SessionId = "session-1",
        ClientAddress = IPAddress.Parse("192.0.2.7"),
        Scope = AssertionScope.Imap,
        IssuedAt = Now,
        ExpiresAt = Now + TimeSpan.FromSeconds(30),
    };

    private AssertionRefusal Verify(string token, out Assertion? heard) =>
        _node.Verify(Encoding.Latin1.GetBytes(token), _keys, AssertionScope.Imap, User("alice@example.com"), out heard);

    private string Header() => $$"""{"alg":"ES256","kid":"{{_director.KeyId}}","typ":"JWT"}""";

    private static string Payload() => Encoding.ASCII.GetString(AssertionFormat.WriteClaims(Claims()));

    private string SignRaw(string header, string payload, ECDsa? key = null)
    {
        using var own = ECDsa.Create();
        own.ImportFromPem(_director.ExportPrivatePem());
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload))}";
        return $"{signed}.{Base64Url.EncodeToString((key ?? own).SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private sealed class SetClock(DateTimeOffset now) : TimeProvider
    {
        private DateTimeOffset _now = now;
        private long _passed;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => _now;

        public override long GetTimestamp() => _passed;

        public void Advance(TimeSpan time) => (_now, _passed) = (_now + time, _passed + time.Ticks);

        /// <summary>Sets the clock; no time passes.</summary>
        public void Set(DateTimeOffset to) => _now = to;
    }
}
