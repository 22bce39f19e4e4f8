using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Network.Tls;
using Xunit;

namespace ImapDirector.Fuzz.Nodes;

/// <summary>A node's end of a connection, which says what it is told to and keeps what it hears.</summary>
internal sealed class HostileNode(Socket socket, Connection director, ServerCertificate certificate, Task dialogue) : IDisposable
{
    private const int PatienceMilliseconds = 60_000;
    // How long a director that is to be heard may take before the next piece comes all the same.
    private static readonly TimeSpan MostForPiece = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan MostForHello = TimeSpan.FromMilliseconds(20);
    // The same for one that has read all there is, and may have nothing to say to it.
    private static readonly TimeSpan MostForLine = TimeSpan.FromMilliseconds(1);

    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly StringBuilder _clear = new();
    private readonly StringBuilder _encrypted = new();
    private Stream _stream = new NetworkStream(socket) { ReadTimeout = PatienceMilliseconds, WriteTimeout = PatienceMilliseconds };

    /// <summary>What the director has said in the clear, Latin-1.</summary>
    public string Clear => _clear.ToString();

    /// <summary>What it has said through TLS; <c>null</c> without.</summary>
    public string? Encrypted => IsSecure ? _encrypted.ToString() : null;

    private bool IsSecure => _stream is SslStream;

    /// <summary>Says the pieces, and hears the director between each two of them.</summary>
    public void Say(IReadOnlyList<byte[]> pieces)
    {
        try
        {
            foreach (var (index, piece) in pieces.Index())
            {
                if (index > 0) Hear();
                _stream.Write(piece);
            }
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            // The director has had enough.
        }
    }

    /// <summary>Shakes hands where the director has asked for it.</summary>
    public void SecureIfAsked()
    {
        try
        {
            if (!Clear.EndsWith(" STARTTLS\r\n", StringComparison.Ordinal)) Hear();
            if (!Clear.EndsWith(" STARTTLS\r\n", StringComparison.Ordinal) || !IsSpokenTo()) return;
            var tls = new SslStream(_stream, leaveInnerStreamOpen: true);
            try
            {
                tls.AuthenticateAsServer(certificate.ServerOptions);
                _stream = tls;
            }
            catch (Exception failed) when (failed is AuthenticationException or IOException)
            {
                tls.Dispose();
            }
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            // As above.
        }
    }

    /// <summary>Says nothing more, hears the director to the end, and waits for it.</summary>
    public void End()
    {
        Attempt(() =>
        {
            if (_stream is SslStream tls) tls.ShutdownAsync().GetAwaiter().GetResult();
            socket.Shutdown(SocketShutdown.Send);
        });
        Attempt(() =>
        {
            while (Receive() > 0)
            {
            }
        });
        Assert.True(dialogue.Wait(PatienceMilliseconds), "the dialogue does not end");
    }

    public void Dispose()
    {
        _stream.Dispose();
        socket.Dispose();
    }

    private void Hear()
    {
        var (began, before) = (Stopwatch.GetTimestamp(), _clear.Length + _encrypted.Length);
        while (before == _clear.Length + _encrypted.Length && !dialogue.IsCompleted)
        {
            if (socket.Available > 0) Receive();
            else if (Stopwatch.GetElapsedTime(began) > (IsUnread() ? MostForPiece : MostForLine)) return;
            else Thread.Yield();
        }
    }

    private bool IsSpokenTo()
    {
        var began = Stopwatch.GetTimestamp();
        while (socket.Available == 0 && !dialogue.IsCompleted && Stopwatch.GetElapsedTime(began) < MostForHello) Thread.Yield();
        return socket.Available > 0;
    }

    private bool IsUnread()
    {
        try
        {
            return director.Socket.Available > 0;
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    private static void Attempt(Action step)
    {
        try
        {
            step();
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            Assert.False(closed.InnerException is SocketException { SocketErrorCode: SocketError.TimedOut }, "the director neither speaks nor closes");
        }
    }

    private int Receive()
    {
        var count = _stream.Read(_buffer);
        (IsSecure ? _encrypted : _clear).Append(Encoding.Latin1.GetString(_buffer, 0, count));
        return count;
    }
}
