using Microsoft.Extensions.Logging;

namespace ImapDirector.Standalone;

/// <summary>The Redis-compatible server of the stand-alone role: Garnet in this process, on a loopback port, its data on disk.</summary>
/// <param name="directory">Where the data lives; made when it is missing.</param>
/// <param name="port">The loopback port, 0 for a free one.</param>
/// <param name="password">What clients must give, ASCII without commas.</param>
/// <param name="loggers">Garnet's own lines come out of it from warnings upwards.</param>
internal sealed class EmbeddedRedis(string directory, int port, string password, ILoggerFactory loggers) : IAsyncDisposable
{
    /// <summary>Recovers what the directory holds and listens.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What <c>DirectorOptions.Redis</c> takes: end point and password. Set once started.</summary>
    public string ConnectionString => throw new NotImplementedException();

    /// <summary>The port it listens on.</summary>
    public int Port => throw new NotImplementedException();

    /// <summary>Writes what is left to disk and stops.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
