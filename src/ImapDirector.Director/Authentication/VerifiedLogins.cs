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
    private const int UsualBytes = 512;
    private static readonly TimeSpan SkipHashingFor = TimeSpan.FromSeconds(60);

    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    // One for each thread that asks: OpenSSL makes each of its objects by name, which takes several times as long as the digest.
    [ThreadStatic]
    private static IncrementalHash? Digests;

    private readonly BoundedCache<UserName, Entry> _entries = new(Capacity);

    /// <summary>Which password was verified within a minute against this very account.</summary>
    public Recollection Recall(UserName user, IPasswordDatabase database, Account account, ReadOnlySpan<byte> password) =>
        _entries.TryGet(user, out var entry) && clock.GetElapsedTime(entry.VerifiedAt) < SkipHashingFor && IsOf(entry, user, database, account) ? Compare(entry, user, password) : Recollection.None;

    /// <summary>Whether a password was verified within a minute by hashing: where a database does it, that is asked each time.</summary>
    public bool IsFresh(UserName user, ReadOnlySpan<byte> password) =>
        _entries.TryGet(user, out var entry) && entry.Account.Length > 0 && clock.GetElapsedTime(entry.VerifiedAt) < SkipHashingFor && Compare(entry, user, password) == Recollection.Same;

    /// <summary>Which password was right when a database last confirmed the account, within the configured age.</summary>
    /// <returns>That, and the database; <c>null</c> where nothing is remembered.</returns>
    public (Recollection Password, IPasswordDatabase Database)? Recall(UserName user, ReadOnlySpan<byte> password) =>
        _entries.TryGet(user, out var entry) && clock.GetElapsedTime(entry.ConfirmedAt) < outageAge() ? (Compare(entry, user, password), entry.Database) : null;

    /// <summary>The password was right, by hashing or as a database said.</summary>
    /// <param name="user">The user.</param>
    /// <param name="database">The database that knows the account, or has said so.</param>
    /// <param name="account">What it was compared with; <c>null</c> where the database did it, which is asked again each time.</param>
    /// <param name="password">The password.</param>
    public void Verified(UserName user, IPasswordDatabase database, Account? account, ReadOnlySpan<byte> password)
    {
        var now = clock.GetTimestamp();
        _entries.Set(user, new Entry(database, Digest(user, password), account is null ? [] : Digest(user, Encoding.UTF8.GetBytes(account.Password)), now, now));
    }

    /// <summary>The password was right, as remembered of the minute: the database has confirmed the account, but the minute goes on from the hashing.</summary>
    public void Confirmed(UserName user)
    {
        if (_entries.TryGet(user, out var entry)) _entries.Set(user, entry with { ConfirmedAt = clock.GetTimestamp() });
    }

    /// <summary>The account is gone or switched off.</summary>
    public void Forget(UserName user) => _entries.Remove(user);

    /// <summary>A database has refused the user. What another one has found right is that one's to take back.</summary>
    /// <param name="user">The user.</param>
    /// <param name="database">The database.</param>
    /// <param name="password">The password that is right no longer; <c>null</c> where there is no such user. Another one that is wrong says nothing of it: whoever guesses
    /// would drive out the user's.</param>
    public void Refused(UserName user, IPasswordDatabase database, ReadOnlyMemory<byte>? password)
    {
        if (_entries.TryGet(user, out var entry) && entry.Database == database && (password is not { } wrong || Compare(entry, user, wrong.Span) == Recollection.Same)) Forget(user);
    }

    /// <summary>Forgets what was verified against another state of a database's account.</summary>
    public void ForgetOutdated(UserName user, IPasswordDatabase database, Account account)
    {
        if (_entries.TryGet(user, out var entry) && entry.Database == database && !IsOf(entry, user, database, account)) Forget(user);
    }

    private bool IsOf(Entry entry, UserName user, IPasswordDatabase database, Account account) =>
        entry.Database == database && Matches(entry.Account, Digest(user, Encoding.UTF8.GetBytes(account.Password)));

    private Recollection Compare(Entry entry, UserName user, ReadOnlySpan<byte> password) => Matches(entry.Password, Digest(user, password)) ? Recollection.Same : Recollection.Other;

    private byte[] Digest(UserName user, ReadOnlySpan<byte> secret)
    {
        var length = Encoding.UTF8.GetByteCount(user.Value) + 1 + secret.Length;
        var text = length <= UsualBytes ? stackalloc byte[UsualBytes] : new byte[length];
        var used = Encoding.UTF8.GetBytes(user.Value, text);
        text[used++] = 0;
        secret.CopyTo(text[used..]);
        var digest = Digests ??= IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Key);
        digest.AppendData(text[..length]);
        CryptographicOperations.ZeroMemory(text[..length]);
        return digest.GetHashAndReset();
    }

    private static bool Matches(byte[] a, byte[] b) => CryptographicOperations.FixedTimeEquals(a, b);

    private sealed record Entry(IPasswordDatabase Database, byte[] Password, byte[] Account, long VerifiedAt, long ConfirmedAt);
}

/// <summary>What is remembered of a password.</summary>
internal enum Recollection
{
    /// <summary>Nothing of the user.</summary>
    None,
    /// <summary>That it was right.</summary>
    Same,
    /// <summary>That another one was.</summary>
    Other,
}
