using System.Security.Authentication;
using ImapDirector.Network.Polling;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>A connection with TLS, on top of another stream.</summary>
/// <remarks>One read and one write at a time.</remarks>
internal sealed class TlsStream(Stream transport, TlsSession session) : WaitingStream
{
    // With what TLS adds, it fits into a pooled buffer of 64 KB.
    private const int MostInWrite = 3 * TlsEngine.MostInRecord;

    private bool _hasEnded;

    /// <summary>Shakes hands as the server.</summary>
    /// <param name="turns">Had for each step, and not while the peer is waited for.</param>
    /// <param name="cancellationToken">The caller's time-out.</param>
    /// <exception cref="AuthenticationException">It failed.</exception>
    /// <exception cref="IOException">The peer left in the middle of it.</exception>
    public async Task HandshakeAsync(HandshakeTurns turns, CancellationToken cancellationToken)
    {
        for (var step = TlsStep.WantsMore; step != TlsStep.Done;)
        {
            if (step == TlsStep.WantsMore && !await ReceiveAsync(cancellationToken)) throw new IOException("The peer left during the handshake.");
            // Others of a loop's are not to wait for the most expensive thing that there is.
            await PollLoop.LeaveAsync();
            await turns.EnterAsync(cancellationToken);
            try
            {
                step = session.Handshake();
            }
            finally
            {
                turns.Leave();
            }
            // What comes behind a handshake of TLS 1.3 is a ticket, which nobody waits for: it goes with our first words, or before we wait for the client's.
            if (session.HasUnsent && !(step == TlsStep.Done && session.Version == "1.3"))
            {
                // Also where it failed: the peer is told why.
                await session.TakeTurnAsync(cancellationToken);
                await SendUnsentAsync(cancellationToken);
            }
            if (step is not (TlsStep.Done or TlsStep.WantsMore or TlsStep.WantsRoom)) throw new AuthenticationException($"The handshake failed: {session.Failure}.");
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!_hasEnded)
        {
            var step = session.Read(buffer.Span, out var count);
            if (session.HasUnsent && session.TryTakeTurn()) await SendUnsentAsync(cancellationToken);
            if (count > 0 || step == TlsStep.Done) return count;
            if (step == TlsStep.Failed) throw Broken();
            _hasEnded = step == TlsStep.Closed || !await ReceiveAsync(cancellationToken);
        }
        return 0;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var count = Math.Min(buffer.Length, MostInWrite);
            await session.TakeTurnAsync(cancellationToken);
            var isWritten = session.TryWrite(buffer.Span[..count]);
            await SendUnsentAsync(cancellationToken);
            if (!isWritten) throw Broken();
            buffer = buffer[count..];
        }
    }

    /// <summary>Says that nothing more will come (close_notify).</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    public async Task ShutdownAsync()
    {
        await session.TakeTurnAsync(CancellationToken.None);
        var isClosed = session.TryClose();
        await SendUnsentAsync(CancellationToken.None);
        if (!isClosed) throw Broken();
    }

    // A silent peer is waited for without a buffer.
    private async ValueTask<bool> ReceiveAsync(CancellationToken cancellationToken)
    {
        if (!session.HasReceived) _ = await transport.ReadAsync(Memory<byte>.Empty, cancellationToken);
        var count = await transport.ReadAsync(session.RoomToReceive(), cancellationToken);
        session.AddReceived(count);
        return count > 0;
    }

    /// <summary>With the turn, which it gives back.</summary>
    private async ValueTask SendUnsentAsync(CancellationToken cancellationToken)
    {
        do
        {
            try
            {
                while (session.HasUnsent)
                {
                    var unsent = session.TakeUnsent();
                    await transport.WriteAsync(unsent.Memory, cancellationToken);
                    unsent.Clear();
                }
            }
            finally
            {
                session.EndTurn();
            }
            // What the other direction left behind after the last look.
        }
        while (session.HasUnsent && session.TryTakeTurn());
    }

    private IOException Broken() => new($"TLS failed: {session.Failure}.");
}
