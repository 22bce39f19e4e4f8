using System.Security.Cryptography;
using Konscious.Security.Cryptography;

namespace ImapDirector.Director.Authentication;

/// <summary>Argon2id with a bounded number of hashes at work and a bounded number waiting, so that a flood of logins costs
/// neither all cores nor memory without end.</summary>
internal sealed class PasswordHasher : IDisposable
{
    private const int MemoryKiB = 19_456;
    private const int Iterations = 2;
    private const int Lanes = 1;
    private const int SaltBytes = 16;
    private const int HashBytes = 32;
    private const int DefaultMaxWaiting = 512;

    private static readonly PasswordHash Dummy = new(MemoryKiB, Iterations, Lanes, new byte[SaltBytes], RandomNumberGenerator.GetBytes(HashBytes));

    private readonly SemaphoreSlim _working;
    private readonly int _places;
    private int _taken;

    /// <summary>Hashes on half of the cores, with 512 logins waiting.</summary>
    public PasswordHasher() : this(Math.Max(1, Environment.ProcessorCount / 2), DefaultMaxWaiting)
    {
    }

    /// <param name="maxWorking">Hashes at work at one time.</param>
    /// <param name="maxWaiting">Hashes that may wait for their turn.</param>
    public PasswordHasher(int maxWorking, int maxWaiting)
    {
        _working = new SemaphoreSlim(maxWorking);
        _places = maxWorking + maxWaiting;
    }

    /// <summary>Hashes a new password with a new salt; <c>null</c> when too many are waiting.</summary>
    public async Task<PasswordHash?> HashAsync(ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        var fresh = Dummy with { Salt = RandomNumberGenerator.GetBytes(SaltBytes) };
        return await ComputeAsync(fresh, password, cancellationToken) is { } hash ? fresh with { Hash = hash } : null;
    }

    /// <summary>Compares a password with a hash in constant time; <c>null</c> when too many are waiting.</summary>
    /// <param name="expected">The hash; <c>null</c> takes the time of one with our own parameters and is never equal.</param>
    /// <param name="password">The password.</param>
    /// <param name="cancellationToken">Ends the wait for a turn.</param>
    public async Task<bool?> VerifyAsync(PasswordHash? expected, ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        var against = expected ?? Dummy;
        if (await ComputeAsync(against, password, cancellationToken) is not { } hash) return null;
        return CryptographicOperations.FixedTimeEquals(hash, against.Hash) & expected is not null;
    }

    /// <inheritdoc />
    public void Dispose() => _working.Dispose();

    private async Task<byte[]?> ComputeAsync(PasswordHash parameters, ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _taken) > _places)
        {
            Interlocked.Decrement(ref _taken);
            return null;
        }
        try
        {
            await _working.WaitAsync(cancellationToken);
            // Konscious takes no empty password; a byte that no UTF-8 has stands for it, so that it costs the same and is never right.
            var copy = password.IsEmpty ? [0xFF] : password.ToArray();
            try
            {
                using var argon = new Argon2id(copy)
                {
                    Salt = parameters.Salt,
                    MemorySize = parameters.MemoryKiB,
                    Iterations = parameters.Iterations,
                    DegreeOfParallelism = parameters.Lanes,
                };
                return await argon.GetBytesAsync(parameters.Hash.Length);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(copy);
                _working.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _taken);
        }
    }
}
