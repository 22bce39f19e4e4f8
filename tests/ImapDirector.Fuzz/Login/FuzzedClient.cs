using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Text;
using ImapDirector.Network;
using Xunit;

namespace ImapDirector.Fuzz.Login;

/// <summary>A client of a director, and the session that serves it.</summary>
internal sealed class FuzzedClient(Socket socket, Connection server, Task session) : IDisposable
{
    private const nuint UnreadBytes = 0x541B;
    private const string StartTlsAnswer = "Begin TLS negotiation now.\r\n";
    // Far more than anything here takes: whoever is not done by then hangs.
    private const int PatienceMilliseconds = 60_000;
    private static readonly TimeSpan MostForPiece = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(5);

    // By number: a connection may be handed over meanwhile, and a socket that is being asked when it is closed ends its connection with a reset.
    private readonly int _served = (int)server.Socket.Handle;
    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly StringBuilder _clear = new();
    private readonly StringBuilder _encrypted = new();
    private bool _isAsked;
    private Stream _stream = new NetworkStream(socket) { ReadTimeout = PatienceMilliseconds, WriteTimeout = PatienceMilliseconds };

    /// <summary>What was answered in the clear, Latin-1.</summary>
    public string Clear => _clear.ToString();

    /// <summary>What was answered through TLS; <c>null</c> without.</summary>
    public string? Encrypted => IsSecure ? _encrypted.ToString() : null;

    private bool IsSecure => _stream is SslStream;

    /// <summary>Sends the pieces, each when the one before has been read where that does not take long.</summary>
    public void Send(IEnumerable<byte[]> pieces)
    {
        try
        {
            foreach (var piece in pieces)
            {
                _stream.Write(piece);
                var began = Stopwatch.GetTimestamp();
                while (IsUnread() && Stopwatch.GetElapsedTime(began) < MostForPiece) Thread.Yield();
            }
        }
        catch (IOException)
        {
            // The director has closed.
        }
    }

    /// <summary>Shakes hands where the director is ready for it.</summary>
    public void SecureIfAsked()
    {
        if (!IsAsked()) return;
        var tls = new SslStream(_stream, leaveInnerStreamOpen: true);
        try
        {
            tls.AuthenticateAsClient(new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = static (_, shown, _, _) => shown is not null });
            _stream = tls;
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException)
        {
            DemandPatience(failed);
            tls.Dispose();
        }
    }

    /// <summary>Says that nothing more comes, reads what is answered to the end, and waits for the end of the session.</summary>
    public void ReadToEnd()
    {
        Attempt(() =>
        {
            if (_stream is SslStream tls) tls.ShutdownAsync().GetAwaiter().GetResult();
            socket.Shutdown(SocketShutdown.Send);
        });
        // Also where the director has closed meanwhile: what it has said before that is still to be read.
        Attempt(() =>
        {
            while (Receive() > 0)
            {
            }
        });
        Assert.True(session.Wait(PatienceMilliseconds), "the session does not end");
    }

    public void Dispose()
    {
        _stream.Dispose();
        socket.Dispose();
    }

    private bool IsAsked()
    {
        var heardAt = Stopwatch.GetTimestamp();
        try
        {
            while (!_isAsked)
            {
                if (socket.Available > 0)
                {
                    Receive();
                    heardAt = Stopwatch.GetTimestamp();
                }
                else if (session.IsCompleted || (!IsUnread() && Stopwatch.GetElapsedTime(heardAt) > Quiet)) return false;
                else Thread.Yield();
            }
            return true;
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            return false;
        }
    }

    private int Receive()
    {
        var count = _stream.Read(_buffer);
        (IsSecure ? _encrypted : _clear).Append(Encoding.Latin1.GetString(_buffer, 0, count));
        _isAsked = Clear.EndsWith(StartTlsAnswer, StringComparison.Ordinal);
        return count;
    }

    private bool IsUnread() => !session.IsCompleted && Ask(_served, UnreadBytes, out var count) == 0 && count > 0;

    private static void Attempt(Action step)
    {
        try
        {
            step();
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            DemandPatience(closed);
        }
    }

    private static void DemandPatience(Exception failure) =>
        Assert.False(failure.InnerException is SocketException { SocketErrorCode: SocketError.TimedOut }, "the director does not answer, and does not close");

#pragma warning disable SYSLIB1054, CA5392 // Without unsafe code; libc is where it always is.
    [DllImport("libc", EntryPoint = "ioctl")]
    private static extern int Ask(int descriptor, nuint what, out int count);
#pragma warning restore SYSLIB1054, CA5392
}
