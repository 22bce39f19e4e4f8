using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace ImapDirector.Network;

/// <summary>One TCP connection, accepted or made: its socket, its TLS state and the pipes to read from and write to.</summary>
/// <remarks>
/// The reader uses zero-byte reads, so that a silent connection holds no buffer. <see cref="Input"/> and <see cref="Output"/>
/// are replaced by <see cref="StartTlsServerAsync"/> and <see cref="StartTlsClientAsync"/>: take them anew afterwards.
/// </remarks>
public sealed class Connection : IAsyncDisposable
{
    /// <summary>Wraps a connected socket.</summary>
    public Connection(Socket socket) => throw new NotImplementedException();

    /// <summary>Names the connection in every log line and at the node; unique in this process and hard to guess.</summary>
    public string Id => throw new NotImplementedException();

    /// <summary>The client's address: the peer's, or the one of a trusted PROXY header.</summary>
    public IPEndPoint RemoteEndPoint { get => throw new NotImplementedException(); set => throw new NotImplementedException(); }

    /// <summary>The place it takes among the listener's limits; <c>null</c> for a connection we made. The listener gives it back.</summary>
    public ConnectionLimits.Permit? Permit { get; set; }

    /// <summary>Our address.</summary>
    public IPEndPoint LocalEndPoint => throw new NotImplementedException();

    /// <summary>The TLS stream, or <c>null</c> while the connection is plain.</summary>
    public SslStream? Tls => throw new NotImplementedException();

    /// <summary>Whether bytes travel encrypted.</summary>
    public bool IsSecure => Tls is not null;

    /// <summary>The socket, for the relay.</summary>
    public Socket Socket => throw new NotImplementedException();

    /// <summary>The stream under the pipes (the socket's or the TLS one), for the relay.</summary>
    public Stream Stream => throw new NotImplementedException();

    /// <summary>Reads from the peer.</summary>
    public PipeReader Input => throw new NotImplementedException();

    /// <summary>Writes to the peer.</summary>
    public PipeWriter Output => throw new NotImplementedException();

    /// <summary>Becomes a TLS server on this connection. Everything read but not consumed so far is thrown away (limits P21).</summary>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The handshake failed.</exception>
    public Task StartTlsServerAsync(SslServerAuthenticationOptions options, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Becomes a TLS client on this connection. Everything read but not consumed so far is thrown away.</summary>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The handshake failed, or the certificate is not the peer's.</exception>
    public Task StartTlsClientAsync(SslClientAuthenticationOptions options, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Connects to <paramref name="endPoint"/> with Nagle's algorithm off.</summary>
    /// <exception cref="SocketException">The peer cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token fired first: the caller's time-out.</exception>
    public static Task<Connection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Closes at once, in the middle of anything, from any thread; pending reads and writes end.</summary>
    public void Abort() => throw new NotImplementedException();

    /// <summary>Flushes nothing: completes the pipes, says TLS close_notify where it can within a moment, closes the socket.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
