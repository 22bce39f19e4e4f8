using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Directory;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class VerifiedLoginsTests
{
    private static readonly Account Alice = new("$argon2id$one", false, default);
    private static readonly DatabaseOfTest Database = new(), Another = new();
    private readonly ManualClock _clock = new();
    private readonly VerifiedLogins _logins;

    public VerifiedLoginsTests() => _logins = new VerifiedLogins(_clock, static () => TimeSpan.FromMinutes(10));

    [Fact]
    public void D10_a_login_is_remembered_for_its_user_its_password_and_its_account_only()
    {
        _logins.Verified(User("alice"), Database, Alice, "secret"u8);

        Assert.Equal(Recollection.Same, _logins.Recall(User("alice"), Database, Alice, "secret"u8));
        Assert.Equal(Recollection.Other, _logins.Recall(User("alice"), Database, Alice, "wrong"u8));
        Assert.Equal(Recollection.None, _logins.Recall(User("bob"), Database, Alice, "secret"u8));
        Assert.Equal(Recollection.None, _logins.Recall(User("alice"), Database, Alice with { Password = "$argon2id$two" }, "secret"u8));
        Assert.Equal(Recollection.Other, _logins.Recall(User("alice"), "wrong"u8)?.Password);
        Assert.Null(_logins.Recall(User("bob"), "secret"u8)?.Password);
        Assert.Equal(Recollection.None, _logins.Recall(User("alice"), Another, Alice, "secret"u8));
        Assert.Same(Database, _logins.Recall(User("alice"), "secret"u8)!.Value.Database);
    }

    [Fact]
    public void D10_a_password_is_fresh_for_its_user_and_for_a_minute_only()
    {
        _logins.Verified(User("alice"), Database, Alice, "secret"u8);
        Assert.True(_logins.IsFresh(User("alice"), "secret"u8));
        Assert.False(_logins.IsFresh(User("alice"), "wrong"u8));
        Assert.False(_logins.IsFresh(User("bob"), "secret"u8));

        _clock.Advance(TimeSpan.FromSeconds(60));
        _logins.Confirmed(User("alice"));

        Assert.False(_logins.IsFresh(User("alice"), "secret"u8));
        _logins.Verified(User("bob"), Database, null, "secret"u8);
        Assert.False(_logins.IsFresh(User("bob"), "secret"u8));
    }

    [Theory]
    [InlineData(490)]
    [InlineData(510)]
    [InlineData(1024)]
    public void D10_a_login_is_remembered_however_long_its_password_is(int length)
    {
        var password = Enumerable.Repeat((byte)'x', length).ToArray();
        for (var more = 0; more < 24; more++, password = [.. password, (byte)'x'])
        {
            _logins.Verified(User("alice"), Database, Alice, password);

            Assert.Equal(Recollection.Same, _logins.Recall(User("alice"), Database, Alice, password));
            Assert.Equal(Recollection.Other, _logins.Recall(User("alice"), Database, Alice, password.AsSpan(1)));
            Assert.Equal(Recollection.Other, _logins.Recall(User("alice"), Database, Alice, [.. password[..^1], (byte)'y']));
        }
    }

    [Fact]
    public void D10_the_minute_without_hashing_is_not_extended_by_using_it()
    {
        _logins.Verified(User("alice"), Database, Alice, "secret"u8);
        _clock.Advance(TimeSpan.FromSeconds(60) - TimeSpan.FromTicks(1));
        Assert.Equal(Recollection.Same, _logins.Recall(User("alice"), Database, Alice, "secret"u8));
        _logins.Confirmed(User("alice"));

        _clock.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(Recollection.None, _logins.Recall(User("alice"), Database, Alice, "secret"u8));
        Assert.Equal(Recollection.Same, _logins.Recall(User("alice"), "secret"u8)?.Password);
    }

    [Fact]
    public void The_age_for_an_outage_counts_from_the_last_confirmation()
    {
        _logins.Verified(User("alice"), Database, Alice, "secret"u8);
        _clock.Advance(TimeSpan.FromSeconds(30));
        _logins.Confirmed(User("alice"));
        _clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromTicks(1));
        Assert.Equal(Recollection.Same, _logins.Recall(User("alice"), "secret"u8)?.Password);

        _clock.Advance(TimeSpan.FromTicks(1));

        Assert.Null(_logins.Recall(User("alice"), "secret"u8)?.Password);
    }

    [Fact]
    public void A_password_that_has_become_wrong_is_forgotten_and_one_that_never_was_right_drives_out_none()
    {
        _logins.Verified(User("alice"), Database, null, "secret"u8);

        _logins.Refused(User("alice"), Database, "guess"u8.ToArray());
        _logins.Refused(User("bob"), Database, "secret"u8.ToArray());
        _logins.Refused(User("alice"), Another, "secret"u8.ToArray());
        _logins.Refused(User("alice"), Another, null);
        Assert.Equal(Recollection.Same, _logins.Recall(User("alice"), "secret"u8)?.Password);

        _logins.Refused(User("alice"), Database, "secret"u8.ToArray());
        Assert.Null(_logins.Recall(User("alice"), "secret"u8)?.Password);
    }

    [Fact]
    public void What_was_verified_against_another_password_is_forgotten_as_soon_as_that_is_seen()
    {
        _logins.Verified(User("alice"), Database, Alice, "secret"u8);
        _logins.ForgetOutdated(User("alice"), Database, Alice);
        _logins.ForgetOutdated(User("alice"), Another, Alice with { Password = "$argon2id$two" });
        Assert.Equal(Recollection.Same, _logins.Recall(User("alice"), "secret"u8)?.Password);

        _logins.ForgetOutdated(User("alice"), Database, Alice with { Password = "$argon2id$two" });

        Assert.Null(_logins.Recall(User("alice"), "secret"u8)?.Password);
    }

    private sealed class DatabaseOfTest : IPasswordDatabase
    {
        public string Name => "test";

        public ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken) => ValueTask.FromResult(DatabaseAnswer.Failure);
    }
}
