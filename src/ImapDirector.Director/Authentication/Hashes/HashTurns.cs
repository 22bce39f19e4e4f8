namespace ImapDirector.Director.Authentication;

/// <summary>Gives a bounded number of turns to a bounded number of those who wait, by their rank and then in the order in which they came. Each fourth goes to who
/// has waited longest, so that nobody does for ever; where there is no room, who would come last is turned away.</summary>
/// <param name="atOnce">Turns at one time, one or more.</param>
/// <param name="maxWaiting">How many may wait. Ranks change meanwhile, so that all are looked at for each turn: little beside what a hash takes.</param>
internal sealed class HashTurns(int atOnce, int maxWaiting)
{
    private const int LongestEvery = 4;

    private readonly Lock _lock = new();
    // In the order in which they came.
    private readonly LinkedList<Waiter> _waiting = [];
    private int _free = atOnce;
    private int _given;

    /// <summary>How many wait.</summary>
    public int Waiting
    {
        get { lock (_lock) return _waiting.Count; }
    }

    /// <summary>Waits for a turn, which is given back by <see cref="Leave"/>.</summary>
    /// <param name="rank">Who goes first.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><c>false</c> when too many are waiting already, or by now, who all go first.</returns>
    /// <exception cref="OperationCanceledException">The token fired before there was a turn.</exception>
    public async ValueTask<bool> EnterAsync(HashRank rank, CancellationToken cancellationToken)
    {
        LinkedListNode<Waiter> place;
        Waiter? last = null;
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return true;
            }
            if (_waiting.Count >= maxWaiting)
            {
                last = _waiting.Reverse().MaxBy(static waiter => waiter.Rank.Place);
                if (last is null || last.Rank.Place <= rank.Place) return false;
                _waiting.Remove(last);
            }
            place = _waiting.AddLast(new Waiter(rank));
        }
        last?.Turn.SetResult(false);
        using var cancellation = cancellationToken.UnsafeRegister(_ => Cancel(place, cancellationToken), null);
        return await place.Value.Turn.Task;
    }

    /// <summary>Gives a turn to whoever is next.</summary>
    public void Leave()
    {
        Waiter next;
        lock (_lock)
        {
            if (_waiting.Count == 0)
            {
                _free++;
                return;
            }
            _given = (_given + 1) % LongestEvery;
            next = _given == 0 ? _waiting.First!.Value : _waiting.MinBy(static waiter => waiter.Rank.Place)!;
            _waiting.Remove(next);
        }
        next.Turn.SetResult(true);
    }

    private void Cancel(LinkedListNode<Waiter> place, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // Otherwise it has its turn, or none, by now.
            if (place.List is null) return;
            _waiting.Remove(place);
        }
        place.Value.Turn.SetCanceled(cancellationToken);
    }

    private sealed class Waiter(HashRank rank)
    {
        public HashRank Rank => rank;

        public TaskCompletionSource<bool> Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
