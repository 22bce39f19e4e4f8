namespace ImapDirector.Network.Tls;

/// <summary>Something that handshakes use and that is replaced while they do: what it holds is freed when its owner has let go of it and the last of them has ended.</summary>
internal abstract class SharedUse : IDisposable
{
    // The owner's is one of them.
    private int _uses = 1;
    private int _isLetGo;

    /// <summary>Whether it is there no more.</summary>
    public bool IsFreed => Volatile.Read(ref _uses) == 0;

    /// <summary>Keeps it until <see cref="EndUse"/>.</summary>
    /// <returns>Whether it was still there.</returns>
    public bool TryUse()
    {
        for (var uses = Volatile.Read(ref _uses); uses > 0;)
        {
            var seen = Interlocked.CompareExchange(ref _uses, uses + 1, uses);
            if (seen == uses) return true;
            uses = seen;
        }
        return false;
    }

    /// <summary>Ends one <see cref="TryUse"/>.</summary>
    public void EndUse()
    {
        if (Interlocked.Decrement(ref _uses) == 0) Free();
    }

    /// <summary>The owner lets go of it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isLetGo, 1) == 0) EndUse();
    }

    /// <summary>Nobody uses it any more.</summary>
    protected abstract void Free();
}
