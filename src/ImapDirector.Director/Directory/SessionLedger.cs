using System.Collections.Concurrent;
using ImapDirector.Network.Polling;
using ImapDirector.Protocol;
using StackExchange.Redis;

namespace ImapDirector.Director.Directory;

/// <summary>The sessions of this director and what Redis has yet to hear about them: records to be made after an outage or under a
/// new incarnation, and records to be taken out.</summary>
internal sealed class SessionLedger(RedisConnection redis, int capacity = SessionLedger.DefaultCapacity)
{
    private const int DefaultCapacity = 20_000;
    private const int MostAtOnce = 256;
    private const int MostOnLoop = 8;
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(5);

    private readonly ConcurrentDictionary<string, Entry> _open = new();
    private readonly ConcurrentDictionary<string, UserName> _closing = new();
    private readonly ConcurrentQueue<(UserName User, string Id)> _ended = new();
    private int _isTakingOut;
    private volatile bool _overflowed;
    // Whether one may be open whose record is none of the incarnation's: nobody walks over thousands of silent ones to find out that all are.
    private volatile bool _mayBeBehind;
    private long _reconciledAs;

    /// <summary>Whether Redis has something to hear.</summary>
    public bool HasWork => !_closing.IsEmpty || _overflowed || _mayBeBehind;

    /// <summary>Whether records were lost track of; only a new incarnation makes up for that. Asking resets it.</summary>
    public bool TakeOverflow()
    {
        var overflowed = _overflowed;
        _overflowed = false;
        return overflowed;
    }

    /// <summary>A session runs.</summary>
    /// <param name="user">Whose.</param>
    /// <param name="session">Which.</param>
    /// <param name="registeredAs">The start epoch its record in Redis carries, 0 when it has none.</param>
    public void Opened(UserName user, SessionRecord session, long registeredAs)
    {
        _open[session.Id] = new Entry(user, session, registeredAs);
        // With a fence between, as below: the walk sees it, or this sees for which incarnation it is.
        Interlocked.MemoryBarrier();
        if (registeredAs == 0 || registeredAs != Volatile.Read(ref _reconciledAs)) _mayBeBehind = true;
    }

    /// <summary>A session ended, or may have left a record that nobody wants: takes the record out now or, when Redis is away, later.</summary>
    public async Task CloseAsync(UserName user, string sessionId)
    {
        _open.TryRemove(sessionId, out _);
        if (!await TryRemoveAsync(user, sessionId, CancellationToken.None)) CloseLater(user, sessionId);
    }

    /// <summary>A session ended: as <see cref="CloseAsync"/>, together with whichever end meanwhile, for whoever does not wait for it.</summary>
    public void Ended(UserName user, string sessionId)
    {
        _open.TryRemove(sessionId, out _);
        _ended.Enqueue((user, sessionId));
        if (Interlocked.Exchange(ref _isTakingOut, 1) == 0) _ = TakeOutAsync();
    }

    /// <summary>Waits until Redis has heard, or cannot hear, of all that have <see cref="Ended"/>.</summary>
    public async Task WaitForEndedAsync()
    {
        while (!_ended.IsEmpty || Volatile.Read(ref _isTakingOut) != 0)
        {
            // Where a fault has ended it, with those whose turn it was.
            if (Interlocked.Exchange(ref _isTakingOut, 1) == 0) _ = TakeOutAsync();
            await Task.Delay(LookAgainAfter);
        }
    }

    /// <summary>As <see cref="CloseAsync"/>, without trying now.</summary>
    public void CloseLater(UserName user, string sessionId)
    {
        if (_closing.Count < capacity) _closing[sessionId] = user;
        else _overflowed = true;
    }

    /// <summary>Tells Redis what it has to hear, until it does not answer.</summary>
    public async Task ReconcileAsync(Incarnation incarnation, CancellationToken cancellationToken)
    {
        foreach (var (id, user) in _closing)
        {
            if (!await TryRemoveAsync(user, id, cancellationToken)) return;
            _closing.TryRemove(id, out _);
        }
        if (!_mayBeBehind && _reconciledAs == incarnation.Epoch) return;
        _mayBeBehind = false;
        Interlocked.Exchange(ref _reconciledAs, incarnation.Epoch);
        if (await TryRegisterAsync(incarnation, cancellationToken)) return;
        _mayBeBehind = true;
    }

    /// <returns>Whether Redis has heard of all that were open.</returns>
    private async Task<bool> TryRegisterAsync(Incarnation incarnation, CancellationToken cancellationToken)
    {
        foreach (var (id, entry) in _open)
        {
            if (entry.RegisteredAs == incarnation.Epoch) continue;
            var value = SessionValue.Format(incarnation, entry.Session);
            var reply = await redis.CallAsync("register_session",
                database => database.HashSetAsync(RedisKeys.Sessions(entry.User), id, value), cancellationToken);
            if (!reply.Succeeded) return false;
            // It may have ended in the meantime, and its record been taken out before this one was made.
            if (!_open.TryUpdate(id, entry with { RegisteredAs = incarnation.Epoch }, entry)) CloseLater(entry.User, id);
        }
        return true;
    }

    private async Task TakeOutAsync()
    {
        var batch = new List<(UserName User, string Id)>();
        do
        {
            try
            {
                while (TakeBatch(batch)) await TakeOutAsync(batch);
            }
            finally
            {
                Interlocked.Exchange(ref _isTakingOut, 0);
            }
            // Whoever has come meanwhile has seen that somebody was here.
        }
        while (!_ended.IsEmpty && Interlocked.Exchange(ref _isTakingOut, 1) == 0);
    }

    private bool TakeBatch(List<(UserName User, string Id)> batch)
    {
        batch.Clear();
        while (batch.Count < MostAtOnce && _ended.TryDequeue(out var ended)) batch.Add(ended);
        return batch.Count > 0;
    }

    private async Task TakeOutAsync(List<(UserName User, string Id)> batch)
    {
        var isTold = false;
        try
        {
            isTold = (await redis.CallAsync("close_session", database => TakeOutAsync(database, batch), CancellationToken.None)).Succeeded;
        }
        finally
        {
            foreach (var (user, id) in isTold ? [] : batch) CloseLater(user, id);
        }
    }

    private static async Task<bool> TakeOutAsync(IDatabase database, List<(UserName User, string Id)> batch)
    {
        // Each question is a system call: many would hold up all that a thread relays.
        if (batch.Count > MostOnLoop) await PollLoop.LeaveAsync();
        // Each awaited by itself: together they would be awaited on the thread pool.
        var answers = batch.ConvertAll(ended => database.HashDeleteAsync(RedisKeys.Sessions(ended.User), ended.Id));
        foreach (var answer in answers) await PollLoop.ReturnAsync(answer);
        return true;
    }

    private async Task<bool> TryRemoveAsync(UserName user, string sessionId, CancellationToken cancellationToken) =>
        (await redis.CallAsync("close_session",
            database => database.HashDeleteAsync(RedisKeys.Sessions(user), sessionId), cancellationToken)).Succeeded;

    private sealed record Entry(UserName User, SessionRecord Session, long RegisteredAs);
}
