using System.Diagnostics;
using System.Text;
using CsCheck;
using ImapDirector.Director.Authentication;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class PasswordHashTests
{
    private const string Password = "pässword";

    // Made by doveadm pw of Dovecot 2.3, by crypt(3) of glibc and by Python's hashlib.
    [Theory]
    [InlineData("secret ~", true)]
    [InlineData("s\u00FCcret", false)]
    [InlineData("secret\u007F", false)]
    public async Task A_verifier_is_made_of_printable_ascii_alone(string password, bool isMade)
    {
        foreach (var scheme in (PasswordScheme[])[PasswordScheme.ScramSha256, PasswordScheme.ScramSha1])
            Assert.Equal(isMade, await UserAccounts.HashAsync(scheme, Encoding.UTF8.GetBytes(password), CancellationToken.None) is not null);
    }

    [Theory]
    [InlineData("{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$a3aPZ5v6kuxShl871iq+uw$KBw336UAWRMNTYvYRenbZ5pehQwKrMIq9UsGkG3xidc", PasswordScheme.Argon2id)]
    [InlineData("{BLF-CRYPT}$2y$05$OgmzY6mv0FNBzQyo.oslDuu7C4lGaTUQLYd.dmQlbKWJ.Rf3TEMpW", PasswordScheme.Bcrypt)]
    [InlineData("$2y$05$OgmzY6mv0FNBzQyo.oslDuu7C4lGaTUQLYd.dmQlbKWJ.Rf3TEMpW", PasswordScheme.Bcrypt)]
    [InlineData("{SHA512-CRYPT}$6$qsaObIAxQA6Vo04K$dsbWk9iESLLSoAR72wNjKWRLzg5H2UQk17NJ1qtdjK5.LtlLD1L5KaPrnD9NjYNKOwGcyS6Mziy37ng84oX7W/", PasswordScheme.Sha512Crypt)]
    [InlineData("$6$rounds=1000$saltstring$78sTZVfY6CM.dp14boKWH22Sy5/r8XWFDLZFNrkC9cmdVpKq94t7lmvSGPE0hHSluosQkqbtvJhaIO2uSfU6B0", PasswordScheme.Sha512Crypt)]
    [InlineData("{SHA256-CRYPT}$5$AcAgmgT9tA/73CTx$dQycTe6jJI74Zp13Xh89hG330RnW2qecBPJTYifX9OA", PasswordScheme.Sha256Crypt)]
    [InlineData("{CRYPT}$5$saltstring$cRBhKSfYzTy7ht1J5qVPFV0KZImJ0U5L5Ezw0UdIOW4", PasswordScheme.Sha256Crypt)]
    [InlineData("{PBKDF2}$1$KjLdvfWl9J9EJQyV$5000$f0b4e4234d4137c1fde4e78a5debb33cd408917e", PasswordScheme.Pbkdf2)]
    [InlineData("$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$rybsuBlIHCOEKCPpDvTVloYHkPEiKOiJqqYGLCHAfF0", PasswordScheme.Pbkdf2)]
    [InlineData("$pbkdf2-sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg$20MTVzg/n3H4pkjP7rPbs9uXGvJYlRG4j32EBHiNeegrbijWGjc63LMIJzA0jtIUGL4tJ0FCjR9uzA3gQvH7WA", PasswordScheme.Pbkdf2)]
    [InlineData("{SSHA}/578uE5FZZZF8f5ZrJ1RaNnJG5HfJdEO", PasswordScheme.SaltedDigest)]
    [InlineData("{SSHA256}gYwDoUDE/CdeYXrXb++2r1G1kF8NiLk6mEKaSMeLZgVnai7M", PasswordScheme.SaltedDigest)]
    [InlineData("{SSHA512.b64}FGvAfCZ93ehXLK39KZ1h/KA1FNx3SOHkHjiqVpVefwngIC3HBs8Smj2cUwtNiBFIoa/5QImsMnjykmpWUE4dzZina0o=", PasswordScheme.SaltedDigest)]
    [InlineData("{SSHA512.HEX}9e057166d5f79bec73cc63532fa9bf7bcf54288911e0600d319c761f1cd233f1042e9037eab8d90d5a02569c1c26887d0860c956f4169cbd61df80fa63e82d5728fc8df0", PasswordScheme.SaltedDigest)]
    [InlineData("{SCRAM-SHA-256}4096,3y4te1EzFXBxs0c41r8sOQ==,UVrL+JqO2ZIT66+wtsU8WFtSC7UBQYhS5SMOcxPPgt8=,lo2X10sACx1ul8x8F6TrVqdMvq70gdLYhkwjnIoE5EU=", PasswordScheme.ScramSha256)]
    [InlineData("{SCRAM-SHA-1}4096,kbPT+lyn1DnBnDcKI+mDfA==,vDvnP0AOIbek3f1KcAP0vTXX1Ro=,YDPT8D5R65BHOZpe1JGP7fjjOTY=", PasswordScheme.ScramSha1)]
    [InlineData("{PLAIN}pässword", PasswordScheme.Plain)]
    public async Task What_others_have_hashed_is_verified(string stored, PasswordScheme scheme)
    {
        var hash = PasswordHash.TryParse(stored, allowPlain: true);

        Assert.Equal(scheme, hash?.Scheme);
        Assert.True(await hash!.MatchesAsync(Encoding.UTF8.GetBytes(Password)));
        foreach (var wrong in (string[])["Pässword", "pässwor", "pässword ", "x"])
            Assert.False(await hash.MatchesAsync(Encoding.UTF8.GetBytes(wrong)));
        Assert.False(await hash.MatchesAsync([0xFF, 0xFE]));
        Assert.DoesNotContain('$', hash.ToString());
    }

    // Longer than a digest, and than what bcrypt looks at.
    [Theory]
    [InlineData("$6$rounds=1234$saltstringsaltst$ozqW2d3v6w.s3Q.OMFNPKOa7Ej9e1e9O2vhNujxb3nCOEV6jPagFHW/dAtOT0gf6kqLS5rPL5ivbj8ee/OBbh.")]
    [InlineData("$5$rounds=1234$saltstringsaltst$xo.rFDDtyXK1SYdfWE401/apj8zztBDq84cMKsUkfe4")]
    public async Task A_long_password_is_verified(string stored)
    {
        var hash = PasswordHash.TryParse(stored)!;
        Assert.True(await hash.MatchesAsync(Encoding.ASCII.GetBytes(new string('x', 100))));
        Assert.False(await hash.MatchesAsync(Encoding.ASCII.GetBytes(new string('x', 99))));
    }

    [Theory]
    [InlineData("$6$rounds=1000000$saltstring$ctTWYoqxfpOnbMyHZtHg4DNmyfS4mzLqt3p.XgzaK5WNYcHnewQseF0pr7OLS7rgPbei49nOM1vMmZhyBptmG.", 150, true)]
    [InlineData("$6$rounds=1000000$saltstring$ctTWYoqxfpOnbMyHZtHg4DNmyfS4mzLqt3p.XgzaK5WNYcHnewQseF0pr7OLS7rgPbei49nOM1vMmZhyBptmG.", 151, false)]
    [InlineData("$6$rounds=1000000$saltstring$Q7LZgGj6IDOnElbN95w/uNmJsrpbR0h6AJZKPjYIcnfoBQdISDpOAQ75zfPGVwt1sxIyY0zVNDron.x8zeBxg/", 151, false)]
    public async Task A_long_password_does_not_make_many_rounds_cost_several_times_as_much(string stored, int length, bool isRight) =>
        Assert.Equal(isRight, await PasswordHash.TryParse(stored)!.MatchesAsync(Encoding.ASCII.GetBytes(new string('x', length))));

    [TheoryIfInstalled("doveadm")]
    [InlineData(PasswordScheme.Argon2id)]
    [InlineData(PasswordScheme.Bcrypt)]
    [InlineData(PasswordScheme.Sha512Crypt)]
    [InlineData(PasswordScheme.Sha256Crypt)]
    [InlineData(PasswordScheme.ScramSha256)]
    [InlineData(PasswordScheme.ScramSha1)]
    public async Task What_we_hash_Dovecot_verifies(PasswordScheme scheme)
    {
        var password = scheme is PasswordScheme.ScramSha256 or PasswordScheme.ScramSha1 ? "password" : Password;
        var hash = await UserAccounts.HashAsync(scheme, Encoding.UTF8.GetBytes(password), CancellationToken.None);
        Assert.Equal(0, await DovecotTestsAsync(hash!, password));
        Assert.NotEqual(0, await DovecotTestsAsync(hash!, "wrong"));
    }

    [Fact]
    public async Task What_we_hash_we_verify_and_never_twice_the_same()
    {
        foreach (var scheme in UserAccounts.HashSchemes)
        {
            var first = await UserAccounts.HashAsync(scheme, "secret"u8.ToArray(), CancellationToken.None);
            var second = await UserAccounts.HashAsync(scheme, "secret"u8.ToArray(), CancellationToken.None);
            Assert.NotEqual(first, second);
            Assert.Equal(scheme, PasswordHash.TryParse(first!)!.Scheme);
            Assert.True(await PasswordHash.TryParse(first!)!.MatchesAsync("secret"u8.ToArray()));
        }
    }

    [Fact]
    public async Task With_bcrypt_what_is_no_UTF_8_is_no_password_whatever_it_is_read_as()
    {
        var hash = BcryptHash.TryParse(BcryptHash.Make("\uFFFD\uFFFD"u8.ToArray()))!;
        Assert.True(await hash.MatchesAsync("\uFFFD\uFFFD"u8.ToArray()));
        Assert.False(await hash.MatchesAsync([0xFF, 0xFE]));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(72, true)]
    [InlineData(73, false)]
    public async Task A_password_of_which_bcrypt_would_drop_a_part_is_not_hashed_with_it(int length, bool isHashed) =>
        Assert.Equal(isHashed, await UserAccounts.HashAsync(PasswordScheme.Bcrypt, new byte[length].Select(_ => (byte)'x').ToArray(), CancellationToken.None) is not null);

    [Theory]
    [InlineData("$2y$04$OgmzY6mv0FNBzQyo.oslDuu7C4lGaTUQLYd.dmQlbKWJ.Rf3TEMpW", true)]
    [InlineData("$2y$03$OgmzY6mv0FNBzQyo.oslDuu7C4lGaTUQLYd.dmQlbKWJ.Rf3TEMpW", false)]
    [InlineData("$2y$14$OgmzY6mv0FNBzQyo.oslDuu7C4lGaTUQLYd.dmQlbKWJ.Rf3TEMpW", true)]
    [InlineData("$2y$15$OgmzY6mv0FNBzQyo.oslDuu7C4lGaTUQLYd.dmQlbKWJ.Rf3TEMpW", false)]
    [InlineData("$6$rounds=1000$s$78sTZVfY6CM.dp14boKWH22Sy5/r8XWFDLZFNrkC9cmdVpKq94t7lmvSGPE0hHSluosQkqbtvJhaIO2uSfU6B0", true)]
    [InlineData("$6$rounds=999$s$78sTZVfY6CM.dp14boKWH22Sy5/r8XWFDLZFNrkC9cmdVpKq94t7lmvSGPE0hHSluosQkqbtvJhaIO2uSfU6B0", false)]
    [InlineData("$6$rounds=1000000$s$78sTZVfY6CM.dp14boKWH22Sy5/r8XWFDLZFNrkC9cmdVpKq94t7lmvSGPE0hHSluosQkqbtvJhaIO2uSfU6B0", true)]
    [InlineData("$6$rounds=1000001$s$78sTZVfY6CM.dp14boKWH22Sy5/r8XWFDLZFNrkC9cmdVpKq94t7lmvSGPE0hHSluosQkqbtvJhaIO2uSfU6B0", false)]
    [InlineData("$pbkdf2-sha256$2000000$MDEyMzQ1Njc4OWFiY2RlZg$rybsuBlIHCOEKCPpDvTVloYHkPEiKOiJqqYGLCHAfF0", true)]
    [InlineData("$pbkdf2-sha256$2000001$MDEyMzQ1Njc4OWFiY2RlZg$rybsuBlIHCOEKCPpDvTVloYHkPEiKOiJqqYGLCHAfF0", false)]
    [InlineData("{SCRAM-SHA-1}1000000,kbPT+lyn1DnBnDcKI+mDfA==,vDvnP0AOIbek3f1KcAP0vTXX1Ro=,YDPT8D5R65BHOZpe1JGP7fjjOTY=", true)]
    [InlineData("{SCRAM-SHA-1}1000001,kbPT+lyn1DnBnDcKI+mDfA==,vDvnP0AOIbek3f1KcAP0vTXX1Ro=,YDPT8D5R65BHOZpe1JGP7fjjOTY=", false)]
    public void What_a_database_asks_of_us_has_bounds(string stored, bool isHash) => Assert.Equal(isHash, PasswordHash.TryParse(stored) is not null);

    [Theory]
    [InlineData("{PLAIN}secret")]
    [InlineData("{CLEARTEXT}secret")]
    [InlineData("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=")]
    [InlineData("{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=")]
    [InlineData("{SSHA}not base64")]
    [InlineData("{SSHA512.HEX}9e05")]
    [InlineData("{MD5-CRYPT}$1$salt$qJH7.N4xYta3aEG/dfqo/0")]
    [InlineData("$1$salt$qJH7.N4xYta3aEG/dfqo/0")]
    [InlineData("$2x$05$OgmzY6mv0FNBzQyo.oslDuu7C4lGaTUQLYd.dmQlbKWJ.Rf3TEMpW")]
    [InlineData("$2y$05$OgmzY6mv0FNBzQyo:oslDuu7C4lGaTUQLYd.dmQlbKWJ.Rf3TEMpW")]
    [InlineData("{SHA256-CRYPT}$6$saltstring$78sTZVfY6CM.dp14boKWH22Sy5/r8XWFDLZFNrkC9cmdVpKq94t7lmvSGPE0hHSluosQkqbtvJhaIO2uSfU6B0")]
    [InlineData("$6$saltstringsaltstr$78sTZVfY6CM.dp14boKWH22Sy5/r8XWFDLZFNrkC9cmdVpKq94t7lmvSGPE0hHSluosQkqbtvJhaIO2uSfU6B0")]
    [InlineData("{PBKDF2}$1$$5000$f0b4e4234d4137c1fde4e78a5debb33cd408917e")]
    [InlineData("{SCRAM-SHA-256}4096,,UVrL+JqO2ZIT66+wtsU8WFtSC7UBQYhS5SMOcxPPgt8=,lo2X10sACx1ul8x8F6TrVqdMvq70gdLYhkwjnIoE5EU=")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("$")]
    [InlineData("$$$")]
    public void What_is_no_known_hash_is_not_taken_for_one(string stored) => Assert.Null(PasswordHash.TryParse(stored));

    [Fact]
    public void Any_text_is_read_without_an_exception() => Gen.String[Gen.Char["{}$,.=/+05aSHAxrounds-256CRYPTscrm"], 0, 200].Sample(text =>
    {
        _ = PasswordHash.TryParse(text, allowPlain: true);
        foreach (var prefix in (string[])["{SSHA}", "{SSHA512.HEX}", "$6$", "$5$rounds=", "{PBKDF2}$1$", "$pbkdf2-sha256$", "{SCRAM-SHA-256}", "SCRAM-SHA-256$", "$2y$10$", "{CRYPT}$2b$"])
            _ = PasswordHash.TryParse(prefix + text);
    });

    private static async Task<int> DovecotTestsAsync(string hash, string password)
    {
        var start = new ProcessStartInfo("doveadm", ["-c", "/dev/null", "pw", "-t", hash, "-p", password]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var doveadm = Process.Start(start)!;
        var output = await doveadm.StandardOutput.ReadToEndAsync();
        await doveadm.WaitForExitAsync();
        return output.Contains("(verified)", StringComparison.Ordinal) ? 0 : 1;
    }
}
