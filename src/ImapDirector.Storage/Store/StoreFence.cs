namespace ImapDirector.Storage.Store;

/// <summary>The highest epoch that has come to a user's store, and whether the user has been released: handed over to another node, so that nothing may be
/// written here until a higher epoch comes (docs/decisions/0016-fencing-at-the-node.md). Both are kept in the store's own database, among its counters.</summary>
/// <remarks>Everything that keeps a user from being served by two nodes is decided in this file. A build with <c>MUTANT_NO_FENCE</c> decides nothing of it: it
/// exists to show that the tests notice.</remarks>
/// <param name="Epoch">0 where none has come.</param>
/// <param name="IsReleased">Whether the user is elsewhere.</param>
internal sealed record StoreFence(long Epoch, bool IsReleased)
{
    /// <summary>What becomes of a session or a delivery that comes with an epoch.</summary>
    /// <param name="epoch">The epoch, or <c>null</c> for one that does not know it: it is let in wherever the user is not released.</param>
    public FenceAnswer Admit(long? epoch)
    {
#if MUTANT_NO_FENCE
        return epoch > Epoch ? FenceAnswer.Raise : FenceAnswer.Join;
#else
        if (epoch > Epoch) return FenceAnswer.Raise;
        return IsReleased || epoch < Epoch ? FenceAnswer.Refuse : FenceAnswer.Join;
#endif
    }

    /// <summary>Keeps a transaction from being committed by those whose time is over; called at its beginning, within it.</summary>
    /// <exception cref="StoreException">A higher epoch has come since, or the user has been released.</exception>
    public void Demand(StoreConnection store)
    {
#if MUTANT_NO_FENCE
        _ = Epoch;
#else
        var now = Read(store);
        if (IsReleased || now != this) throw Fenced();
#endif
    }

    /// <summary>Puts another one in its place, in the caller's transaction.</summary>
    /// <exception cref="StoreException">A higher epoch has come.</exception>
    public static void Write(StoreConnection store, StoreFence fence)
    {
        if (Read(store).Epoch > fence.Epoch) throw Fenced();
        store.Run("INSERT OR REPLACE INTO counters VALUES ('epoch', ?1), ('released', ?2)", fence.Epoch, fence.IsReleased ? 1L : 0L);
    }

    public static StoreFence Read(StoreConnection store)
    {
        var (epoch, isReleased) = (0L, false);
        store.Each("SELECT name, value FROM counters WHERE name IN ('epoch', 'released')", row =>
        {
            if (row.GetString(0) == "epoch") epoch = row.GetInt64(1);
            else isReleased = row.GetInt64(1) != 0;
        });
        return new StoreFence(epoch, isReleased);
    }

    public static StoreException Fenced() => new("The user is served elsewhere, or by a newer session here.") { IsFenced = true };
}

/// <summary>What becomes of one that comes.</summary>
internal enum FenceAnswer
{
    /// <summary>It works with those that are there.</summary>
    Join,
    /// <summary>It is the first of a new epoch: those that are there have to go first.</summary>
    Raise,
    /// <summary>Its epoch is over.</summary>
    Refuse,
}
