namespace ImapDirector.Network.Polling;

/// <summary>Who is told of which event. Any thread may add and take out; the loop's thread looks up without a lock, and what it looks up may have been taken out a moment ago.</summary>
internal sealed class PollTargets
{
    private const int FirstSize = 64;
    private const int None = -1;

    private readonly Lock _lock = new();
    private Slot[] _slots = new Slot[FirstSize];
    private int _used;
    private int _free = None;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Takes a target in.</summary>
    /// <returns>What it is called: never 0, and never again what another was called that has been taken out.</returns>
    public ulong Add(IPollTarget target)
    {
        lock (_lock)
        {
            Count++;
            var index = _free;
            if (index != None) _free = _slots[index].NextFree;
            else if ((index = _used++) == _slots.Length)
            {
                var larger = new Slot[_slots.Length * 2];
                _slots.CopyTo(larger, 0);
                Volatile.Write(ref _slots, larger);
            }
            ref var slot = ref _slots[index];
            // In this order, and looked at in the other one: an old name never finds a new target.
            Volatile.Write(ref slot.Generation, Math.Max(slot.Generation + 1, 1));
            Volatile.Write(ref slot.Target, target);
            return ((ulong)slot.Generation << 32) | (uint)index;
        }
    }

    /// <summary>Whoever is called so.</summary>
    /// <returns><c>null</c> when there is nobody of this name any more.</returns>
    public IPollTarget? Find(ulong id)
    {
        var slots = Volatile.Read(ref _slots);
        var index = (uint)id;
        if (index >= (uint)slots.Length) return null;
        ref var slot = ref slots[index];
        var target = Volatile.Read(ref slot.Target);
        return Volatile.Read(ref slot.Generation) == (uint)(id >> 32) ? target : null;
    }

    /// <summary>From now on another target has this name.</summary>
    /// <returns>Whoever had it; <c>null</c> when there is nobody of this name any more.</returns>
    public IPollTarget? Replace(ulong id, IPollTarget target)
    {
        lock (_lock)
        {
            var before = Find(id);
            if (before is not null) Volatile.Write(ref _slots[(uint)id].Target, target);
            return before;
        }
    }

    /// <summary>Takes a target out.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(ulong id)
    {
        lock (_lock)
        {
            if (Find(id) is null) return false;
            Count--;
            var index = (int)(uint)id;
            ref var slot = ref _slots[index];
            Volatile.Write(ref slot.Target, null);
            slot.NextFree = _free;
            _free = index;
            return true;
        }
    }

    /// <summary>All there are.</summary>
    public IPollTarget[] All()
    {
        lock (_lock) return [.. _slots.Select(static slot => slot.Target).OfType<IPollTarget>()];
    }

    private struct Slot
    {
        public IPollTarget? Target;
        public uint Generation;
        public int NextFree;
    }
}
