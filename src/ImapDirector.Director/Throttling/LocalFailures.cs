using ImapDirector.Director.Directory;

namespace ImapDirector.Director.Throttling;

/// <summary>The ledger of this process alone.</summary>
internal sealed class LocalFailures(TimeProvider clock) : IFailureLedger
{
    /// <summary>How long after the last failure an entry ends.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    /// <summary>How many guesses are known again.</summary>
    public const int RememberedGuesses = 8;

    private const int Capacity = 100_000;

    private readonly Lock _lock = new();
    private readonly BoundedCache<(ThrottleKind, int), Entry> _entries = new(Capacity);
    private (long Began, int Failures) _minute;

    /// <inheritdoc />
    public ValueTask<ThrottleState?> EnterAsync(IReadOnlyList<ThrottleKey> keys, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            var entries = keys.Select(Find).ToArray();
            var own = entries[^1].Failures;
            var spaced = Enumerable.Range(0, keys.Count).Where(i => keys[i].Spaces(entries[i].Failures, own)).ToArray();
            var wait = TimeSpan.Zero;
            foreach (var i in spaced)
            {
                if (entries[i].Checked is not { } last) continue;
                var left = keys[i].Spacing - clock.GetElapsedTime(last, now);
                if (left > wait) wait = left;
            }
            foreach (var i in spaced)
                if (wait == TimeSpan.Zero) Set(keys[i], entries[i] with { Checked = now });
            return ValueTask.FromResult<ThrottleState?>(new ThrottleState(wait, [.. entries.Select(entry => entry.Failures)], 0));
        }
    }

    /// <inheritdoc />
    public ValueTask<ThrottleState?> FailAsync(IReadOnlyList<ThrottleKey> keys, string guess, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            var counts = new int[keys.Count];
            var guesses = Find(keys[^1]).Guesses;
            var isNew = !guesses.Contains(guess);
            for (var i = 0; i < keys.Count; i++)
            {
                var entry = Find(keys[i]) with { Failed = now };
                if (isNew) entry = entry with { Failures = entry.Failures + 1, Guesses = i == keys.Count - 1 ? [guess, .. guesses.Take(RememberedGuesses - 1)] : [] };
                Set(keys[i], entry);
                counts[i] = entry.Failures;
            }
            if (_minute.Failures == 0 || clock.GetElapsedTime(_minute.Began, now) >= TimeSpan.FromMinutes(1)) _minute = (now, 0);
            _minute.Failures++;
            return ValueTask.FromResult<ThrottleState?>(new ThrottleState(TimeSpan.Zero, counts, _minute.Failures));
        }
    }

    /// <inheritdoc />
    public ValueTask ForgetAsync(IReadOnlyList<ThrottleKey> keys, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var own = Find(keys[^1]).Failures;
            foreach (var key in own == 0 ? [] : keys)
            {
                var entry = Find(key);
                if (entry.Failures > own) Set(key, entry with { Failures = entry.Failures - own });
                else _entries.Remove((key.Kind, key.Bucket));
            }
        }
        return ValueTask.CompletedTask;
    }

    private Entry Find(ThrottleKey key) =>
        _entries.TryGet((key.Kind, key.Bucket), out var entry) && clock.GetElapsedTime(entry.Failed) < Memory ? entry : new Entry(0, [], clock.GetTimestamp(), null);

    private void Set(ThrottleKey key, Entry entry) => _entries.Set((key.Kind, key.Bucket), entry);

    private sealed record Entry(int Failures, string[] Guesses, long Failed, long? Checked);
}
