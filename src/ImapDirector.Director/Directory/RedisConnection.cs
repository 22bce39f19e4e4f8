using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Directory;

/// <summary>The one connection to Redis. Every call has a time limit, fails at once while Redis is away, and ends as a value.</summary>
internal sealed class RedisConnection(DirectorOptions options, DirectorMetrics metrics, ILogger<RedisConnection> logger) : IAsyncDisposable
{
    /// <summary>Connects; when Redis is away it returns all the same and goes on trying in the background.</summary>
    public Task ConnectAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Whether Redis answers now; within <see cref="DirectorOptions.RedisTimeout"/>.</summary>
    public Task<bool> IsAvailableAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc />
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
