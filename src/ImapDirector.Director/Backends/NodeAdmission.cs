using System.Collections.Concurrent;

namespace ImapDirector.Director.Backends;

/// <summary>How many logins are under way at one node, so that one that has come back is not run over by all its users at once (limits D8). Who finds no place
/// waits, in order; users who have a session here already go first: their mail program opens its connections one after the other. Last are those of whom it is
/// only asked whether their password is right, and they wait for half of the room: guesses must not keep out who has been let in.</summary>
/// <param name="options">The bounds.</param>
/// <param name="metrics">Shows who waits.</param>
internal sealed class NodeAdmission(DirectorOptions options, DirectorMetrics metrics)
{
    private readonly ConcurrentDictionary<string, Gate> _gates = new();
    private volatile DirectorOptions _options = options;

    /// <summary>Takes a place at a node, and waits for it where it has to.</summary>
    /// <param name="node">The node's name.</param>
    /// <param name="rank">Before whom it goes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The place, to be disposed of when the login is over; <c>null</c> when too many wait already.</returns>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public ValueTask<Place?> EnterAsync(string node, LoginRank rank, CancellationToken cancellationToken) =>
        _gates.GetOrAdd(node, name => new Gate(name, this, metrics)).EnterAsync(rank, cancellationToken);

    /// <summary>Other bounds from here on.</summary>
    public void Reload(DirectorOptions options) => _options = options;

    /// <summary>From now on these nodes and no others; logins that are under way go on.</summary>
    public void Follow(IReadOnlyList<BackendNode> nodes)
    {
        foreach (var name in _gates.Keys.Except(nodes.Select(static node => node.Name)))
            if (_gates.TryRemove(name, out _)) metrics.WaitingLogins.RemoveLabelled(name);
    }

    /// <summary>A login that is under way.</summary>
    internal sealed class Place(Gate gate) : IDisposable
    {
        private bool _isLeft;

        public void Dispose()
        {
            if (_isLeft) return;
            _isLeft = true;
            gate.Leave();
        }
    }

    /// <summary>The places at one node.</summary>
    internal sealed class Gate(string name, NodeAdmission admission, DirectorMetrics metrics)
    {
        private readonly Lock _lock = new();
        // By their rank.
        private readonly LinkedList<TaskCompletionSource<Place?>>[] _waiting = [new(), new(), new()];
        private int _taken;

        private int Waiting => _waiting.Sum(static queue => queue.Count);

        public ValueTask<Place?> EnterAsync(LoginRank rank, CancellationToken cancellationToken)
        {
            LinkedListNode<TaskCompletionSource<Place?>> waiting;
            lock (_lock)
            {
                if (_taken < admission._options.MaxLoginsPerNode)
                {
                    _taken++;
                    return ValueTask.FromResult<Place?>(new Place(this));
                }
                var room = admission._options.MaxWaitingLoginsPerNode;
                if (Waiting >= (rank == LoginRank.Check ? room / 2 : room)) return ValueTask.FromResult<Place?>(null);
                waiting = _waiting[(int)rank].AddLast(new TaskCompletionSource<Place?>(TaskCreationOptions.RunContinuationsAsynchronously));
                Show();
            }
            return new ValueTask<Place?>(WaitAsync(waiting, cancellationToken));
        }

        public void Leave()
        {
            lock (_lock)
            {
                if (_taken > admission._options.MaxLoginsPerNode || Array.Find(_waiting, static queue => queue.Count > 0)?.First is not { } next)
                {
                    _taken--;
                    return;
                }
                // The place goes on to who has waited longest.
                next.List!.Remove(next);
                Show();
                next.Value.SetResult(new Place(this));
            }
        }

        private async Task<Place?> WaitAsync(LinkedListNode<TaskCompletionSource<Place?>> waiting, CancellationToken cancellationToken)
        {
            await using var given = cancellationToken.Register(() => GiveUp(waiting, cancellationToken));
            return await waiting.Value.Task;
        }

        private void GiveUp(LinkedListNode<TaskCompletionSource<Place?>> waiting, CancellationToken cancellationToken)
        {
            lock (_lock)
            {
                // Already called in.
                if (waiting.List is not { } list) return;
                list.Remove(waiting);
                Show();
            }
            waiting.Value.SetCanceled(cancellationToken);
        }

        private void Show() => metrics.WaitingLogins.WithLabels(name).Set(Waiting);
    }
}

/// <summary>Who comes in first at a node where not all find a place.</summary>
internal enum LoginRank
{
    /// <summary>A user who has a session here already.</summary>
    Another,
    /// <summary>A user who has none.</summary>
    New,
    /// <summary>Somebody of whom it is only asked whether the password is right.</summary>
    Check,
}
