using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Network;

/// <summary>Accepts connections on one address and runs a handler for each; refuses above its limits, and can be drained.</summary>
/// <param name="name">How logs and metrics call it: <c>imap</c>, <c>imaps</c>, <c>lmtp</c>.</param>
/// <param name="endPoint">Where to listen; port 0 takes a free one.</param>
/// <param name="limits">How many connections, in all and from one address; one object may serve several listeners.</param>
/// <param name="handler">Serves a connection. It owns it until it returns; the listener disposes it then, or when whoever has kept it open
/// (<see cref="Connection.KeepOpen"/>) ends it. The token fires when a drain begins: say BYE and return.</param>
/// <param name="logger">Where errors of accept and of handlers go.</param>
/// <param name="reusePort">Whether another process of the same user may listen there as well (SO_REUSEPORT, socket(7)); Linux only.</param>
/// <param name="readAhead">As <see cref="Connection.ReaderOptions"/> has it.</param>
/// <param name="backlog">Connections that may wait to be accepted.</param>
/// <param name="onRefused">Called for each connection that is refused because of a limit.</param>
/// <param name="loops">Threads that accept, and watch their connections from then on: handlers run there, and must not do at length what the thread's other connections would have to
/// wait for. With none the runtime does it, and handlers run on the thread pool.</param>
public sealed partial class Listener(string name, IPEndPoint endPoint, ConnectionLimits limits,
    Func<Connection, CancellationToken, Task> handler, ILogger logger, bool reusePort = false,
    int readAhead = Connection.DefaultReadAhead, int backlog = Listener.DefaultBacklog, Action? onRefused = null,
    IReadOnlyList<PollLoop>? loops = null) : IAsyncDisposable, IConnectionOwner
{
    /// <summary>Connections that may wait to be accepted, if the system allows as many (<c>net.core.somaxconn</c>, listen(2)).</summary>
    public const int DefaultBacklog = 4096;

    // Linux' numbers (asm-generic/socket.h); the framework has none for it.
    private const int SocketLevel = 1;
    private const int MomentsToAccept = 100;
    private const int ReusePortOption = 15;
    // How many descriptors more than another one a thread may have: so many, and an eighth.
    private const int SpareConnections = 16;
    private const int SpareShare = 8;
    // After a failed accept, such as for want of file descriptors, which only come back when a connection closes.
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AbortedPatience = TimeSpan.FromSeconds(5);
    private static readonly long RefusalLogMilliseconds = 1000;

    private readonly StreamPipeReaderOptions _readerOptions = Connection.ReaderOptions(readAhead);
    private readonly CancellationTokenSource _drain = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Connection> _connections = [];
    private readonly TaskCompletionSource _allServed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Socket? _socket;
    private Task _accepting = Task.CompletedTask;
    private LoopAcceptor[] _acceptors = [];
    private IPEndPoint? _localEndPoint;
    private long _refused;
    private long _refusalLoggedAt = long.MinValue;

    /// <summary>Binds and begins to accept.</summary>
    /// <exception cref="IOException">The address is taken or not ours; the message names it.</exception>
    public void Start()
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // IPv6's "any" takes IPv4 clients as well, as operators expect of it.
            if (endPoint.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            if (reusePort) socket.SetRawSocketOption(SocketLevel, ReusePortOption, BitConverter.GetBytes(1));
            // Here Linux has accepted sockets inherit it (tcp(7)), which spares five calls for each.
            if (Connection.IsInherited) Connection.SetUp(socket);
            socket.Bind(endPoint);
            socket.Listen(backlog);
        }
        catch (SocketException refused)
        {
            socket.Dispose();
            throw new IOException($"{char.ToUpperInvariant(name[0])}{name[1..]} cannot listen on \"{endPoint}\" ({refused.SocketErrorCode}): free the port, or configure another address.", refused);
        }
        _localEndPoint = (IPEndPoint)socket.LocalEndPoint!;
        _socket = socket;
        if (loops is null or []) _accepting = AcceptAsync(socket);
        else AcceptOn(loops, socket);
    }

    /// <summary>Where it listens, with the port it got.</summary>
    /// <exception cref="InvalidOperationException">It has not been started.</exception>
    public IPEndPoint LocalEndPoint => _localEndPoint ?? throw new InvalidOperationException($"The listener {name} has not been started.");

    /// <summary>Connections being served now.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _connections.Count;
        }
    }

    /// <summary>Connections that were closed at once because of a limit.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Stops accepting, fires the handlers' token, waits until they have returned or <paramref name="timeout"/> has
    /// passed, then aborts what is left.</summary>
    public async Task DrainAsync(TimeSpan timeout)
    {
        await StopAcceptingAsync();
        await _drain.CancelAsync();
        lock (_lock)
        {
            if (_connections.Count == 0) _allServed.TrySetResult();
        }
        await _allServed.Task.WaitAsync(timeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_allServed.Task.IsCompleted) return;
        Connection[] left;
        lock (_lock) left = [.. _connections];
        Log.Aborting(logger, name, left.Length);
        foreach (var connection in left) connection.Abort();
        await _allServed.Task.WaitAsync(AbortedPatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_allServed.Task.IsCompleted) Log.Stuck(logger, name, Count);
    }

    /// <summary>Drains with no patience.</summary>
    public async ValueTask DisposeAsync()
    {
        await DrainAsync(TimeSpan.Zero);
        _drain.Dispose();
    }

    private async Task StopAcceptingAsync()
    {
        // Who is connected and not yet accepted would be reset, also where another process listens on the port as well.
        for (var moment = 0; moment < MomentsToAccept && _socket is { } socket && IsWaitedFor(socket); moment++) await Task.Delay(1);
        foreach (var acceptor in _acceptors) await acceptor.EndAsync();
        _socket?.Dispose();
        await _accepting;
    }

    private static bool IsWaitedFor(Socket socket)
    {
        try
        {
            return socket.Poll(0, SelectMode.SelectRead);
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    private async Task AcceptAsync(Socket listening)
    {
        while (true)
        {
            try
            {
                Admit(await listening.AcceptAsync());
            }
            catch (Exception stopped) when (stopped is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException failed)
            {
                Log.AcceptFailed(logger, name, failed.SocketErrorCode);
                await Task.Delay(PauseAfterFailure);
            }
        }
    }

    private void AcceptOn(IReadOnlyList<PollLoop> threads, Socket socket)
    {
        socket.Blocking = false;
        _acceptors = [.. threads.Select(loop => new LoopAcceptor(loop, socket, Admit, fault => Log.Fault(logger, "", name, fault), error => Log.AcceptFailed(logger, name, error)))];
        foreach (var acceptor in _acceptors) acceptor.Begin();
    }

    private void Admit(Socket socket)
    {
        Connection connection;
        try
        {
            connection = new Connection(socket, _readerOptions, isSetUp: Connection.IsInherited) { Owner = this };
            _ = connection.RemoteEndPoint;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // The client reset it between the handshake and here, so it has no address any more.
            socket.Dispose();
            return;
        }
        // Queued, so that the work a handler does before its first wait does not hold up the next client.
        if (TryEnter(connection)) ThreadPool.UnsafeQueueUserWorkItem(static state => _ = state.Listener.ServeAsync(state.Connection), (Listener: this, Connection: connection), preferLocal: false);
    }

    private void Admit(PollLoop accepting, SocketDescriptor descriptor, IPEndPoint remote)
    {
        var loop = LoopFor(accepting);
        Connection connection;
        try
        {
            connection = new Connection(descriptor, remote, loop, _readerOptions) { Owner = this };
        }
        catch (Exception refused) when (refused is IOException or ObjectDisposedException)
        {
            descriptor.Dispose();
            Log.NotWatched(logger, name, refused.Message);
            return;
        }
        if (!TryEnter(connection)) connection.Leave();
        else if (loop == accepting) _ = ServeAsync(connection);
        else loop.Post(() => _ = ServeAsync(connection));
    }

    /// <summary>The thread that has accepted goes on with a connection, which spares a hop, unless another one has a good deal fewer: sessions last for days.</summary>
    private PollLoop LoopFor(PollLoop accepting)
    {
        var idlest = loops!.MinBy(static loop => loop.Count)!;
        return accepting.Count - idlest.Count > SpareConnections + accepting.Count / SpareShare ? idlest : accepting;
    }

    private bool TryEnter(Connection connection)
    {
        var address = connection.RemoteEndPoint.Address;
        connection.Permit = limits.TryEnter(address, connection.Abort);
        if (connection.Permit is null)
        {
            NoteRefusal(address);
            connection.Abort();
            return false;
        }
        lock (_lock) _connections.Add(connection);
        return true;
    }

    private async Task ServeAsync(Connection connection)
    {
        try
        {
            await handler(connection, _drain.Token);
            if (connection.IsKeptOpen) return;
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            Log.Lost(logger, connection.Id, name, lost.Message);
        }
        catch (Exception fault)
        {
            Log.Fault(logger, connection.Id, name, fault);
        }
        await EndAsync(connection);
    }

    private async Task EndAsync(Connection connection)
    {
        await CloseAsync(connection);
        lock (_lock)
        {
            _connections.Remove(connection);
            if (_connections.Count == 0 && _drain.IsCancellationRequested) _allServed.TrySetResult();
        }
    }

    Task IConnectionOwner.EndAsync(Connection connection) => EndAsync(connection);

    private async Task CloseAsync(Connection connection)
    {
        try
        {
            await connection.DisposeAsync();
        }
        catch (Exception fault)
        {
            connection.Abort();
            Log.Fault(logger, connection.Id, name, fault);
        }
        finally
        {
            connection.Permit?.Dispose();
        }
    }

    // A flood must not become a flood of log lines.
    private void NoteRefusal(IPAddress address)
    {
        onRefused?.Invoke();
        var refused = Interlocked.Increment(ref _refused);
        var now = Environment.TickCount64;
        if (_refusalLoggedAt != long.MinValue && now - _refusalLoggedAt < RefusalLogMilliseconds) return;
        _refusalLoggedAt = now;
        Log.TooMany(logger, name, refused, address);
    }

    private static partial class Log
    {
        [LoggerMessage(2001, LogLevel.Error, "{Listener}: accepting failed: {Error}")]
        public static partial void AcceptFailed(ILogger logger, string listener, SocketError error);

        [LoggerMessage(2007, LogLevel.Error, "{Listener}: a connection cannot be watched: {Reason}")]
        public static partial void NotWatched(ILogger logger, string listener, string reason);

        [LoggerMessage(2002, LogLevel.Warning, "{Listener}: connections over the limits are refused, {Refused} so far, this one from {Address}")]
        public static partial void TooMany(ILogger logger, string listener, long refused, IPAddress address);

        [LoggerMessage(2003, LogLevel.Debug, "{ConnectionId} {Listener}: lost: {Reason}")]
        public static partial void Lost(ILogger logger, string connectionId, string listener, string reason);

        [LoggerMessage(2004, LogLevel.Error, "{ConnectionId} {Listener}: a fault ended the connection")]
        public static partial void Fault(ILogger logger, string connectionId, string listener, Exception exception);

        [LoggerMessage(2005, LogLevel.Warning, "{Listener}: the time to drain is over, {Count} connections are cut")]
        public static partial void Aborting(ILogger logger, string listener, int count);

        [LoggerMessage(2006, LogLevel.Error, "{Listener}: {Count} connections do not end although they were cut")]
        public static partial void Stuck(ILogger logger, string listener, int count);
    }
}
