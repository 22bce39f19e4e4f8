using System.Security.Cryptography;

namespace ImapDirector.Director.Authentication;

/// <summary>Hashes passwords with a bounded number at work and a bounded number waiting, so that a flood of logins costs neither all cores nor memory
/// without end.</summary>
internal sealed class PasswordHasher
{
    private const int SaltBytes = 16;
    private const int HashBytes = 32;

    private readonly HashCost _cost;
    private readonly Argon2idHash _dummy;
    private readonly HashTurns _turns;

    /// <summary>Hashes as the defaults say: on half of the cores, with 512 logins waiting.</summary>
    public PasswordHasher() : this(new AuthenticationOptions())
    {
    }

    /// <summary>Hashes as the settings say.</summary>
    public PasswordHasher(AuthenticationOptions options)
        : this(options.MaxHashes, options.MaxWaitingHashes, new HashCost(options.Argon2MemoryKiB, options.Argon2Iterations, options.Argon2Lanes))
    {
    }

    /// <param name="maxWorking">Hashes at work at one time.</param>
    /// <param name="maxWaiting">Hashes that may wait for their turn.</param>
    /// <param name="cost">What a new hash costs, and the name that does not exist.</param>
    public PasswordHasher(int maxWorking, int maxWaiting, HashCost cost)
    {
        _turns = new HashTurns(maxWorking, maxWaiting);
        _cost = cost;
        _dummy = new Argon2idHash(cost, new byte[SaltBytes], RandomNumberGenerator.GetBytes(HashBytes));
    }

    /// <summary>Hashes a new password with a new salt, before others; <c>null</c> when too many are waiting.</summary>
    public Task<Argon2idHash?> HashAsync(ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        var fresh = _dummy with { Salt = RandomNumberGenerator.GetBytes(SaltBytes) };
        return TakeTurnAsync(password, HashRank.First, async copy => await fresh.OfAsync(copy), cancellationToken);
    }

    /// <summary>Compares a password with a hash in constant time; <c>null</c> when too many are waiting.</summary>
    /// <param name="expected">The hash; <c>null</c> takes the time of one with our own parameters and is never equal.</param>
    /// <param name="password">The password.</param>
    /// <param name="rank">Before whom it has its turn.</param>
    /// <param name="cancellationToken">Ends the wait for a turn.</param>
    public async Task<bool?> VerifyAsync(PasswordHash? expected, ReadOnlyMemory<byte> password, HashRank rank, CancellationToken cancellationToken)
    {
        var isRight = await TakeTurnAsync(password, rank, async copy =>
        {
            var matches = await (expected ?? _dummy).MatchesAsync(copy) & expected is not null & !password.IsEmpty;
            // A wrong password for a cheap hash takes as long as one for a name that is not there.
            if (!matches && expected is { IsCheap: true }) await _dummy.OfAsync(copy);
            return new StrongBox(matches);
        }, cancellationToken);
        return isRight?.Value;
    }

    /// <summary>Whether a hash is to be replaced by one that costs more to guess at.</summary>
    public bool IsWeak(PasswordHash hash) => hash.IsWeakerThan(_cost);

    /// <summary>Runs what costs as much as hashing, in its turn; <c>null</c> when too many are waiting.</summary>
    /// <param name="password">The password.</param>
    /// <param name="rank">Before whom it has its turn.</param>
    /// <param name="work">What to do, with a copy of the password that is zeroed afterwards. It may take the thread it runs on.</param>
    /// <param name="cancellationToken">Ends the wait for a turn.</param>
    public async Task<T?> TakeTurnAsync<T>(ReadOnlyMemory<byte> password, HashRank rank, Func<byte[], Task<T>> work, CancellationToken cancellationToken) where T : class
    {
        if (!await _turns.EnterAsync(rank, cancellationToken)) return null;
        // Argon2 takes no empty password; a byte that no UTF-8 has stands for it, so that it costs the same and is never right.
        var copy = password.IsEmpty ? [0xFF] : password.ToArray();
        try
        {
            return await Task.Run(() => work(copy), CancellationToken.None);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(copy);
            _turns.Leave();
        }
    }

    private sealed record StrongBox(bool Value);
}
