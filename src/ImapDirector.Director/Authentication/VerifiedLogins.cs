using System.Security.Cryptography;
using System.Text;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Authentication;

/// <summary>Remembers that a password was right: for a minute, to spare a client with many connections the hashing, and for the
/// configured age, to let it in while Redis is away. Only digests under a key of this process are kept (limits D10).</summary>
internal sealed class VerifiedLogins(TimeProvider clock, Func<TimeSpan> outageAge)
{
    private const int Capacity = 100_000;
    private static readonly TimeSpan SkipHashingFor = TimeSpan.FromSeconds(60);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly BoundedCache<UserName, Entry> _entries = new(Capacity);

    /// <summary>Whether this password was verified within a minute against this very account.</summary>
    public bool IsFresh(UserName user, Account account, ReadOnlySpan<byte> password) =>
        _entries.TryGet(user, out var entry) && clock.GetElapsedTime(entry.VerifiedAt) < SkipHashingFor
        && Matches(entry.Account, Digest(user, Encoding.UTF8.GetBytes(account.Password)))
        && Matches(entry.Password, Digest(user, password));

    /// <summary>Whether this password was right when Redis last confirmed the account, within the configured age.</summary>
    public bool WasConfirmed(UserName user, ReadOnlySpan<byte> password) =>
        _entries.TryGet(user, out var entry) && clock.GetElapsedTime(entry.ConfirmedAt) < outageAge()
        && Matches(entry.Password, Digest(user, password));

    /// <summary>The password was right, by hashing or as a database said.</summary>
    /// <param name="user">The user.</param>
    /// <param name="account">What it was compared with; <c>null</c> where a database did it, which is asked again each time.</param>
    /// <param name="password">The password.</param>
    public void Verified(UserName user, Account? account, ReadOnlySpan<byte> password)
    {
        var now = clock.GetTimestamp();
        _entries.Set(user, new Entry(Digest(user, password), account is null ? [] : Digest(user, Encoding.UTF8.GetBytes(account.Password)), now, now));
    }

    /// <summary>The password was right, by <see cref="IsFresh"/>: Redis has confirmed the account, but the minute goes on from the hashing.</summary>
    public void Confirmed(UserName user)
    {
        if (_entries.TryGet(user, out var entry)) _entries.Set(user, entry with { ConfirmedAt = clock.GetTimestamp() });
    }

    /// <summary>The account is gone, switched off or has another password than the one remembered.</summary>
    public void Forget(UserName user) => _entries.Remove(user);

    /// <summary>The password is right no longer. Another one that is wrong says nothing of it: whoever guesses would drive out the user's.</summary>
    public void Forget(UserName user, ReadOnlySpan<byte> password)
    {
        if (_entries.TryGet(user, out var entry) && Matches(entry.Password, Digest(user, password))) Forget(user);
    }

    /// <summary>Forgets what was verified against another state of the account.</summary>
    public void ForgetOutdated(UserName user, Account account)
    {
        if (_entries.TryGet(user, out var entry) && !Matches(entry.Account, Digest(user, Encoding.UTF8.GetBytes(account.Password)))) Forget(user);
    }

    private byte[] Digest(UserName user, ReadOnlySpan<byte> secret)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hmac.AppendData(Encoding.UTF8.GetBytes(user.Value));
        hmac.AppendData([0]);
        hmac.AppendData(secret);
        return hmac.GetHashAndReset();
    }

    private static bool Matches(byte[] a, byte[] b) => CryptographicOperations.FixedTimeEquals(a, b);

    private sealed record Entry(byte[] Password, byte[] Account, long VerifiedAt, long ConfirmedAt);
}
