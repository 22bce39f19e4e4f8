using System.Text;
using CsCheck;
using ImapDirector.Director.Authentication;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class Argon2idHashTests
{
    private const string Salt = "c29tZXNhbHRzb21lc2FsdA";
    private const string Hash = "9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";

    [Fact]
    public async Task A_hash_that_another_Argon2_made_is_verified()
    {
        // From the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1
        const string text = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        var hasher = new PasswordHasher();
        var hash = Argon2idHash.TryParse(text)!;

        Assert.Equal(text, hash.ToText());
        Assert.True(await hasher.VerifyAsync(hash, "password"u8.ToArray(), default, CancellationToken.None));
        Assert.False(await hasher.VerifyAsync(hash, "Password"u8.ToArray(), default, CancellationToken.None));
    }

    // From the reference implementation: echo -n pässword | argon2 SALT -id -t … -k … -p … -l … -e
    [Theory]
    [InlineData("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$9W4zTHH56Pm2qTYNmK5p0wVyHgX2T7e7DiLO0XvsoRE")]
    [InlineData("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Y2bjJGfuQForcv6vcOu8Uc2uZ2P2gnZLTJF2sXvydKU")]
    [InlineData("$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$57JOGu8UQJWD+Oq6ACMB6mLYaqyRUV4D/g9aIlNvu1I5YrHg+dmZxRpUehnUIs9yPOE8IEqNxEGHKhn2DokmoA")]
    [InlineData("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$/RuVufqAdJF/lDpmQeGnjw")]
    [InlineData("$argon2id$v=19$m=19456,t=2,p=4$c29tZXNhbHRzb21lc2FsdA$+TxBxDPOMnSrQJwdngtbq0bjQfOHEfFaZG/VC7fYXsQ")]
    [InlineData("$argon2id$v=19$m=4096,t=2,p=1$c2V2ZW50ZWVuLWxldHRlcnM$ou+zTPqZ35YS6sxE0ZZGAXmH7fY6olIJ8sIOQQtwC9w")]
    [InlineData("$argon2id$v=19$m=16,t=1,p=2$c29tZXNhbHQ$nC+Bff4cFWZ7EOM7XM+rKpm27qvM66ig")]
    public async Task Lengths_and_costs_of_every_kind_are_verified(string text)
    {
        var hash = Argon2idHash.TryParse(text)!;

        Assert.True(await hash.MatchesAsync("pässword"u8.ToArray()));
        Assert.False(await hash.MatchesAsync("password"u8.ToArray()));
    }

    [Theory]
    [InlineData(8, 1)]
    [InlineData(8, 16)]
    [InlineData(262_144, 1)]
    [InlineData(262_144, 4)]
    public async Task The_least_and_the_most_that_a_hash_may_cost_can_be_made(int memory, int iterations)
    {
        var fresh = (await new PasswordHasher(1, 1, new HashCost(memory, iterations, 1)).HashAsync("x"u8.ToArray(), CancellationToken.None))!;

        Assert.True(await fresh.MatchesAsync("x"u8.ToArray()));
    }

    [Fact]
    public async Task A_new_hash_is_salted_and_verified_after_it_was_written_and_read()
    {
        var hasher = new PasswordHasher();
        var password = "pässword"u8.ToArray();

        var first = (await hasher.HashAsync(password, CancellationToken.None))!.ToText();
        var second = (await hasher.HashAsync(password, CancellationToken.None))!.ToText();

        Assert.StartsWith("$argon2id$v=19$m=19456,t=2,p=1$", first, StringComparison.Ordinal);
        Assert.NotEqual(first, second);
        Assert.True(await hasher.VerifyAsync(PasswordHash.TryParse(first), password, default, CancellationToken.None));
        Assert.Equal("pässword", Encoding.UTF8.GetString(password));
    }

    [Fact]
    public async Task Without_a_hash_and_without_a_password_nothing_is_right()
    {
        var hasher = new PasswordHasher();
        Assert.False(await hasher.VerifyAsync(null, "password"u8.ToArray(), default, CancellationToken.None));
        Assert.False(await hasher.VerifyAsync(null, default, default, CancellationToken.None));
    }

    [Theory]
    [InlineData(8, 1, 1, true)]
    [InlineData(7, 1, 1, false)]
    [InlineData(16, 1, 2, true)]
    [InlineData(15, 1, 2, false)]
    [InlineData(262_144, 1, 1, true)]
    [InlineData(262_145, 1, 1, false)]
    [InlineData(19_456, 16, 1, true)]
    [InlineData(19_456, 17, 1, false)]
    [InlineData(19_456, 0, 1, false)]
    [InlineData(19_456, 2, 16, true)]
    [InlineData(19_456, 2, 17, false)]
    [InlineData(19_456, 2, 0, false)]
    [InlineData(262_144, 4, 1, true)]
    [InlineData(262_144, 5, 1, false)]
    public void Parameters_are_read_within_bounds(int memory, int iterations, int lanes, bool isHash) =>
        Assert.Equal(isHash, PasswordHash.TryParse($"$argon2id$v=19$m={memory},t={iterations},p={lanes}${Salt}${Hash}") is not null);

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("{PLAIN}secret")]
    [InlineData($"$argon2i$v=19$m=19456,t=2,p=1${Salt}${Hash}")]
    [InlineData($"$argon2id$v=16$m=19456,t=2,p=1${Salt}${Hash}")]
    [InlineData($"$argon2id$v=19$m=+19456,t=2,p=1${Salt}${Hash}")]
    [InlineData($"$argon2id$v=19$m=99999999999,t=2,p=1${Salt}${Hash}")]
    [InlineData($"$argon2id$v=19$t=2,m=19456,p=1${Salt}${Hash}")]
    [InlineData($"$argon2id$v=19$m=19456,t=2,p=1${Salt}${Hash}$")]
    [InlineData($"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${Hash}")]
    [InlineData($"$argon2id$v=19$m=19456,t=2,p=1${Salt}$c2hvcnQ")]
    [InlineData($"$argon2id$v=19$m=19456,t=2,p=1${Salt}$!!!!")]
    public void What_is_no_hash_is_not_taken_for_one(string text) => Assert.Null(PasswordHash.TryParse(text));

    [Fact]
    public void Any_text_is_read_without_an_exception() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["$argon2id$v=19$m=8,t=1,p=1$AAAA=/+"], 0, 300])
            .Sample(text => PasswordHash.TryParse(text) is null or not Argon2idHash or Argon2idHash { Cost.MemoryKiB: <= 262_144, Hash.Length: <= 64 });

    [Fact]
    public async Task More_logins_than_may_wait_are_turned_away_at_once()
    {
        var hasher = new PasswordHasher(1, 3, HashCost.Default);
        var results = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => hasher.VerifyAsync(null, "x"u8.ToArray(), default, CancellationToken.None)));

        Assert.Contains(results, result => result is null);
        Assert.True(results.Count(result => result is false) >= 4);
        Assert.False(await hasher.VerifyAsync(null, "x"u8.ToArray(), default, CancellationToken.None));
    }
}
