using System.Net;
using System.Security.Cryptography;
using ImapDirector.Director.Directory;
using ImapDirector.Network;

namespace ImapDirector.Director.Login;

/// <summary>How long a refused login waits for its answer: longer with each further wrong name or password from the same address, until an hour has
/// passed (limits P15). What a client sends again, as mail programs do by the hour, counts once. Only refusals wait, so that nobody else behind the
/// address is kept from their mail; and who does not wait for the answer still holds a place among their address's connections (limits P12).</summary>
/// <param name="first">What the first one waits.</param>
/// <param name="clock">When entries end.</param>
internal sealed class FailurePenalty(TimeSpan first, TimeProvider clock)
{
    // With a first delay of two seconds: 2, 4, 8, 15.
    private const double MostTimes = 7.5;
    private const int Steps = 4;
    private const int RememberedGuesses = 3;
    private const int Capacity = 50_000;
    private const int Ipv6PrefixBytes = 6;
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromHours(1);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly Lock _lock = new();
    private readonly BoundedCache<IPAddress, Entry> _entries = new(Capacity);

    /// <summary>Notes a failure.</summary>
    /// <returns>How long it waits, from the moment its check began.</returns>
    public TimeSpan Note(IPAddress address, ReadOnlySpan<byte> user, ReadOnlySpan<byte> password)
    {
        var network = ClientNetwork.Of(address, Ipv6PrefixBytes);
        var guess = Digest(user, password);
        lock (_lock)
        {
            if (!_entries.TryGet(network, out var entry) || clock.GetElapsedTime(entry.At) >= ForgottenAfter) entry = new Entry(0, [], 0);
            if (!entry.Guesses.Contains(guess))
                entry = new Entry(Math.Min(entry.Failures + 1, Steps), [guess, .. entry.Guesses.Take(RememberedGuesses - 1)], 0);
            _entries.Set(network, entry with { At = clock.GetTimestamp() });
            return first * Math.Min(1 << (entry.Failures - 1), MostTimes);
        }
    }

    // 64 bits of a keyed digest are enough to know a guess again.
    private long Digest(ReadOnlySpan<byte> user, ReadOnlySpan<byte> password)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hmac.AppendData(BitConverter.GetBytes(user.Length));
        hmac.AppendData(user);
        hmac.AppendData(password);
        return BitConverter.ToInt64(hmac.GetHashAndReset());
    }

    private sealed record Entry(int Failures, long[] Guesses, long At);
}
