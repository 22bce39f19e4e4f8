namespace ImapDirector.Director.Directory;

/// <summary>The Lua scripts of moves. Each is one change of the record and of the assignment together, made only by whoever owns the move at that step: two
/// directors at work on one move cannot both go on. KEYS[1] is always the assignment, KEYS[2] the move; ARGV[1] the move's id, ARGV[2] the caller's start epoch.</summary>
internal static class MoveScripts
{
    private const string Now = """
        local function now()
          local time = redis.call('TIME')
          return string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
        end

        """;

    private const string Owned = Now + """
        local function step_if_mine()
          local move = redis.call('HMGET', KEYS[2], 'id', 'owner', 'step')
          if move[1] == ARGV[1] and move[2] == ARGV[2] then return move[3] end
          return nil
        end

        """;

    /// <summary>Orders a move. Nothing changes for the user yet.</summary>
    /// <remarks>ARGV[2]: from, or empty for wherever the user is; ARGV[3]: to. Returns outcome (<c>ok</c>, <c>moving</c>, <c>none</c>, <c>same</c>, <c>elsewhere</c>) and
    /// the user's node.</remarks>
    public const string Order = Now + """
        local step = redis.call('HGET', KEYS[2], 'step')
        local node = redis.call('HGET', KEYS[1], 'node')
        if step and step ~= 'done' and step ~= 'failed' then return { 'moving', node or '' } end
        if not node then return { 'none', '' } end
        if ARGV[2] ~= '' and node ~= ARGV[2] then return { 'elsewhere', node } end
        if node == ARGV[3] then return { 'same', node } end
        redis.call('UNLINK', KEYS[2])
        redis.call('HSET', KEYS[2], 'id', ARGV[1], 'from', node, 'to', ARGV[3], 'step', 'ordered', 'ordered', now())
        return { 'ok', node }
        """;

    /// <summary>Takes a move whose owner is gone, or that has none yet; keeps one that is the caller's.</summary>
    /// <remarks>ARGV[1] is empty; ARGV[3]: the caller's name; live start epochs, newest start epoch. Returns the record, or nothing when it is another's, over, or not there.</remarks>
    public const string Claim = """
        local move = redis.call('HMGET', KEYS[2], 'step', 'owner')
        if not move[1] or move[1] == 'done' or move[1] == 'failed' then return {} end
        local owner = move[2]
        if owner and owner ~= ARGV[2] and (tonumber(owner) > tonumber(ARGV[5]) or string.find(ARGV[4], ',' .. owner .. ',', 1, true)) then return {} end
        redis.call('HSET', KEYS[2], 'owner', ARGV[2], 'director', ARGV[3])
        return redis.call('HGETALL', KEYS[2])
        """;

    /// <summary>From here on the user's logins and deliveries wait.</summary>
    /// <remarks>Returns 1; 0 when it is not the caller's at this step, -1 when the user is elsewhere by now.</remarks>
    public const string Mark = Owned + """
        if step_if_mine() ~= 'ordered' then return 0 end
        local from, to = unpack(redis.call('HMGET', KEYS[2], 'from', 'to'))
        if redis.call('HGET', KEYS[1], 'node') ~= from then return -1 end
        local epoch = string.format('%.0f', tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') + 1)
        redis.call('HSET', KEYS[1], 'epoch', epoch, 'moving', to, 'move', ARGV[1])
        redis.call('HSET', KEYS[2], 'step', 'marked', 'epoch', epoch, 'marked', now())
        return 1
        """;

    /// <summary>Goes one step on, where that changes nothing of the assignment.</summary>
    /// <remarks>ARGV[3]: the step it is at, ARGV[4]: the step it goes to, or the same to note something; then fields and values. Returns 1, or 0.</remarks>
    public const string Advance = Owned + """
        if step_if_mine() ~= ARGV[3] then return 0 end
        redis.call('HSET', KEYS[2], 'step', ARGV[4], unpack(ARGV, 5))
        return 1
        """;

    /// <summary>The user is at home at the new node. They still wait.</summary>
    /// <remarks>Returns 1; 0 when it is not the caller's at this step, -1 when the assignment is not as the move has left it.</remarks>
    public const string Switch = Owned + """
        if step_if_mine() ~= 'copied' then return 0 end
        local from, to, epoch = unpack(redis.call('HMGET', KEYS[2], 'from', 'to', 'epoch'))
        local map = redis.call('HMGET', KEYS[1], 'node', 'epoch', 'move')
        if map[1] ~= from or map[2] ~= epoch or map[3] ~= ARGV[1] then return -1 end
        local last = string.format('%.0f', tonumber(epoch) + 1)
        redis.call('HSET', KEYS[1], 'node', to, 'epoch', last)
        redis.call('HSET', KEYS[2], 'step', 'switched', 'last-epoch', last)
        return 1
        """;

    /// <summary>Who waits goes on.</summary>
    /// <remarks>Returns 1, or 0.</remarks>
    public const string Open = Owned + """
        if step_if_mine() ~= 'switched' then return 0 end
        if redis.call('HGET', KEYS[1], 'move') == ARGV[1] then redis.call('HDEL', KEYS[1], 'moving', 'move') end
        redis.call('HSET', KEYS[2], 'step', 'opened', 'opened', now())
        return 1
        """;

    /// <summary>Calls it off: the user stays, with an epoch above all that either node has been told.</summary>
    /// <remarks>ARGV[3]: the reason. Returns 1; 0 when it is not the caller's, or too late.</remarks>
    public const string Undo = Owned + """
        local step = step_if_mine()
        if step == 'ordered' then
          redis.call('HSET', KEYS[2], 'step', 'failed', 'reason', ARGV[3])
          redis.call('EXPIRE', KEYS[2], 86400)
          return 1
        end
        if step ~= 'marked' and step ~= 'ended' and step ~= 'released' and step ~= 'copied' then return 0 end
        local from, epoch = unpack(redis.call('HMGET', KEYS[2], 'from', 'epoch'))
        local map = redis.call('HMGET', KEYS[1], 'node', 'epoch', 'move')
        local last = math.max(tonumber(map[2] or '0'), tonumber(epoch)) + 1
        -- One that is at neither node any more is somebody else's doing, and stays.
        if map[1] == from then redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', last)) end
        if map[3] == ARGV[1] then redis.call('HDEL', KEYS[1], 'moving', 'move') end
        redis.call('HSET', KEYS[2], 'step', 'undoing', 'reason', ARGV[3], 'last-epoch', string.format('%.0f', last), 'opened', now())
        return 1
        """;

    /// <summary>Puts the user where their mail is, with an epoch above all: Redis had lost the move that took it there.</summary>
    /// <remarks>ARGV[3]: the epoch that the new node has. Returns 1; 0 when it is not the caller's at this step, -1 when the user is elsewhere by now.</remarks>
    public const string Follow = Owned + """
        if step_if_mine() ~= 'undoing' then return 0 end
        local from, to, last = unpack(redis.call('HMGET', KEYS[2], 'from', 'to', 'last-epoch'))
        local map = redis.call('HMGET', KEYS[1], 'node', 'epoch')
        if map[1] ~= from then return -1 end
        local epoch = math.max(tonumber(map[2] or '0'), tonumber(last or '0'), tonumber(ARGV[3])) + 1
        redis.call('HSET', KEYS[1], 'node', to, 'epoch', string.format('%.0f', epoch))
        return 1
        """;

    /// <summary>It is over. The record stays for a day, for whoever asks how it went.</summary>
    /// <remarks>ARGV[3]: the step it is at, ARGV[4]: <c>done</c> or <c>failed</c>. Returns 1, or 0.</remarks>
    public const string End = Owned + """
        if step_if_mine() ~= ARGV[3] then return 0 end
        redis.call('HSET', KEYS[2], 'step', ARGV[4])
        redis.call('EXPIRE', KEYS[2], 86400)
        return 1
        """;
}
