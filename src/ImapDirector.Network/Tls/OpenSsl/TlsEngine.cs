using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>How a step of TLS ended.</summary>
internal enum TlsStep
{
    /// <summary>As far as it could go.</summary>
    Done,
    /// <summary>It needs more of what the peer sends.</summary>
    WantsMore,
    /// <summary>It needs more room for what is to be sent.</summary>
    WantsRoom,
    /// <summary>The peer has said that nothing more comes (close_notify).</summary>
    Closed,
    /// <summary>The connection cannot go on; <see cref="TlsEngine.Failure"/> says why.</summary>
    Failed,
}

/// <summary>What a step took and gave.</summary>
/// <param name="Step">How it ended.</param>
/// <param name="Taken">Bytes of what came, or of what was to be sent, that were taken.</param>
/// <param name="Plain">Bytes that were taken out of records.</param>
/// <param name="Produced">Bytes of records that are to be sent.</param>
internal readonly record struct TlsProgress(TlsStep Step, int Taken, int Plain, int Produced);

/// <summary>The server's side of one TLS connection, without any I/O: records that came go in, records that are to be sent come out. One call at a time, from
/// whichever thread: <see cref="TlsStream"/> sees to that.</summary>
internal sealed unsafe class TlsEngine : IDisposable
{
    /// <summary>The most that one record carries, in bytes.</summary>
    public const int MostInRecord = 16 * 1024;

    /// <summary>More than any record is longer than what it carries, with those that OpenSSL may put in front of it.</summary>
    public const int MostOverhead = 1024;

    // Changes of keys and the like cost us far more than their 27 bytes cost the peer. An honest one changes keys after some hundred MiB.
    private const int MostIdleRecords = 64;
    private const int BytesForAnIdleRecord = 64 * 1024;

    private readonly SslHandle _ssl;
    private readonly TlsContext _context;
    private bool _isBroken;
    private long _carried;
    private long _idleRecords;

    /// <summary>Begins; the handshake comes first.</summary>
    /// <exception cref="IOException">There is no memory for it.</exception>
    public TlsEngine(TlsContext context)
    {
        (_context, Shown) = (context, context.Certificate);
        _ssl = new SslHandle(OpenSslCalls.SSL_new(context.Handle));
        var bio = _ssl.IsInvalid ? 0 : RecordTransfer.NewBio();
        if (bio == 0)
        {
            _ssl.Dispose();
            throw new IOException("OpenSSL gives no connection: " + OpenSslCalls.LastReason());
        }
        // It owns the one BIO for both directions.
        OpenSslCalls.SSL_set_bio(Ssl, bio, bio);
        OpenSslCalls.SSL_set_accept_state(Ssl);
    }

    /// <summary>The certificate that the client is shown.</summary>
    public ShownCertificate Shown { get; private set; }

    /// <summary>Why it cannot go on.</summary>
    public string? Failure { get; private set; }

    /// <summary>Whether the handshake was cut short by a ticket.</summary>
    public bool IsResumed => IsUsable && OpenSslCalls.SSL_session_reused(Ssl) == 1;

    // Only while it is usable, and by one call at a time: nobody can release it then.
    internal nint Ssl => _ssl.DangerousGetHandle();

    private bool IsUsable => !_isBroken && !_ssl.IsClosed;

    /// <summary>Goes on with the handshake.</summary>
    /// <param name="received">What came.</param>
    /// <param name="toSend">Room for what is to be sent; also where it failed, as the peer is told why.</param>
    public TlsProgress Handshake(ReadOnlySpan<byte> received, Span<byte> toSend)
    {
        if (!IsUsable) return new TlsProgress(TlsStep.Failed, 0, 0, 0);
        RecordTransfer transfer;
        fixed (byte* from = received, to = toSend)
        {
            RecordTransfer.Begin(&transfer, from, received.Length, to, toSend.Length);
            OpenSslCalls.ERR_clear_error();
            (TlsChoice.Current, TlsChoice.Chosen, TlsStaple.Current) = (_context.Choice, null, Shown);
            var step = StepOf(OpenSslCalls.SSL_do_handshake(Ssl));
            Shown = TlsChoice.Chosen ?? Shown;
            // OpenSSL would keep it for as long as the connection lives.
            if (step == TlsStep.Done && Shown.Staple is not null) _ = OpenSslCalls.SSL_ctrl(Ssl, OpenSslCalls.SetStatusResponse, 0, 0);
            (TlsChoice.Current, TlsChoice.Chosen, TlsStaple.Current) = (null, null, null);
            RecordTransfer.End();
            return new TlsProgress(step, received.Length - transfer.ReceivedLeft, 0, transfer.Produced);
        }
    }

    /// <summary>Takes out of records what they carry. With no room for that, it only says whether there is something (<see cref="TlsStep.Done"/>).</summary>
    /// <param name="received">Records, or parts of them: all is taken, unless <paramref name="plain"/> is full before.</param>
    /// <param name="plain">Room for what they carry.</param>
    /// <param name="toSend">Room for what is to be sent in answer, such as of a change of keys.</param>
    /// <returns><see cref="TlsStep.Done"/> when the room is full, else <see cref="TlsStep.WantsMore"/>, <see cref="TlsStep.Closed"/> or
    /// <see cref="TlsStep.Failed"/>, with what there was before it.</returns>
    public TlsProgress Read(ReadOnlySpan<byte> received, Span<byte> plain, Span<byte> toSend)
    {
        if (!IsUsable) return new TlsProgress(TlsStep.Failed, 0, 0, 0);
        RecordTransfer transfer;
        var count = 0;
        fixed (byte* from = received, into = plain, to = toSend)
        {
            RecordTransfer.Begin(&transfer, from, received.Length, to, toSend.Length);
            var step = plain.IsEmpty ? Peek(&transfer) : TlsStep.Done;
            while (count < plain.Length)
            {
                OpenSslCalls.ERR_clear_error();
                var read = OpenSslCalls.SSL_read(Ssl, into + count, plain.Length - count);
                if (read <= 0)
                {
                    step = StepOf(read);
                    if (HasMetIdleRecord(step, &transfer) && !IsTooIdle(ref step)) continue;
                    break;
                }
                count += read;
                _carried += read;
                // A record that was not full is over: without more of them there is nothing to ask for.
                if (count < plain.Length && transfer.ReceivedLeft == 0)
                {
                    step = TlsStep.WantsMore;
                    break;
                }
            }
            RecordTransfer.End();
            // Its answers do not fit: the peer changes keys again and again and takes none of it.
            if (step == TlsStep.WantsRoom) step = Break("too many changes of keys");
            return new TlsProgress(step, received.Length - transfer.ReceivedLeft, count, transfer.Produced);
        }
    }

    /// <summary>Puts bytes into records, as many as there is room for: <see cref="MostInRecord"/> for each, and <see cref="MostOverhead"/>.</summary>
    /// <param name="plain">The bytes.</param>
    /// <param name="toSend">Room for the records.</param>
    public TlsProgress Write(ReadOnlySpan<byte> plain, Span<byte> toSend)
    {
        if (!IsUsable) return new TlsProgress(TlsStep.Failed, 0, 0, 0);
        RecordTransfer transfer;
        var taken = 0;
        var step = TlsStep.Done;
        fixed (byte* from = plain, to = toSend)
        {
            RecordTransfer.Begin(&transfer, null, 0, to, toSend.Length);
            while (taken < plain.Length)
            {
                var count = Math.Min(plain.Length - taken, MostInRecord);
                // A record that is begun must fit: OpenSSL would keep the rest of it.
                if (toSend.Length - transfer.Produced < count + MostOverhead)
                {
                    step = TlsStep.WantsRoom;
                    break;
                }
                OpenSslCalls.ERR_clear_error();
                var written = OpenSslCalls.SSL_write(Ssl, from + taken, count);
                if (written <= 0)
                {
                    step = StepOf(written);
                    // Without renegotiation it never has to wait for the peer.
                    if (step != TlsStep.Failed) step = Break("a record was not taken");
                    break;
                }
                taken += written;
            }
            RecordTransfer.End();
            return new TlsProgress(step, taken, 0, transfer.Produced);
        }
    }

    /// <summary>Says close_notify. What the peer still sends can be read.</summary>
    /// <param name="toSend">Room for it: <see cref="MostOverhead"/>.</param>
    public TlsProgress Close(Span<byte> toSend)
    {
        if (!IsUsable) return new TlsProgress(TlsStep.Failed, 0, 0, 0);
        RecordTransfer transfer;
        fixed (byte* to = toSend)
        {
            RecordTransfer.Begin(&transfer, null, 0, to, toSend.Length);
            OpenSslCalls.ERR_clear_error();
            var result = OpenSslCalls.SSL_shutdown(Ssl);
            RecordTransfer.End();
            return new TlsProgress(result < 0 ? Break(OpenSslCalls.LastReason()) : TlsStep.Done, 0, 0, transfer.Produced);
        }
    }

    /// <summary>The protocol's version: <c>1.3</c> or <c>1.2</c>, since no other is spoken.</summary>
    public string Version => OpenSslCalls.SSL_version(Ssl) >= OpenSslCalls.Tls13 ? "1.3" : "1.2";

    /// <summary>Key material that only the two ends know (RFC 5705).</summary>
    /// <param name="label">What it is for.</param>
    /// <param name="count">How many bytes.</param>
    /// <returns><c>null</c> below TLS 1.3, where another session could have the same (RFC 9266 section 4.2), and without a handshake.</returns>
    public byte[]? Export(ReadOnlySpan<byte> label, int count)
    {
        if (!IsUsable || OpenSslCalls.SSL_version(Ssl) < OpenSslCalls.Tls13) return null;
        var material = new byte[count];
        fixed (byte* name = label, to = material)
        {
            OpenSslCalls.ERR_clear_error();
            // With a context, and that is empty (RFC 9266 section 2).
            return OpenSslCalls.SSL_export_keying_material(Ssl, to, (nuint)count, name, (nuint)label.Length, name, 0, 1) == 1 ? material : null;
        }
    }

    /// <summary>The certificate that the client showed in this handshake, or in the one that it resumes.</summary>
    /// <param name="fault">What is wrong with its chain, or <c>null</c>. A text of OpenSSL's, never one of the client's.</param>
    /// <returns>It in DER; <c>null</c> where there is none.</returns>
    public byte[]? PeerCertificate(out string? fault)
    {
        fault = null;
        var certificate = IsUsable ? OpenSslCalls.SSL_get1_peer_certificate(Ssl) : 0;
        if (certificate == 0) return null;
        try
        {
            var result = OpenSslCalls.SSL_get_verify_result(Ssl);
            if (result.Value != OpenSslCalls.Verified) fault = Marshal.PtrToStringUTF8(OpenSslCalls.X509_verify_cert_error_string(result)) ?? "unknown reason";
            var encoded = new byte[Math.Max(0, OpenSslCalls.i2d_X509(certificate, null))];
            fixed (byte* first = encoded)
            {
                var to = first;
                if (encoded.Length == 0 || OpenSslCalls.i2d_X509(certificate, &to) != encoded.Length) fault ??= "it cannot be read";
            }
            return encoded;
        }
        finally
        {
            OpenSslCalls.X509_free(certificate);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _ssl.Dispose();

    private TlsStep Peek(RecordTransfer* transfer)
    {
        while (true)
        {
            byte one;
            OpenSslCalls.ERR_clear_error();
            var step = StepOf(OpenSslCalls.SSL_peek(Ssl, &one, 1));
            CryptographicOperations.ZeroMemory(new Span<byte>(&one, 1));
            if (!HasMetIdleRecord(step, transfer) || IsTooIdle(ref step)) return step;
        }
    }

    // OpenSSL comes back behind each record that carries nothing for us (TlsContext takes SSL_MODE_AUTO_RETRY away), and else only when it has taken all there is.
    private static bool HasMetIdleRecord(TlsStep step, RecordTransfer* transfer) => step == TlsStep.WantsMore && transfer->ReceivedLeft > 0;

    private bool IsTooIdle(ref TlsStep step)
    {
        if (++_idleRecords <= MostIdleRecords + _carried / BytesForAnIdleRecord) return false;
        step = Break("too many records that carry nothing");
        return true;
    }

    /// <summary>SSL_get_error(3), for a call that the error queue was emptied before.</summary>
    private TlsStep StepOf(int result) => result > 0 ? TlsStep.Done : OpenSslCalls.SSL_get_error(Ssl, result) switch
    {
        OpenSslCalls.ErrorWantRead => TlsStep.WantsMore,
        OpenSslCalls.ErrorWantWrite => TlsStep.WantsRoom,
        OpenSslCalls.ErrorZeroReturn => TlsStep.Closed,
        _ => Break(OpenSslCalls.LastReason()),
    };

    // After a fatal error no more calls may be made (SSL_get_error(3)).
    private TlsStep Break(string reason)
    {
        (_isBroken, Failure) = (true, reason);
        return TlsStep.Failed;
    }
}
