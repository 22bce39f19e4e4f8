using System.Net;
using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Storage;

/// <summary>The storage node role: its listeners and its users' mail, from start to drain.</summary>
public sealed class StorageNode : IAsyncDisposable
{
    /// <summary>Composes the role; nothing is opened yet.</summary>
    public StorageNode(StorageNodeOptions options, ServerCertificate? certificate, IMetricFactory metrics, ILoggerFactory loggers) => throw new NotImplementedException();

    /// <summary>Checks the data directory and opens the listeners.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Where IMAP listens, once started.</summary>
    public IPEndPoint ImapEndPoint => throw new NotImplementedException();

    /// <summary>Where LMTP listens, once started.</summary>
    public IPEndPoint LmtpEndPoint => throw new NotImplementedException();

    /// <summary>Why it is not ready (the data directory cannot be written, draining), or <c>null</c> when it is.</summary>
    public ValueTask<string?> NotReadyReasonAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Stops accepting, says <c>* BYE</c> to sessions, lets running commands and deliveries finish, closes the stores.</summary>
    public Task DrainAsync(TimeSpan timeout) => throw new NotImplementedException();

    /// <summary>Drains with no patience.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
