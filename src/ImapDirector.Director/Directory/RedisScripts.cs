namespace ImapDirector.Director.Directory;

/// <summary>Every Lua script but those of moves (<see cref="MoveScripts"/>). They are constants: what a user sent travels in KEYS and ARGV only. They are called
/// by their hash and loaded again when Redis has forgotten them: by StackExchange.Redis, the one of every login (<see cref="RedisScript"/>) by ourselves.</summary>
internal static class RedisScripts
{
    // A session counts when its incarnation holds a lease, or began after the caller last looked at the leases.
    private const string RemoveDeadSessions = """
        local function live_sessions(key, epochs, newest)
          local live = {}
          local all = redis.call('HGETALL', key)
          for i = 1, #all, 2 do
            local epoch, address = string.match(all[i + 1], '^(%d+) %S+ (%S+) %d+')
            if epoch and (tonumber(epoch) > newest or string.find(epochs, ',' .. epoch .. ',', 1, true)) then
              live[#live + 1] = { all[i], address }
            else
              redis.call('HDEL', key, all[i])
            end
          end
          return live
        end

        """;

    /// <summary>Finds or makes the assignment; then, with a session id, checks the limits and registers the session. What the caller remembers counts where Redis has
    /// lost it: where there is no assignment, or one of an older epoch.</summary>
    /// <remarks>KEYS: assignment, sessions. ARGV: candidate node or empty, the epoch it would get, session id or empty,
    /// session value, client address, limit, live start epochs as <c>,1,2,</c>, newest start epoch, 1 when the candidate is remembered,
    /// the user's limit. Returns outcome (<c>ok</c>, <c>limit</c>, <c>user_limit</c>, <c>moving</c>, <c>none</c>), node, epoch, whether it was <c>kept</c>, <c>made</c> or brought <c>back</c>, and 1 when replicas are known
    /// to have it.</remarks>
    public static readonly RedisScript Open = new(RemoveDeadSessions + """
        local map = redis.call('HMGET', KEYS[1], 'node', 'epoch', 'moving', 'confirmed')
        local node, epoch, change = map[1], map[2] or '0', 'kept'
        if not node then
          if ARGV[1] == '' then return { 'none', '', '0', change, '0' } end
          change = 'made'
        elseif ARGV[9] == '1' and not map[3] and tonumber(epoch) and tonumber(ARGV[2]) > tonumber(epoch) then
          change = 'back'
        end
        if change ~= 'kept' then
          node, epoch = ARGV[1], ARGV[2]
          redis.call('HSET', KEYS[1], 'node', node, 'epoch', epoch)
        end
        local held = map[4] == epoch and '1' or '0'
        if map[3] then return { 'moving', node, epoch, change, held } end
        if ARGV[3] ~= '' then
          local same, others = 0, 0
          for _, session in ipairs(live_sessions(KEYS[2], ARGV[7], tonumber(ARGV[8]))) do
            if session[1] ~= ARGV[3] then
              others = others + 1
              if session[2] == ARGV[5] then same = same + 1 end
            end
          end
          if others >= tonumber(ARGV[10]) then return { 'user_limit', node, epoch, change, held } end
          if same >= tonumber(ARGV[6]) then return { 'limit', node, epoch, change, held } end
          redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
        end
        return { 'ok', node, epoch, change, held }
        """);

    /// <summary>Writes an assignment once more, as it is: a WAIT behind it waits for replicas to have it.</summary>
    /// <remarks>KEYS: assignment. Returns node and epoch, or nothing where there is none.</remarks>
    public const string Touch = """
        local map = redis.call('HMGET', KEYS[1], 'node', 'epoch')
        if not map[1] or not map[2] then return {} end
        redis.call('HSET', KEYS[1], 'epoch', map[2])
        return map
        """;

    /// <summary>Notes that replicas have an assignment.</summary>
    /// <remarks>KEYS: assignment. ARGV: the epoch that they have. Returns 1, or 0 when it has another by now.</remarks>
    public const string Confirm = """
        if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
        redis.call('HSET', KEYS[1], 'confirmed', ARGV[1])
        return 1
        """;

    /// <summary>Takes the sessions of dead incarnations out.</summary>
    /// <remarks>KEYS: sessions. ARGV: live start epochs, newest start epoch. Returns how many are left.</remarks>
    public const string Sweep = RemoveDeadSessions + """
        return #live_sessions(KEYS[1], ARGV[1], tonumber(ARGV[2]))
        """;

    /// <summary>Tells what a director's sessions do.</summary>
    /// <remarks>KEYS: traffic or counts. ARGV: milliseconds until it is forgotten, 1 to forget what was told before, then fields and values; empty takes a field out.</remarks>
    public const string Report = """
        if ARGV[2] == '1' then redis.call('UNLINK', KEYS[1]) end
        for i = 3, #ARGV, 2 do
          if ARGV[i + 1] == '' then
            redis.call('HDEL', KEYS[1], ARGV[i])
          else
            redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
          end
        end
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
        return 1
        """;

    /// <summary>Takes or renews a lease, by Redis' clock. Who was declared dead in between gets a new start epoch: his session records are gone.</summary>
    /// <remarks>KEYS: leases, start epoch, the name. ARGV: director, own start epoch or 0, lease in milliseconds, 1 to take a new start epoch, what the process is called, 1 to take
    /// the name whoever has it. Returns own start epoch, newest start epoch, live members, members that died; or, for one who has just started, 0, what the process is called that has the
    /// name, and the milliseconds that are left of its lease.</remarks>
    public const string Renew = """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        local epoch = ARGV[2]
        local holder, process = string.match(redis.call('GET', KEYS[3]) or '', '^(%d+) (.*)$')
        local held = holder and holder ~= epoch and tonumber(redis.call('ZSCORE', KEYS[1], holder .. ' ' .. ARGV[1]) or '0') - now or 0
        if held > 0 and ARGV[6] ~= '1' and epoch == '0' then return { '0', process, string.format('%.0f', held) } end
        local newest = tonumber(redis.call('GET', KEYS[2]) or '0')
        if newest < tonumber(epoch) then
          newest = tonumber(epoch)
          redis.call('SET', KEYS[2], epoch)
        end
        local mine = epoch .. ' ' .. ARGV[1]
        if epoch == '0' or ARGV[4] == '1' or not redis.call('ZSCORE', KEYS[1], mine) then
          redis.call('ZREM', KEYS[1], mine)
          newest = newest + 1
          epoch = string.format('%.0f', newest)
          redis.call('SET', KEYS[2], epoch)
          mine = epoch .. ' ' .. ARGV[1]
        end
        redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[3])), mine)
        if held <= 0 or ARGV[6] == '1' then redis.call('SET', KEYS[3], epoch .. ' ' .. ARGV[5], 'PX', ARGV[3]) end
        local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', now))
        for _, member in ipairs(dead) do redis.call('ZREM', KEYS[1], member) end
        return { epoch, string.format('%.0f', newest), redis.call('ZRANGE', KEYS[1], 0, -1), dead }
        """;

    /// <summary>What stands for the time in a value that <see cref="SetNode"/> writes.</summary>
    public const string Now = "now";

    /// <summary>Redis' clock, in Unix milliseconds.</summary>
    public const string Time = """
        local time = redis.call('TIME')
        return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        """;

    /// <summary>Sets what is set of a node, unless somebody else has changed it since it was read.</summary>
    /// <remarks>KEYS: nodes. ARGV: node, the value that was read or empty, the new value or empty to take it out, channel. Returns 1, or 0 when it was changed.</remarks>
    public const string SetNode = """
        if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
        if ARGV[3] == '' then
          redis.call('HDEL', KEYS[1], ARGV[1])
        else
          local time = redis.call('TIME')
          local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
          local value = string.gsub(ARGV[3], 'since=now', 'since=' .. now)
          redis.call('HSET', KEYS[1], ARGV[1], value)
        end
        redis.call('PUBLISH', ARGV[4], '')
        return 1
        """;

    /// <summary>Orders a kick. The last thousand are kept for directors that do not hear of it at once. Its number is the time, or above the last one: so it rises for those who have
    /// heard of the last one, also when Redis has lost that.</summary>
    /// <remarks>KEYS: kicks, kick sequence. ARGV: the filter, channel. Returns the kick's number.</remarks>
    public const string Kick = """
        local time = redis.call('TIME')
        local last = tonumber(redis.call('GET', KEYS[2]) or '0')
        local number = math.max(last + 1, tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
        redis.call('SET', KEYS[2], string.format('%.0f', number))
        redis.call('ZADD', KEYS[1], number, string.format('%.0f', number) .. ' ' .. ARGV[1])
        redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1001)
        redis.call('PUBLISH', ARGV[2], '')
        return number
        """;

    /// <summary>Brings an assignment back where there is none.</summary>
    /// <remarks>KEYS: assignment. ARGV: node, epoch. Returns 1, 0 when it is there already, -1 when there is another.</remarks>
    public const string Import = """
        local node = redis.call('HGET', KEYS[1], 'node')
        if not node then
          redis.call('HSET', KEYS[1], 'node', ARGV[1], 'epoch', ARGV[2])
          return 1
        end
        if node == ARGV[1] and redis.call('HGET', KEYS[1], 'epoch') == ARGV[2] then return 0 end
        return -1
        """;

    /// <summary>Asks for a login to be checked, which is then taken as made.</summary>
    /// <remarks>KEYS: what failures count for, the user at the address last. ARGV: of each, from how many failures on checks are spaced, by how many
    /// milliseconds, and 1 where only those are spaced who have failed at the last of KEYS. Returns the milliseconds to wait, and the failures of each.</remarks>
    public const string ThrottleEnter = """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        local answer = { 0 }
        for i = 1, #KEYS do
          answer[i + 1] = tonumber(redis.call('HGET', KEYS[i], 'n') or '0')
        end
        local spaced = {}
        for i = 1, #KEYS do
          if answer[i + 1] >= tonumber(ARGV[3 * i - 2]) and (ARGV[3 * i] ~= '1' or answer[#KEYS + 1] > 0) then
            spaced[#spaced + 1] = i
            local wait = tonumber(redis.call('HGET', KEYS[i], 't') or '0') - now
            if wait > answer[1] then answer[1] = wait end
          end
        end
        if answer[1] == 0 then
          for _, i in ipairs(spaced) do
            redis.call('HSET', KEYS[i], 't', string.format('%.0f', now + tonumber(ARGV[3 * i - 1])))
          end
        end
        return answer
        """;

    /// <summary>Counts a failed login, unless its guess is among the last of the user at the address.</summary>
    /// <remarks>KEYS: what failures count for, the user at the address last of them, and those of the minute. ARGV: the guess, milliseconds until it is
    /// forgotten, letters of guesses that are kept. Returns the failures of the minute, and of each.</remarks>
    public const string ThrottleFail = """
        local pair = KEYS[#KEYS - 1]
        local guesses = redis.call('HGET', pair, 'g') or ''
        local isNew = not string.find(guesses, ARGV[1], 1, true)
        if isNew then redis.call('HSET', pair, 'g', string.sub(ARGV[1] .. ',' .. guesses, 1, tonumber(ARGV[3]))) end
        local answer = { 0 }
        for i = 1, #KEYS - 1 do
          local failures = tonumber(redis.call('HGET', KEYS[i], 'n') or '0')
          if isNew then
            failures = failures + 1
            redis.call('HSET', KEYS[i], 'n', failures)
          end
          redis.call('PEXPIRE', KEYS[i], ARGV[2])
          answer[i + 1] = failures
        end
        local minute = tostring(math.floor(tonumber(redis.call('TIME')[1]) / 60))
        local all = 1
        if redis.call('HGET', KEYS[#KEYS], 'm') == minute then all = tonumber(redis.call('HGET', KEYS[#KEYS], 'n') or '0') + 1 end
        redis.call('HSET', KEYS[#KEYS], 'm', minute, 'n', all)
        answer[1] = all
        return answer
        """;

    /// <summary>Takes the failures of a user at an address off all that they counted for.</summary>
    /// <remarks>KEYS: what they count for, the user at the address last. Returns how many they were.</remarks>
    public const string ThrottleForget = """
        local own = tonumber(redis.call('HGET', KEYS[#KEYS], 'n') or '0')
        if own == 0 then return 0 end
        redis.call('UNLINK', KEYS[#KEYS])
        for i = 1, #KEYS - 1 do
          local others = tonumber(redis.call('HGET', KEYS[i], 'n') or '0') - own
          if others > 0 then redis.call('HSET', KEYS[i], 'n', others) else redis.call('UNLINK', KEYS[i]) end
        end
        return own
        """;

    /// <summary>Makes an account that is not there yet.</summary>
    /// <remarks>KEYS: account. ARGV: password, created. Returns 1, or 0 when it exists.</remarks>
    public const string AddAccount = """
        if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
        redis.call('HSET', KEYS[1], 'password', ARGV[1], 'created', ARGV[2])
        return 1
        """;

    /// <summary>Gives an account that is there a new password.</summary>
    /// <remarks>KEYS: account. ARGV: password. Returns 1, or 0 when there is no account.</remarks>
    public const string SetPassword = """
        if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
        redis.call('HSET', KEYS[1], 'password', ARGV[1])
        redis.call('HDEL', KEYS[1], 'scram-sha-256', 'scram-sha-1')
        return 1
        """;

    /// <summary>Stores the same password in another way, unless it was changed meanwhile.</summary>
    /// <remarks>KEYS: account. ARGV: the password as it was read, as it is to be, and what is stored for SCRAM-SHA-256 and SCRAM-SHA-1, or empty.
    /// Returns 1, or 0 when it was changed.</remarks>
    public const string UpgradeAccount = """
        if redis.call('HGET', KEYS[1], 'password') ~= ARGV[1] then return 0 end
        redis.call('HSET', KEYS[1], 'password', ARGV[2])
        if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'scram-sha-256', ARGV[3]) end
        if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'scram-sha-1', ARGV[4]) end
        return 1
        """;

    /// <summary>Refuses or allows the logins of an account that is there.</summary>
    /// <remarks>KEYS: account. ARGV: 1 or 0. Returns 1, or 0 when there is no account.</remarks>
    public const string DisableAccount = """
        if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
        redis.call('HSET', KEYS[1], 'disabled', ARGV[1])
        return 1
        """;
}
