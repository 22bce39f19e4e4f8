using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using ImapDirector.Network.Polling;
using ImapDirector.Network.Tls;
using ImapDirector.Network.Tls.OpenSsl;

namespace ImapDirector.Network;

/// <summary>One TCP connection, accepted or made: its socket, its TLS state and the pipes to read from and write to.</summary>
/// <remarks>
/// The reader uses zero-byte reads, so that a silent connection holds no buffer. <see cref="Input"/> and <see cref="Output"/>
/// are replaced by <see cref="StartTlsServerAsync"/> and <see cref="StartTlsClientAsync"/>: take them anew afterwards.
/// </remarks>
public sealed class Connection : IAsyncDisposable
{
    internal const int KeepAliveIdleSeconds = 120;
    internal const int KeepAliveIntervalSeconds = 30;
    internal const int KeepAliveCount = 4;
    private const int IdBytes = 12;
    // What a client sent and we never read is thrown away before the close, up to this much: a close with unread bytes is a
    // reset, and a reset can overtake our last words.
    private const int MaxDiscardedBytes = 256 * 1024;
    private static readonly TimeSpan CloseNotifyTimeout = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AbortedPatience = TimeSpan.FromSeconds(5);
    // One segment for what gathers before it is sent: each segment is a system call of its own. They are given back after every flush.
    private static readonly StreamPipeWriterOptions WriterOptions = new(leaveOpen: true, minimumBufferSize: 32 * 1024);

    private static readonly StreamPipeReaderOptions UsualReaderOptions = ReaderOptions(DefaultReadAhead);

    // Whoever connects waits for answers, for a while, and holds a buffer meanwhile: a look whether there is something would be a call for each.
    private static readonly StreamPipeReaderOptions AnswerReaderOptions = new(bufferSize: DefaultReadAhead, minimumReadSize: DefaultReadAhead / 4, leaveOpen: true);

    /// <summary>Whether what <see cref="SetUp"/> sets of a listening socket is set of what it accepts.</summary>
    internal static bool IsInherited => OperatingSystem.IsLinux();

    /// <summary>How much is read at once where nothing else is said, in bytes.</summary>
    public const int DefaultReadAhead = 4096;

    private readonly StreamPipeReaderOptions _readerOptions;
    private readonly ConnectionSocket _socket;
    // A SocketStream, or a LoopStream. None any more once a relay has taken over, until the connection is to be waited for again.
    private Stream? _network;
    private Stream? _stream;
    // None any more once a relay has taken over.
    private PipeReader? _input;
    private PipeWriter? _output;
    // Few of those that we make are ever named.
    private string? _id;
    private int _isClosed;
    private bool _hasClosedSending;
    private DeflatedStream? _deflated;
    private byte[]? _endPointBinding;
    private TlsSession? _handshaking;

    /// <summary>Wraps a connected socket, which it owns from here on.</summary>
    /// <param name="socket">The socket.</param>
    public Connection(Socket socket) : this(socket, UsualReaderOptions)
    {
    }

    /// <summary>As above, with <see cref="ReaderOptions"/>, one object for many.</summary>
    internal Connection(Socket socket, StreamPipeReaderOptions readerOptions, bool isSetUp = false)
    {
        _readerOptions = readerOptions;
        _socket = new ConnectionSocket(socket);
        if (!isSetUp) SetUp(socket);
        _stream = _network = new SocketStream(_socket);
        (_input, _output) = (PipeReader.Create(_stream, _readerOptions), PipeWriter.Create(_stream, WriterOptions));
    }

    /// <summary>A connection that a loop watches from its beginning to its end.</summary>
    /// <exception cref="IOException">The system refuses, or the loop has ended.</exception>
    internal Connection(SocketDescriptor descriptor, IPEndPoint remote, PollLoop loop, StreamPipeReaderOptions readerOptions)
    {
        _readerOptions = readerOptions;
        _socket = new ConnectionSocket(descriptor);
        _stream = _network = new LoopStream(loop, descriptor);
        RemoteEndPoint = remote;
        (_input, _output) = (PipeReader.Create(_stream, _readerOptions), PipeWriter.Create(_stream, WriterOptions));
    }

    /// <summary>Names the connection in every log line and at the node; unique in this process and hard to guess.</summary>
    public string Id => Volatile.Read(ref _id) ?? MakeId();

    /// <summary>The client's address: the peer's, or the one of a trusted PROXY header. Never an IPv4 address in IPv6's clothes.</summary>
    /// <exception cref="SocketException">It has never been asked for, and the peer is gone.</exception>
    /// <exception cref="ObjectDisposedException">It has never been asked for, and the connection is closed.</exception>
    public IPEndPoint RemoteEndPoint { get => field ??= Unmapped((IPEndPoint)Socket.RemoteEndPoint!); set => field = Unmapped(value); }

    /// <summary>Our address; asked for before a relay takes over.</summary>
    /// <exception cref="ObjectDisposedException">The connection is closed.</exception>
    public IPEndPoint LocalEndPoint => Unmapped(_socket.LocalEndPoint);

    /// <summary>The place it takes among the listener's limits; <c>null</c> for a connection we made. The listener gives it back.</summary>
    public ConnectionLimits.Permit? Permit { get; set; }

    /// <summary>Whoever has accepted it; <c>null</c> for a connection we made.</summary>
    internal IConnectionOwner? Owner { get; init; }

    /// <summary>Whether it goes on without who serves it.</summary>
    internal bool IsKeptOpen { get; private set; }

    /// <summary>.NET's TLS stream, or <c>null</c>: while the connection is plain, and where TLS is OpenSSL's directly.</summary>
    public SslStream? Tls { get; private set; }

    /// <summary>Whether bytes travel encrypted.</summary>
    public bool IsSecure => Tls is not null || Session is not null;

    /// <summary>The version of TLS, as <c>1.3</c>; <c>null</c> while the connection is plain.</summary>
    public string? TlsVersion => Session?.Version ?? Tls?.SslProtocol switch
    {
        null => null,
        SslProtocols.Tls12 => "1.2",
        _ => "1.3",
    };

    /// <summary>Who the client is by its certificate.</summary>
    public ClientIdentity Identity { get; private set; }

    /// <summary>The loop that watches it from its beginning, or <c>null</c>; asked for before a relay takes over.</summary>
    public PollLoop? Loop => (_network as LoopStream)?.Loop;

    /// <summary>Whether a <see cref="LoopSocket"/> can take over, where it is on a loop: bytes are plain, or TLS is OpenSSL's directly.</summary>
    public bool IsDirect => Tls is null && !IsCompressed;

    /// <summary>What an authentication on this connection can be bound to.</summary>
    /// <returns><c>null</c> where there is no such thing: without TLS as its server, or as <see cref="TlsBinding"/> says.</returns>
    public byte[]? Binding(TlsBinding binding) => binding == TlsBinding.Exporter ? Session?.Export(TlsBindings.ExporterLabel, TlsBindings.ExporterBytes) : _endPointBinding;

    /// <summary>OpenSSL's session, where TLS is its directly.</summary>
    internal TlsSession? Session { get; private set; }

    /// <summary>Whether both directions are compressed.</summary>
    public bool IsCompressed => _deflated is not null;

    /// <summary>The socket.</summary>
    public Socket Socket => _socket.Socket;

    /// <summary>The stream under the pipes (the socket's or the TLS one), for the relay.</summary>
    public Stream Stream => _stream ?? Reopen();

    /// <summary>Reads from the peer.</summary>
    public PipeReader Input => _input ?? throw TakenOver();

    /// <summary>Writes to the peer.</summary>
    public PipeWriter Output => _output ?? throw TakenOver();

    /// <summary>Becomes a TLS server on this connection.</summary>
    /// <param name="certificate">What is shown.</param>
    /// <param name="cancellationToken">The caller's time-out.</param>
    /// <param name="keepUnread">Whether what was read and not consumed is the beginning of the handshake, as behind a PROXY header on a port
    /// where TLS comes first. Otherwise it is thrown away: it came in the clear (limits P21).</param>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The handshake failed.</exception>
    /// <exception cref="IOException">The peer left in the middle of it.</exception>
    public async Task StartTlsServerAsync(ServerCertificate certificate, CancellationToken cancellationToken, bool keepUnread = false)
    {
        var transport = TlsTransport(keepUnread);
        var shown = certificate.Use();
        try
        {
            await StartTlsServerAsync(certificate, shown, transport, cancellationToken);
        }
        finally
        {
            shown.EndUse();
        }
    }

    private async Task StartTlsServerAsync(ServerCertificate certificate, ShownCertificates shown, Stream transport, CancellationToken cancellationToken)
    {
        if (shown.Context is not { } context)
        {
            var tls = new SslStream(transport, leaveInnerStreamOpen: true);
            var (chosen, identity) = (shown.All[0], default(ClientIdentity));
            var watched = _network as LoopStream;
            watched?.GoOnOnPool(true);
            // The turn begins when there is something to do.
            _ = await transport.ReadAsync(Memory<byte>.Empty, cancellationToken);
            await PollLoop.LeaveAsync();
            await certificate.Turns.RunAsync(() => tls.AuthenticateAsServerAsync((_, hello, _, _) =>
            {
                chosen = shown.For(hello.ServerName);
                return ValueTask.FromResult(shown.OptionsFor(chosen, seen => identity = seen));
            }, null, cancellationToken), cancellationToken);
            watched?.GoOnOnPool(false);
            (Tls, _endPointBinding, Identity) = (tls, chosen.EndPointBinding, identity);
            Use(tls);
            return;
        }
        // Before the handshake: however that ends, the session is the connection's to dispose.
        _handshaking = new TlsSession(context);
        var stream = new TlsStream(transport, _handshaking);
        await stream.HandshakeAsync(certificate.Turns, cancellationToken);
        Identity = Identify(context, _handshaking);
        (Session, _endPointBinding) = (_handshaking, _handshaking.Shown.EndPointBinding);
        Use(stream);
    }

    /// <summary>Becomes a TLS client on this connection. Everything read but not consumed so far is thrown away.</summary>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The handshake failed, or the certificate is not the peer's.</exception>
    /// <exception cref="IOException">The peer left in the middle of it.</exception>
    public async Task StartTlsClientAsync(SslClientAuthenticationOptions options, CancellationToken cancellationToken)
    {
        var tls = new SslStream(TlsTransport(keepUnread: false), leaveInnerStreamOpen: true);
        var watched = _network as LoopStream;
        // Keys and certificates take longer than others of the loop's should wait.
        watched?.GoOnOnPool(true);
        await PollLoop.LeaveAsync();
        await tls.AuthenticateAsClientAsync(options, cancellationToken);
        watched?.GoOnOnPool(false);
        Tls = tls;
        Use(tls);
    }

    /// <summary>Compresses what is written and decompresses what is read from here on (RFC 1951, as RFC 4978 uses it). What was read and not consumed is
    /// compressed already. <see cref="Input"/> and <see cref="Output"/> are replaced.</summary>
    /// <exception cref="InvalidOperationException">They are compressed already.</exception>
    public void StartDeflate()
    {
        if (IsCompressed) throw new InvalidOperationException("The connection is compressed already.");
        var transport = Stream;
        if (Input.TryRead(out var unread))
        {
            if (!unread.Buffer.IsEmpty) transport = new PrefixedStream(unread.Buffer.ToArray(), Stream);
            Input.AdvanceTo(unread.Buffer.End);
        }
        ForgetPipes();
        _deflated = new DeflatedStream(transport);
        // A zero-byte read says nothing of bytes that are still packed.
        (_input, _output) = (PipeReader.Create(_deflated, new StreamPipeReaderOptions(leaveOpen: true)), PipeWriter.Create(_deflated, WriterOptions));
    }

    /// <summary>Connects to <paramref name="endPoint"/> with Nagle's algorithm off.</summary>
    /// <param name="endPoint">Where to.</param>
    /// <param name="cancellationToken">The caller's time-out.</param>
    /// <param name="loop">The loop that is to watch it; with none the runtime does.</param>
    /// <exception cref="SocketException">The peer cannot be reached.</exception>
    /// <exception cref="IOException">The loop has ended, or the system refuses.</exception>
    /// <exception cref="OperationCanceledException">The token fired first: the caller's time-out.</exception>
    public static async Task<Connection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken, PollLoop? loop = null)
    {
        if (loop is not null) return await ConnectAsync(endPoint, loop, cancellationToken);
        // For both families only where it is not known which.
        var socket = endPoint is IPEndPoint { AddressFamily: var family } ? new Socket(family, SocketType.Stream, ProtocolType.Tcp) : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken);
            return new Connection(socket, AnswerReaderOptions);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<Connection> ConnectAsync(EndPoint endPoint, PollLoop loop, CancellationToken cancellationToken)
    {
        if (endPoint is IPEndPoint known) return await ConnectAsync(known, loop, cancellationToken);
        var name = (DnsEndPoint)endPoint;
        SocketException? failed = null;
        foreach (var address in await Dns.GetHostAddressesAsync(name.Host, cancellationToken))
        {
            try
            {
                return await ConnectAsync(new IPEndPoint(address, name.Port), loop, cancellationToken);
            }
            catch (SocketException unreachable)
            {
                failed = unreachable;
            }
        }
        throw failed ?? new SocketException((int)SocketError.HostNotFound);
    }

    private static async ValueTask<Connection> ConnectAsync(IPEndPoint endPoint, PollLoop loop, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var descriptor = SocketDescriptor.Connect(endPoint, out var isMade);
        Connection? connection = null;
        try
        {
            connection = new Connection(descriptor, endPoint, loop, AnswerReaderOptions);
            if (isMade) return connection;
            await ((LoopStream)connection._network!).WaitUntilMadeAsync(cancellationToken);
            descriptor.DemandMade();
            return connection;
        }
        catch
        {
            connection?.Abort();
            connection?.Leave();
            descriptor.Dispose();
            throw;
        }
    }

    /// <summary>Hands the connection, which must be on a loop, over to a target of its: nobody may be reading or writing, and nobody reads from <see cref="Stream"/> any more.</summary>
    /// <returns>What the loop goes on with.</returns>
    /// <exception cref="ObjectDisposedException">The connection is closed.</exception>
    internal LoopSocket HandOver(IPollTarget target)
    {
        var socket = ((LoopStream)_network!).Release(target);
        // What waits for it as a stream does is made again for whoever has to: idle sessions are many.
        (_stream, _network) = (null, null);
        if (Volatile.Read(ref _isClosed) == 0) return socket;
        socket.Dispose();
        throw new ObjectDisposedException(nameof(Connection));
    }

    /// <summary>Ends <see cref="Input"/> and <see cref="Output"/>: from here on bytes are read and written elsewhere, and what is not consumed is gone.</summary>
    public void ForgetPipes()
    {
        _input?.Complete();
        _output?.Complete();
        (_input, _output) = (null, null);
    }

    /// <summary>Has the connection go on although who serves it returns, until <see cref="EndAsync"/>: nobody waits for it meanwhile. Who says so returns at once, and with nothing
    /// but that left to do.</summary>
    public void KeepOpen() => IsKeptOpen = true;

    /// <summary>Ends a connection that was kept open: disposes of it and gives its place back. Whoever has accepted it waits for that when it goes.</summary>
    public Task EndAsync() => Owner?.EndAsync(this) ?? DisposeAsync().AsTask();

    /// <summary>Closes with a reset, in the middle of anything, from any thread; pending reads and writes end with an exception.</summary>
    public void Abort()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0) _socket.Abort();
    }

    /// <summary>Leaves its loop, where it has one, and lets its descriptor go: of a connection that is closed and that nobody has used.</summary>
    internal void Leave() => (_network as LoopStream)?.Leave();

    /// <summary>Says that nothing more will come: TLS close_notify where there is TLS, and TCP's end. What has been written still arrives.</summary>
    /// <remarks>A read may be under way. Beside a loop .NET's TLS says TCP's end alone.</remarks>
    /// <exception cref="IOException">The peer is gone.</exception>
    /// <exception cref="SocketException">The peer is gone.</exception>
    /// <exception cref="ObjectDisposedException">The connection was aborted.</exception>
    public Task CloseSendingAsync() =>
        // A read on another thread may be under way, and SslStream lets OpenSSL do both at once on one session: memory is torn, and the process can end.
        CloseSendingAsync(nothingIsRead: Loop?.IsCurrent == true);

    /// <summary>Flushes nothing: completes the pipes, says TLS close_notify where it can within a moment, closes the socket. No read or write may be
    /// under way.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_input is not null) await _input.CompleteAsync();
        // Completing the writer would flush, which could wait for a peer that takes nothing: an exception tells it not to.
        if (_output is not null) await _output.CompleteAsync(new OperationCanceledException());
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            var saying = Task.CompletedTask;
            try
            {
                // Said twice it would fail, and what the peer has not taken yet would be lost with the connection.
                if (!_hasClosedSending) await (saying = CloseSendingAsync(nothingIsRead: true)).WaitAsync(CloseNotifyTimeout);
                await _socket.DiscardAsync(MaxDiscardedBytes);
            }
            catch (Exception lost) when (lost is IOException or SocketException or TimeoutException or ObjectDisposedException or InvalidOperationException)
            {
                // The peer is gone or takes nothing more: there is nobody to be polite to. What is still being said ends by it, before anything is let go.
                _socket.Abort();
                await saying.WaitAsync(AbortedPatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        _socket.Close();
        if (_deflated is not null) await _deflated.DisposeAsync();
        if (Tls is not null) await Tls.DisposeAsync();
        _handshaking?.Dispose();
        if (_network is not null) await _network.DisposeAsync();
    }

    /// <summary>How <see cref="Input"/> reads.</summary>
    /// <param name="readAhead">How much at once, in bytes: behind a command that is being answered no more than this waits here, and the rest with the peer. OpenSSL's TLS
    /// reads records, up to 32 KiB of them, besides.</param>
    internal static StreamPipeReaderOptions ReaderOptions(int readAhead) => new(bufferSize: readAhead, minimumReadSize: readAhead / 4, leaveOpen: true, useZeroByteReads: true);

    private static ClientIdentity Identify(TlsContext context, TlsSession session)
    {
        if (context.Clients is not { } clients) return default;
        var identity = clients.Identify(session.PeerCertificate(out var fault), fault);
        // OpenSSL lets in a little more than we do.
        if (clients.IsRequired && !identity.IsVerified) throw new AuthenticationException($"The client's certificate does not count: {identity.Fault}.");
        return identity;
    }

    private async Task CloseSendingAsync(bool nothingIsRead)
    {
        _hasClosedSending = true;
        if (Tls is { } tls && nothingIsRead) await SayEndAsync(tls);
        if (Session is not null && Stream is TlsStream direct) await direct.ShutdownAsync();
        _socket.ShutdownSending();
    }

    private static async Task SayEndAsync(SslStream tls)
    {
        try
        {
            await tls.ShutdownAsync();
        }
        catch (Exception broken) when (broken is not (IOException or SocketException or ObjectDisposedException or InvalidOperationException))
        {
            // Exceptions of .NET's own around OpenSSL, that have no type in common: behind a record that was no record nothing can be said.
            throw new IOException("TLS is broken: its end cannot be said.", broken);
        }
    }

    private string MakeId()
    {
        var made = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(IdBytes));
        return Interlocked.CompareExchange(ref _id, made, null) ?? made;
    }

    private static InvalidOperationException TakenOver() => new("The connection has been taken over: its pipes are gone.");

    private Stream Network => _network ??= new SocketStream(_socket, isAtRest: true);

    private Stream Reopen() => _stream = Session is { } session ? new TlsStream(Network, session) : Network;

    private Stream TlsTransport(bool keepUnread)
    {
        if (IsSecure) throw new InvalidOperationException("The connection has TLS already.");
        if (!keepUnread || !Input.TryRead(out var unread)) return Network;
        var early = unread.Buffer.ToArray();
        Input.AdvanceTo(unread.Buffer.End);
        return early.Length > 0 ? new PrefixedStream(early, Network) : Network;
    }

    private void Use(Stream tls)
    {
        ForgetPipes();
        _stream = tls;
        (_input, _output) = (PipeReader.Create(tls, _readerOptions), PipeWriter.Create(tls, WriterOptions));
    }

    /// <summary>Turns Nagle's algorithm off and keep-alive on: a client that vanished without a word is found out within some four minutes; an idle one costs a packet every two.</summary>
    internal static void SetUp(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveIdleSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveIntervalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveCount);
    }

    private static IPEndPoint Unmapped(IPEndPoint endPoint) =>
        endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;
}
