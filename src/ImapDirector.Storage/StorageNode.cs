using System.Net;
using ImapDirector.Network;
using ImapDirector.Network.Lmtp;
using ImapDirector.Network.Tls;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Storage.Delivery;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Transfer;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace ImapDirector.Storage;

/// <summary>The storage node role: its listeners and its users' mail, from start to drain.</summary>
public sealed partial class StorageNode : IAsyncDisposable
{
    private readonly StorageNodeOptions _options;
    private readonly ServerCertificate? _certificate;
    private readonly StorageMetrics _metrics;
    private readonly ILoggerFactory _loggers;
    private readonly string _spoolDirectory;
    private readonly HeavyWork _heavy = new();
    private readonly ProcessTurns _turns = new();
    private UserMailRegistry? _mails;
    private AssertionLogin? _assertions;
    private UserTransfers? _transfers;
    private Listener? _imap;
    private Listener? _lmtp;
    private IDisposable? _directoryLock;
    private bool _draining;

    /// <summary>Composes the role; nothing is opened yet.</summary>
    /// <param name="options">Settings that <see cref="StorageNodeOptions.Validate"/> finds no fault with.</param>
    /// <param name="certificate">What STARTTLS shows; without one it is not offered.</param>
    /// <param name="metrics">Where the node's metrics are made.</param>
    /// <param name="loggers">Where the node's loggers are made.</param>
    public StorageNode(StorageNodeOptions options, ServerCertificate? certificate, IMetricFactory metrics, ILoggerFactory loggers)
    {
        _options = options;
        _certificate = certificate;
        _metrics = new StorageMetrics(metrics);
        _loggers = loggers;
        _spoolDirectory = Path.Combine(options.DataDirectory, "spool");
    }

    /// <summary>Where IMAP listens, once started.</summary>
    /// <exception cref="InvalidOperationException">The node has not been started.</exception>
    public IPEndPoint ImapEndPoint => Started(_imap).LocalEndPoint;

    /// <summary>Where LMTP listens, once started.</summary>
    /// <exception cref="InvalidOperationException">The node has not been started.</exception>
    public IPEndPoint LmtpEndPoint => Started(_lmtp).LocalEndPoint;

    /// <summary>What directors order to move users, once started.</summary>
    /// <exception cref="InvalidOperationException">The node has not been started.</exception>
    public UserTransfers Transfers => Started(_transfers);

    /// <summary>Checks the data directory and opens the listeners.</summary>
    /// <exception cref="IOException">The data directory cannot be made or written, or another process uses it.</exception>
    /// <exception cref="InvalidDataException">The directors' keys cannot be used.</exception>
    /// <exception cref="UnauthorizedAccessException">The data directory belongs to somebody else.</exception>
    /// <exception cref="IOException">An address is taken or not ours.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        MakePrivate(_options.DataDirectory);
        MakePrivate(_spoolDirectory);
        _directoryLock = DataDirectoryLock.Take(_options.DataDirectory);
        ProbeDisk();
        _mails = new UserMailRegistry(_options.DataDirectory, _metrics, new QuotaLimits(_options.QuotaBytes, _options.QuotaMessages));
        _transfers = new UserTransfers(_options.DataDirectory, _mails, new MovedStores(_options.DataDirectory, TimeProvider.System), _options.MovedRetention,
            TimeProvider.System, _loggers.CreateLogger<UserTransfers>());
        if (_options.AssertionKeys is not null) _assertions = new AssertionLogin(_options, _metrics, TimeProvider.System, _loggers.CreateLogger<AssertionLogin>());
        var services = new SessionServices(_options, _certificate, _mails, _assertions, _spoolDirectory, _heavy, _turns, _metrics, _loggers.CreateLogger<ImapSession>());
        _imap = NewListener("imap", _options.Imap, (connection, drain) => new ImapSession(connection, services, drain).RunAsync());
        var deliveries = new NodeDeliveryHandler(_options, _assertions, _mails, _spoolDirectory, _metrics, TimeProvider.System, _loggers.CreateLogger<NodeDeliveryHandler>());
        var lmtp = new LmtpServerOptions(_options.Name, _options.MaxMessageBytes, _spoolDirectory) { TakesAssertions = _assertions is not null };
        _lmtp = NewListener("lmtp", _options.Lmtp, (connection, drain) => ServeLmtpAsync(connection, deliveries, lmtp, drain));
        _imap.Start();
        _lmtp.Start();
        return Task.CompletedTask;
    }

    /// <summary>Judges a director's assertion that came by another way than IMAP or LMTP, and uses it up.</summary>
    /// <param name="token">As it came.</param>
    /// <param name="scope">What it is to be used for.</param>
    /// <param name="user">Whom it is to be about, or <c>null</c> where that is the caller's to look at.</param>
    /// <param name="connectionId">What the log calls whoever sent it.</param>
    /// <returns>What the director says; <c>null</c> when it is refused, or the node knows no director's key, or has not been started.</returns>
    public Assertion? CheckAssertion(ReadOnlySpan<byte> token, AssertionScope scope, UserName? user, string connectionId) =>
        _assertions?.Find(token, scope, user, connectionId);

    /// <summary>Why it is not ready (the data directory cannot be written, draining), or <c>null</c> when it is.</summary>
    public ValueTask<string?> NotReadyReasonAsync(CancellationToken cancellationToken)
    {
        if (_imap is null) return ValueTask.FromResult<string?>("not started");
        if (_draining) return ValueTask.FromResult<string?>("draining");
        try
        {
            ProbeDisk();
            return ValueTask.FromResult<string?>(null);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return ValueTask.FromResult<string?>("the data directory cannot be written");
        }
    }

    /// <summary>Stops accepting, says <c>* BYE</c> to sessions, lets running commands and deliveries finish, closes the stores.</summary>
    public async Task DrainAsync(TimeSpan timeout)
    {
        _draining = true;
        await Task.WhenAll(Listeners.Select(listener => listener.DrainAsync(timeout)));
        if (_transfers is not null) await _transfers.DisposeAsync();
        if (Interlocked.Exchange(ref _mails, null) is { } mails) await mails.DisposeAsync();
    }

    /// <summary>Drains with no patience.</summary>
    public async ValueTask DisposeAsync()
    {
        await DrainAsync(TimeSpan.Zero);
        foreach (var listener in Listeners) await listener.DisposeAsync();
        _directoryLock?.Dispose();
        _heavy.Dispose();
        _turns.Dispose();
    }

    private IEnumerable<Listener> Listeners => new[] { _imap, _lmtp }.OfType<Listener>();

    private Listener NewListener(string name, IPEndPoint endPoint, Func<Connection, CancellationToken, Task> handler)
    {
        // Directors are few and hold many connections each: the bound is on all of them, not on one address.
        var limits = new ConnectionLimits(_options.MaxConnections, _options.MaxConnections);
        return new Listener(name, endPoint, limits, handler, _loggers.CreateLogger<Listener>());
    }

    private Task ServeLmtpAsync(Connection connection, NodeDeliveryHandler deliveries, LmtpServerOptions lmtp, CancellationToken drain)
    {
        var logger = _loggers.CreateLogger<LmtpServerSession>();
        if (AddressList.IsTrusted(_options.TrustedNetworks, connection.RemoteEndPoint.Address))
            return new LmtpServerSession(connection, deliveries, lmtp, logger).RunAsync(drain);
        Log.LmtpRefused(logger, connection.Id, connection.RemoteEndPoint);
        return Task.CompletedTask;
    }

    private static T Started<T>(T? part) where T : class => part ?? throw new InvalidOperationException("The node has not been started.");

    /// <summary>Makes a directory that only its owner may enter: it holds other people's mail.</summary>
    private static void MakePrivate(string directory)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
        else Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private void ProbeDisk()
    {
        var path = Path.Combine(_spoolDirectory, $"probe-{Guid.NewGuid():N}");
        using var probe = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        probe.WriteByte(0);
    }

    private static partial class Log
    {
        [LoggerMessage(1111, LogLevel.Warning, "{ConnectionId} LMTP refused: {Peer} is not in TrustedNetworks")]
        public static partial void LmtpRefused(ILogger logger, string connectionId, IPEndPoint peer);
    }
}
