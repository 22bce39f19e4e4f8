using System.Net;

namespace ImapDirector.Director.Throttling;

/// <summary>Lets only a few password checks of one address be under way at one time. Hashing is done in turn, so that without it whoever opens many connections
/// would put everybody else behind all of theirs; and of the guesses made meanwhile none would have been counted yet.</summary>
internal sealed class CheckTurns
{
    private const int AtOnce = 2;

    /// <summary>A turn that nobody has to wait for.</summary>
    public static IDisposable Free { get; } = new NoTurn();

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Gate> _gates = [];

    /// <summary>How many addresses have a check under way or waiting.</summary>
    public int Count
    {
        get { lock (_lock) return _gates.Count; }
    }

    /// <summary>Waits for a turn. How many can wait is bounded by the connections that an address may have before login.</summary>
    /// <param name="network">The address, or the network that stands for it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The turn, to be disposed of when the check is done.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask<IDisposable> EnterAsync(IPAddress network, CancellationToken cancellationToken)
    {
        Gate? gate;
        lock (_lock)
        {
            if (!_gates.TryGetValue(network, out gate)) _gates[network] = gate = new Gate();
            gate.Users++;
        }
        try
        {
            await gate.Places.WaitAsync(cancellationToken);
        }
        catch
        {
            Leave(network, gate);
            throw;
        }
        return new Turn(this, network, gate);
    }

    private void Leave(IPAddress network, Gate gate)
    {
        lock (_lock)
        {
            if (--gate.Users > 0) return;
            _gates.Remove(network);
        }
        gate.Places.Dispose();
    }

    private sealed class Gate
    {
        public SemaphoreSlim Places { get; } = new(AtOnce);

        public int Users { get; set; }
    }

    private sealed class NoTurn : IDisposable
    {
        public void Dispose()
        {
        }
    }

    private sealed class Turn(CheckTurns turns, IPAddress network, Gate gate) : IDisposable
    {
        private int _isDone;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isDone, 1) != 0) return;
            gate.Places.Release();
            turns.Leave(network, gate);
        }
    }
}
