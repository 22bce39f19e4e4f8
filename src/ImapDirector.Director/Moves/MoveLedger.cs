using System.Globalization;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using StackExchange.Redis;

namespace ImapDirector.Director.Moves;

/// <summary>Moves as Redis keeps them: a record beside each user's assignment, and one list of those that are not over.</summary>
internal sealed class MoveLedger(RedisConnection redis)
{
    private const int LookUpsAtOnce = 100;

    /// <summary>Orders a move.</summary>
    /// <param name="user">Who is to move.</param>
    /// <param name="from">From where, or <c>null</c> for wherever the user is.</param>
    /// <param name="to">Where to.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<(MoveOutcome Outcome, string? Id, string? Node)> OrderAsync(UserName user, string? from, string to, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid().ToString("N");
        // First the list: a move that nobody finds would never be carried out, while one that is on the list and nowhere else is taken off it.
        if (!await PutOnListAsync(user, cancellationToken)) return (MoveOutcome.Unavailable, null, null);
        var reply = await redis.CallAsync("moves", database => database.ScriptEvaluateAsync(MoveScripts.Order, Keys(user), [id, from ?? "", to]), cancellationToken);
        if (!reply.Succeeded) return (MoveOutcome.Unavailable, null, null);
        var answer = (string[])reply.Value!;
        // Once more: a director that looked in between has found no move, and taken it off.
        if (answer[0] is "ok" or "moving") await PutOnListAsync(user, cancellationToken);
        if (answer[0] == "ok") await redis.CallAsync("moves", static database => database.PublishAsync(RedisChannel.Literal(RedisKeys.ClusterChannel), ""), cancellationToken);
        return answer[0] switch
        {
            "ok" => (MoveOutcome.Ordered, id, answer[1]),
            "moving" => (MoveOutcome.Moving, null, answer[1]),
            "none" => (MoveOutcome.NotAssigned, null, null),
            "elsewhere" => (MoveOutcome.Elsewhere, null, answer[1]),
            _ => (MoveOutcome.Same, null, answer[1]),
        };
    }

    /// <summary>The users on the list, oldest first.</summary>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<IReadOnlyList<UserName>?> ListAsync(CancellationToken cancellationToken)
    {
        var reply = await redis.CallAsync("moves", static database => database.SortedSetRangeByRankAsync(RedisKeys.Moves), cancellationToken);
        if (!reply.Succeeded) return null;
        return [.. reply.Value.Select(static value => UserName.TryCreate(value.ToString(), null, out var user) ? user : default).Where(static user => user != default)];
    }

    /// <summary>The moves of these users, those that are over within a day included.</summary>
    /// <returns><c>null</c> when Redis does not answer.</returns>
    public async Task<IReadOnlyList<Move>?> ReadAsync(IReadOnlyList<UserName> users, CancellationToken cancellationToken)
    {
        var moves = new List<Move>();
        foreach (var some in users.Chunk(LookUpsAtOnce))
        {
            foreach (var (answered, move) in await Task.WhenAll(some.Select(user => FindAsync(user, cancellationToken))))
            {
                if (!answered) return null;
                if (move is not null) moves.Add(move);
            }
        }
        return moves;
    }

    /// <summary>A user's move.</summary>
    public async Task<(bool Answered, Move? Move)> FindAsync(UserName user, CancellationToken cancellationToken)
    {
        var reply = await redis.CallAsync("moves", database => database.HashGetAllAsync(RedisKeys.Move(user)), cancellationToken);
        return (reply.Succeeded, reply.Succeeded ? Move.TryRead(user, reply.Value) : null);
    }

    /// <summary>Takes a user's move, if nobody who is alive has it, or the caller has it already. One that is over, or was never ordered, is taken off the list.</summary>
    public async Task<(bool Answered, Move? Move)> ClaimAsync(UserName user, Incarnation incarnation, CancellationToken cancellationToken)
    {
        var reply = await redis.CallAsync("moves", database => database.ScriptEvaluateAsync(MoveScripts.Claim, Keys(user),
            ["", incarnation.Epoch, incarnation.Director, incarnation.LiveEpochs, incarnation.NewestEpoch]), cancellationToken);
        if (!reply.Succeeded) return (false, null);
        var answer = (RedisValue[])reply.Value!;
        if (answer.Length > 0) return (true, Move.TryRead(user, [.. answer.Chunk(2).Select(static pair => new HashEntry(pair[0], pair[1]))]));
        if (await FindAsync(user, cancellationToken) is { Answered: true, Move: null or { IsOver: true } }) await TakeOffAsync(user, cancellationToken);
        return (true, null);
    }

    /// <summary>Whether what the map says of a user outlives a failover of Redis: nodes are told nothing before, because that cannot be taken back.</summary>
    public async Task<bool> IsDurableAsync(UserName user, CancellationToken cancellationToken) =>
        !redis.Replicas.IsRequired || await redis.Replicas.ConfirmAsync(user, cancellationToken) is not null;

    public Task<RedisReply<RedisResult>> MarkAsync(Move move, long owner, CancellationToken cancellationToken) => RunAsync(database => database.ScriptEvaluateAsync(MoveScripts.Mark, Keys(move.User), [move.Id, owner]), cancellationToken);

    public Task<RedisReply<RedisResult>> SwitchAsync(Move move, long owner, CancellationToken cancellationToken) => RunAsync(database => database.ScriptEvaluateAsync(MoveScripts.Switch, Keys(move.User), [move.Id, owner]), cancellationToken);

    public Task<RedisReply<RedisResult>> OpenAsync(Move move, long owner, CancellationToken cancellationToken) => RunAsync(database => database.ScriptEvaluateAsync(MoveScripts.Open, Keys(move.User), [move.Id, owner]), cancellationToken);

    public Task<RedisReply<RedisResult>> UndoAsync(Move move, long owner, string reason, CancellationToken cancellationToken) =>
        RunAsync(database => database.ScriptEvaluateAsync(MoveScripts.Undo, Keys(move.User), [move.Id, owner, reason]), cancellationToken);

    /// <summary>Puts the user of a move that is called off where their mail is.</summary>
    public Task<RedisReply<RedisResult>> FollowAsync(Move move, long owner, long epoch, CancellationToken cancellationToken) =>
        RunAsync(database => database.ScriptEvaluateAsync(MoveScripts.Follow, Keys(move.User), [move.Id, owner, epoch]), cancellationToken);

    /// <summary>Goes a step on, or notes something when <paramref name="to"/> is the step it is at.</summary>
    public Task<RedisReply<RedisResult>> AdvanceAsync(Move move, long owner, MoveStep to, CancellationToken cancellationToken, params RedisValue[] fields) =>
        RunAsync(database => database.ScriptEvaluateAsync(MoveScripts.Advance, Keys(move.User), [move.Id, owner, Move.WordOf(move.Step), Move.WordOf(to), .. fields]), cancellationToken);

    /// <summary>It is over.</summary>
    /// <returns>1; 0 when it is not the caller's at this step.</returns>
    public async Task<RedisReply<RedisResult>> EndAsync(Move move, long owner, MoveStep end, CancellationToken cancellationToken)
    {
        var reply = await RunAsync(database => database.ScriptEvaluateAsync(MoveScripts.End, Keys(move.User), [move.Id, owner, Move.WordOf(move.Step), Move.WordOf(end)]), cancellationToken);
        if (reply.Succeeded && (int)reply.Value == 1) await TakeOffAsync(move.User, cancellationToken);
        return reply;
    }

    // The clock only says who comes first.
    private async Task<bool> PutOnListAsync(UserName user, CancellationToken cancellationToken) =>
        (await redis.CallAsync("moves", database => database.SortedSetAddAsync(RedisKeys.Moves, user.Value, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), SortedSetWhen.NotExists), cancellationToken)).Succeeded;

    private async Task TakeOffAsync(UserName user, CancellationToken cancellationToken)
    {
        await redis.CallAsync("moves", database => database.SortedSetRemoveAsync(RedisKeys.Moves, user.Value), cancellationToken);
        // Ordered anew in between, it has to be on the list.
        if (await FindAsync(user, cancellationToken) is { Move.IsOver: false })
            await PutOnListAsync(user, cancellationToken);
    }

    private Task<RedisReply<RedisResult>> RunAsync(Func<IDatabase, Task<RedisResult>> script, CancellationToken cancellationToken) => redis.CallAsync("moves", script, cancellationToken);

    private static RedisKey[] Keys(UserName user) => [RedisKeys.Assignment(user), RedisKeys.Move(user)];
}

/// <summary>What became of an order to move a user.</summary>
public enum MoveOutcome
{
    /// <summary>A director will take it up.</summary>
    Ordered,
    /// <summary>The user is moving already.</summary>
    Moving,
    /// <summary>The user has no node yet.</summary>
    NotAssigned,
    /// <summary>The user is at that node.</summary>
    Same,
    /// <summary>The user is not at the node that was named, but at another.</summary>
    Elsewhere,
    /// <summary>It cannot be; the reason says why.</summary>
    Refused,
    /// <summary>There is no node of this name.</summary>
    NoSuchNode,
    /// <summary>Redis does not answer; the order may have been given all the same.</summary>
    Unavailable,
}
