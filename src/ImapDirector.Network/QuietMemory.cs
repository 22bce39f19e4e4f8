namespace ImapDirector.Network;

/// <summary>Gives back what is left behind when a busy process becomes quiet: garbage that nothing would collect as long as nothing is allocated, and what native libraries have freed
/// (<see cref="FreedMemory"/>). While it is busy it does nothing, and never twice without work in between.</summary>
public sealed class QuietMemory : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(30);
    // In bytes: what is worth a collection, and what a period may have for being quiet.
    private const long Enough = 4 * 1024 * 1024;
    private const long Quiet = 256 * 1024;
    // In bytes: in a larger heap the oldest generation is left alone, so that nobody waits for long.
    private const long MostAtOnce = 64 * 1024 * 1024;
    // Collections take no more than this share of the time.
    private const int Share = 300;

    // Never disposed: it has no timer, and a second DisposeAsync asks it.
    private readonly CancellationTokenSource _stopping = new();
    private readonly TimeProvider _clock;
    private readonly Func<long> _allocated;
    private readonly Action _collect;
    private Task _loop = Task.CompletedTask;
    private long _seen;
    private long _collectedAt;
    private TimeSpan _pause = ShortestInterval;
    private long? _last;

    /// <summary>Of this process.</summary>
    public QuietMemory() : this(TimeProvider.System, static () => GC.GetTotalAllocatedBytes(precise: false), Collect)
    {
    }

    /// <summary>Of something that behaves like a process.</summary>
    /// <param name="clock">The time.</param>
    /// <param name="allocated">Bytes allocated since the beginning.</param>
    /// <param name="collect">Gives back.</param>
    internal QuietMemory(TimeProvider clock, Func<long> allocated, Action collect) => (_clock, _allocated, _collect) = (clock, allocated, collect);

    /// <summary>Begins to look every few seconds.</summary>
    public void Start() => _loop = RunAsync();

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
    }

    /// <summary>Looks once: gives back where much has been allocated since the last time, and nearly nothing since the last look.</summary>
    internal void Look()
    {
        var before = _seen;
        _seen = _allocated();
        if (_seen - before > Quiet || _seen - _collectedAt < Enough || (_last is { } last && _clock.GetElapsedTime(last) < _pause)) return;
        var began = _clock.GetTimestamp();
        _collect();
        _last = _clock.GetTimestamp();
        _collectedAt = _seen = _allocated();
        var taken = _clock.GetElapsedTime(began, _last.Value) * Share;
        _pause = taken > ShortestInterval ? taken : ShortestInterval;
    }

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            await Task.Delay(Period, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_stopping.IsCancellationRequested) Look();
        }
    }

    private static void Collect()
    {
        // Aggressive, or what is free then stays with the process until many more collections have been.
        if (GC.GetTotalMemory(forceFullCollection: false) < MostAtOnce) GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        else GC.Collect(1, GCCollectionMode.Forced, blocking: true, compacting: true);
        FreedMemory.GiveBack();
    }
}
