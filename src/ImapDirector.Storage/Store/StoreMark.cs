using System.Globalization;
using ImapDirector.Protocol;
using ImapDirector.Storage.Store.Maintenance;
using ImapDirector.Storage.Transfer;

namespace ImapDirector.Storage.Store;

/// <summary>What a store says of its own place: the highest epoch it has seen, and whether it is in use.</summary>
/// <param name="Epoch">The epoch; 0 for a store that never saw one.</param>
/// <param name="State">Whether it is in use.</param>
internal readonly record struct StoreMark(long Epoch, StoreState State)
{
    // Beside the epoch at which a copy came here. Any later change of the epoch makes it an ordinary store, whoever makes it.
    private const string ReceivedName = "received";

    /// <summary>Reads it beside whoever has the store open.</summary>
    /// <returns><c>null</c> when the user has no store here.</returns>
    /// <exception cref="StoreException">It cannot be read.</exception>
    public static StoreMark? Of(string dataDirectory, UserName user) => Of(dataDirectory, user, static (_, mark) => mark);

    /// <summary>As the other, with something else of the same moment.</summary>
    public static T? Of<T>(string dataDirectory, UserName user, Func<StoreConnection, StoreMark, T> read) where T : struct
    {
        if (!UserStorePath.Exists(dataDirectory, user)) return null;
        using var snapshot = StoreSnapshot.Open(UserStorePath.Of(dataDirectory, user));
        return snapshot.Version == 0 ? null : snapshot.Read(store => read(store, Read(store)));
    }

    /// <summary>Writes it into a store that nobody has open.</summary>
    /// <exception cref="StoreException">It cannot be written.</exception>
    public static async Task WriteAsync(string directory, StoreMark mark, CancellationToken cancellationToken)
    {
        await using var database = StoreDatabase.Open(Path.Combine(directory, StoreSnapshot.DatabaseName), static _ => throw new StoreException("The store is empty."));
        await database.WriteAsync(store =>
        {
            StoreFence.Write(store, new StoreFence(mark.Epoch, IsReleased: mark.State != StoreState.Active));
            Set(store, ReceivedName, mark.State == StoreState.Received ? mark.Epoch : 0);
            return true;
        }, cancellationToken);
    }

    private static StoreMark Read(StoreConnection store)
    {
        var fence = StoreFence.Read(store);
        return new StoreMark(fence.Epoch, !fence.IsReleased ? StoreState.Active : Get(store, ReceivedName) == fence.Epoch ? StoreState.Received : StoreState.Released);
    }

    private static long Get(StoreConnection store, string name) => store.Scalar<long>("SELECT value FROM counters WHERE name = ?1", name);

    private static void Set(StoreConnection store, string name, long value) => store.Run("INSERT OR REPLACE INTO counters VALUES (?1, ?2)", name, value);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{State} at {Epoch}");
}
