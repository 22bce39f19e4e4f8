using System.Net;
using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Director;

/// <summary>The director role: its listeners, its Redis connection and its sessions, from start to drain.</summary>
public sealed class DirectorServer : IAsyncDisposable
{
    /// <summary>Composes the role; nothing is opened yet.</summary>
    public DirectorServer(DirectorOptions options, ServerCertificate certificate, IMetricFactory metrics, ILoggerFactory loggers) => throw new NotImplementedException();

    /// <summary>Connects to Redis (and goes on without when it is away: it is then not ready), takes the incarnation's lease and opens the listeners.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Where plain IMAP listens, once started.</summary>
    public IPEndPoint? ImapEndPoint => throw new NotImplementedException();

    /// <summary>Where IMAP over TLS listens, once started.</summary>
    public IPEndPoint? ImapsEndPoint => throw new NotImplementedException();

    /// <summary>Where LMTP listens, once started.</summary>
    public IPEndPoint? LmtpEndPoint => throw new NotImplementedException();

    /// <summary>Why it is not ready (Redis away, no node reachable, draining), or <c>null</c> when it is. Never takes longer than a second.</summary>
    public ValueTask<string?> NotReadyReasonAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Refuses new logins, says <c>* BYE</c> to every session where it can, lets deliveries finish, releases all session records.</summary>
    public Task DrainAsync(TimeSpan timeout) => throw new NotImplementedException();

    /// <summary>Drains with no patience.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
