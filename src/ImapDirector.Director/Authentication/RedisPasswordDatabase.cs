using ImapDirector.Director.Directory;

namespace ImapDirector.Director.Authentication;

/// <summary>Accounts as Redis hashes.</summary>
internal sealed class RedisPasswordDatabase(RedisConnection redis);
