using System.Net;

namespace ImapDirector.Director.Throttling;

/// <summary>Lets only a few password checks of one address be under way at one time. Hashing is done in turn, so that without it whoever opens many connections
/// would put everybody else behind all of theirs; and of the guesses made meanwhile none would have been counted yet. Who is known at the address has turns apart, so
/// as not to stand behind those who guess there.</summary>
internal sealed class CheckTurns
{
    private const int AtOnce = 2;

    /// <summary>A turn that nobody has to wait for.</summary>
    public static CheckTurn Free { get; } = new(null, null);

    private readonly Lock _lock = new();
    private readonly Dictionary<Line, Gate> _gates = [];

    /// <summary>How many addresses have a check under way or waiting, each twice where also who is known there has.</summary>
    public int Count
    {
        get { lock (_lock) return _gates.Count; }
    }

    /// <summary>Whether who is not known at an address would have to wait now.</summary>
    public bool IsBusy(IPAddress network)
    {
        lock (_lock) return _gates.TryGetValue(new Line(network, false), out var gate) && gate.Users >= AtOnce;
    }

    /// <summary>Waits for a turn. How many can wait is bounded by the connections that an address may have before login.</summary>
    /// <param name="network">The address, or the network that stands for it.</param>
    /// <param name="isKnown">Whether its user has logged in from there before.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The turn, to be disposed of when the check is done.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask<CheckTurn> EnterAsync(IPAddress network, bool isKnown, CancellationToken cancellationToken)
    {
        var line = new Line(network, isKnown);
        Gate? gate;
        lock (_lock)
        {
            if (!_gates.TryGetValue(line, out gate)) _gates[line] = gate = new Gate();
            gate.Users++;
        }
        try
        {
            await gate.Places.WaitAsync(cancellationToken);
        }
        catch
        {
            Leave(line, gate);
            throw;
        }
        return new CheckTurn(() => gate.Users - 1, () =>
        {
            gate.Places.Release();
            Leave(line, gate);
        });
    }

    private void Leave(Line line, Gate gate)
    {
        lock (_lock)
        {
            if (--gate.Users > 0) return;
            _gates.Remove(line);
        }
        gate.Places.Dispose();
    }

    private readonly record struct Line(IPAddress Network, bool IsKnown);

    private sealed class Gate
    {
        public SemaphoreSlim Places { get; } = new(AtOnce);

        public int Users { get; set; }
    }
}

/// <summary>A turn, until it is disposed of.</summary>
/// <param name="others">How many others of the address have one or wait for one; <c>null</c> where that does not count.</param>
/// <param name="done">Lets the next have it.</param>
internal sealed class CheckTurn(Func<int>? others, Action? done) : IDisposable
{
    private int _isDone;

    /// <summary>How many others of the address have a turn or wait for one at the moment; <c>null</c> where that does not count.</summary>
    public Func<int>? Others => others;

    /// <inheritdoc />
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDone, 1) == 0) done?.Invoke();
    }
}
