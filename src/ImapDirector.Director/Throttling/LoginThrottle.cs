using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Directory;
using ImapDirector.Network;

namespace ImapDirector.Director.Throttling;

/// <summary>Makes guessing passwords slow. A refused login waits for its answer, longer with each further wrong guess of its address (limits P14, P15); of an
/// address, a network or a user with many of them only so many are checked at all. Who has logged in from an address before is not held up there by what
/// others guess, as long as few of the guesses come from there; who has not failed to be a user at an address is not held up by that user's failures elsewhere;
/// and only refusals wait: nobody is kept from their mail because of a neighbour.</summary>
internal sealed class LoginThrottle
{
    // With a first delay of two seconds: 2, 4, 8, 15.
    private const double MostTimes = 7.5;
    private const int Steps = 4;
    private const int NetworkFactor = 4;
    private const int Ipv6AddressBytes = 8;
    private const int Ipv6NetworkBytes = 6;
    private const int AddressBuckets = 1 << 18;
    private const int NetworkBuckets = 1 << 16;
    private const int KnownPairs = 100_000;
    private const int KnownGuesses = 10;
    private const string Nobody = "-";
    private static readonly TimeSpan KnownAge = TimeSpan.FromDays(7);
    private static readonly TimeSpan ToldAge = TimeSpan.FromDays(1);
    private static readonly TimeSpan AddressSpacing = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan UserSpacing = TimeSpan.FromSeconds(2);

    private readonly ThrottleOptions _options;
    private readonly TimeSpan _first;
    private readonly LocalFailures _local;
    private readonly SharedFailures? _shared;
    private readonly ClusterSecret? _secret;
    private readonly byte[] _ownKey = RandomNumberGenerator.GetBytes(32);
    private readonly TimeProvider _clock;
    private readonly BoundedCache<(Claimant, IPAddress), KnownPair> _known = new(KnownPairs);

    /// <param name="options">The settings.</param>
    /// <param name="redis">Where directors count together.</param>
    /// <param name="secret">What their digests are made with.</param>
    /// <param name="clock">When entries end, of what is counted here.</param>
    public LoginThrottle(DirectorOptions options, RedisConnection redis, ClusterSecret secret, TimeProvider clock)
    {
        (_options, _first) = (options.Throttle, options.FailureDelay);
        (_clock, _local) = (clock, new LocalFailures(clock));
        if (_options.Shared) (_shared, _secret) = (new SharedFailures(redis), secret);
    }

    /// <summary>Asks whether an attempt may be checked now.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask<ThrottleEntry> EnterAsync(IPAddress address, Claimant who, CancellationToken cancellationToken)
    {
        var pair = (who, NetworkOf(address));
        if (IsExempt(address, who)) return new ThrottleEntry(true, false, static () => [], pair) { IsExempt = true };
        var key = await KeyAsync(cancellationToken);
        if (Knows(pair, out var known)) return Known(() => KeysOf(address, who, key), pair, known.HasFailed);
        var keys = KeysOf(address, who, key);
        var state = await AskAsync(ledger => ledger.EnterAsync(keys, cancellationToken));
        var own = state.Counts[^1];
        var failures = keys.Zip(state.Counts).Max(static one => one.First.Kind switch { ThrottleKind.Address => one.Second, ThrottleKind.Network => one.Second / NetworkFactor, _ => 0 });
        // Another director may know them, or this one has before it was started.
        if ((state.Wait > TimeSpan.Zero || failures > 0) && own < KnownGuesses && await IsToldAsync(keys, pair, cancellationToken))
        {
            var now = _clock.GetTimestamp();
            _known.Set(pair, new KnownPair(now, now, own > 0));
            return Known(() => keys, pair, own > 0);
        }
        var isSpaced = keys.Zip(state.Counts).Any(one => one.First.Spaces(one.Second, own));
        return new ThrottleEntry(state.Wait == TimeSpan.Zero, own > 0, () => keys, pair) { IsSpaced = isSpaced, Rank = new HashRank(failures) };
    }

    /// <summary>Whether the user, or the master, has logged in from the address before, at any director.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask<bool> IsKnownAsync(IPAddress address, Claimant who, CancellationToken cancellationToken)
    {
        var pair = (who, NetworkOf(address));
        return Knows(pair, out _) || await IsToldAsync(KeysOf(address, who, await KeyAsync(cancellationToken)), pair, cancellationToken);
    }

    /// <summary>As <see cref="IsKnownAsync"/>, as far as this director knows without asking.</summary>
    public bool Knows(IPAddress address, Claimant who) => Knows((who, NetworkOf(address)), out _);

    /// <summary>Whether nothing is counted of somebody at an address. Of masters all is: what a webmail's users type into its form may be a master's name.</summary>
    public bool IsExempt(IPAddress address, Claimant who) => !who.IsMaster && AddressList.Contains(_options.ExemptNetworks, address);

    /// <summary>Notes a failure.</summary>
    /// <returns>How long its answer waits, from the moment its check began.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask<TimeSpan> FailedAsync(ThrottleEntry entry, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        if (entry.IsExempt) return _first;
        var key = await KeyAsync(cancellationToken);
        var guess = Guess(name.Span, password.Span, key);
        var state = await AskAsync(ledger => ledger.FailAsync(entry.Keys, guess, cancellationToken));
        var own = state.Counts[^1];
        if (_known.TryGet(entry.Pair, out var known))
        {
            if (own < KnownGuesses) _known.Set(entry.Pair, known with { HasFailed = true });
            else _known.Remove(entry.Pair);
        }
        if (own == KnownGuesses && _shared is not null) await _shared.RememberAsync(entry.Keys[^1].Bucket, Nobody, KnownAge, cancellationToken);
        if (state.InMinute > _options.FailuresPerMinute) return _first * MostTimes;
        var failures = entry.Keys.Zip(state.Counts).Where(static pair => pair.First.Kind is ThrottleKind.Address or ThrottleKind.Network).Max(static pair => pair.Second);
        return _first * Math.Min(1 << (Math.Clamp(failures, 1, Steps) - 1), MostTimes);
    }

    /// <summary>Notes a success: what the user has failed before at the address is forgotten.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask SucceededAsync(ThrottleEntry entry, CancellationToken cancellationToken)
    {
        if (entry.IsExempt) return;
        if (!entry.Pair.Who.IsNobody)
        {
            var now = _clock.GetTimestamp();
            var isTold = _known.TryGet(entry.Pair, out var known) && _clock.GetElapsedTime(known.Told) < ToldAge;
            _known.Set(entry.Pair, new KnownPair(now, isTold ? known.Told : now, false));
            if (!isTold && _shared is not null) await _shared.RememberAsync(entry.Keys[^1].Bucket, Digest(entry.Pair, await KeyAsync(cancellationToken)), KnownAge, cancellationToken);
        }
        if (!entry.HasFailed) return;
        await _local.ForgetAsync(entry.Keys, cancellationToken);
        if (_shared is not null) await _shared.ForgetAsync(entry.Keys, cancellationToken);
    }

    private bool Knows((Claimant, IPAddress) pair, out KnownPair known) => _known.TryGet(pair, out known) && _clock.GetElapsedTime(known.Since) < KnownAge;

    private async ValueTask<bool> IsToldAsync(List<ThrottleKey> keys, (Claimant Who, IPAddress) pair, CancellationToken cancellationToken) =>
        _shared is not null && !pair.Who.IsNobody && await _shared.IsKnownAsync(keys[^1].Bucket, Digest(pair, await KeyAsync(cancellationToken)), cancellationToken);

    // Who guesses at them there, and may do so ten times, does not go before others.
    private static ThrottleEntry Known(Func<IReadOnlyList<ThrottleKey>> keys, (Claimant, IPAddress) pair, bool hasFailed) => new(true, hasFailed, keys, pair) { Rank = hasFailed ? default : HashRank.First };

    private async ValueTask<byte[]> KeyAsync(CancellationToken cancellationToken) =>
        (_secret is null ? null : await _secret.KeyForAsync("throttle", cancellationToken)) ?? _ownKey;

    private async ValueTask<ThrottleState> AskAsync(Func<IFailureLedger, ValueTask<ThrottleState?>> question) =>
        (_shared is null ? null : await question(_shared)) ?? (await question(_local))!;

    private List<ThrottleKey> KeysOf(IPAddress address, Claimant who, byte[] key)
    {
        var keys = new List<ThrottleKey> { new(ThrottleKind.Address, Bucket(key, "a" + NetworkOf(address), AddressBuckets), _options.AddressFailures, AddressSpacing) };
        if (ClientNetwork.Of(address, Ipv6NetworkBytes) is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } network)
            keys.Add(new ThrottleKey(ThrottleKind.Network, Bucket(key, "n" + network, NetworkBuckets), _options.AddressFailures * NetworkFactor, AddressSpacing));
        if (!who.IsNobody) keys.Add(new ThrottleKey(ThrottleKind.User, Bucket(key, "u" + who, AddressBuckets), _options.UserFailures, UserSpacing));
        keys.Add(new ThrottleKey(ThrottleKind.UserAtAddress, Bucket(key, $"p{NetworkOf(address)} {who}", AddressBuckets), int.MaxValue, TimeSpan.Zero));
        return keys;
    }

    /// <summary>What stands for an address: itself, or its IPv6 /64.</summary>
    public static IPAddress NetworkOf(IPAddress address) => ClientNetwork.Of(address, Ipv6AddressBytes);

    private static string Digest((Claimant Who, IPAddress Network) pair, byte[] key) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes($"k{pair.Network} {pair.Who}")).AsSpan(0, 8));

    private static int Bucket(byte[] key, string text, int buckets) => (int)(BinaryPrimitives.ReadUInt32LittleEndian(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(text))) % (uint)buckets);

    // 24 bits are enough to know one of a few guesses again, and too few to tell what it was.
    private static string Guess(ReadOnlySpan<byte> name, ReadOnlySpan<byte> password, byte[] key)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(BitConverter.GetBytes(name.Length));
        hmac.AppendData(name);
        hmac.AppendData(password);
        return Convert.ToHexStringLower(hmac.GetHashAndReset().AsSpan(0, 3));
    }

    /// <summary>A user at an address.</summary>
    /// <param name="Since">When they have logged in last.</param>
    /// <param name="Told">When the other directors were told.</param>
    /// <param name="HasFailed">Whether there are failures since then to forget.</param>
    private readonly record struct KnownPair(long Since, long Told, bool HasFailed);
}

/// <summary>What the throttle says of an attempt.</summary>
/// <param name="mayCheck">Whether it may be checked now.</param>
/// <param name="hasFailed">Whether there are failures to forget when it succeeds.</param>
/// <param name="makeKeys">Makes what its failure counts for: digests, of which a user who is known and gives the right password needs none.</param>
/// <param name="pair">Who comes from where.</param>
internal sealed class ThrottleEntry(bool mayCheck, bool hasFailed, Func<IReadOnlyList<ThrottleKey>> makeKeys, (Claimant Who, IPAddress Network) pair)
{
    private IReadOnlyList<ThrottleKey>? _keys;

    /// <summary>Whether it may be checked now.</summary>
    public bool MayCheck => mayCheck;

    /// <summary>Whether there are failures to forget when it succeeds.</summary>
    public bool HasFailed => hasFailed;

    /// <summary>What its failure counts for; empty for nothing.</summary>
    public IReadOnlyList<ThrottleKey> Keys => _keys ??= makeKeys();

    /// <summary>Who comes from where.</summary>
    public (Claimant Who, IPAddress Network) Pair => pair;

    /// <summary>Whether nothing of it is counted.</summary>
    public bool IsExempt { get; init; }

    /// <summary>Whether only so many are checked, and this is the one now.</summary>
    public bool IsSpaced { get; init; }

    /// <summary>Where it stands among those that wait to be hashed.</summary>
    public HashRank Rank { get; init; }
}
