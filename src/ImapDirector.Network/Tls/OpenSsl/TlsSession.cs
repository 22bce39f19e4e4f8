using ImapDirector.Network.Polling;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>A TLS connection and the bytes that wait on either side of it. While nothing is under way it holds no buffer. <see cref="TlsStream"/> and
/// <see cref="LoopSocket"/> use it in turn: they bring what was received and send what is unsent.</summary>
internal sealed class TlsSession : IDisposable
{
    /// <summary>Room for what is received at once, in bytes.</summary>
    public const int ReceiveBytes = 32 * 1024;

    /// <summary>The most that is put into records at once, in bytes: what a loop reads at once.</summary>
    public const int MostInWrite = PollLoop.BufferBytes;

    /// <summary>Room for those records: full ones, and one for the rest.</summary>
    public const int RecordBytes = MostInWrite + (MostInWrite / TlsEngine.MostInRecord + 1) * TlsEngine.MostOverhead;

    /// <summary>The most bytes of a handshake that a client may send before it waits for an answer: a ClientHello, or its certificates. Today's have some 2 KiB, with
    /// post-quantum keys. OpenSSL would gather 128 KiB, and strangers have all the time of a handshake for the last byte of them.</summary>
    public const int MostUnanswered = 16 * 1024;

    // For a peer that takes nothing there is one write, and answers to its changes of keys.
    private const int MostUnsent = RecordBytes + 4 * TlsEngine.MostOverhead;

    // Locked by whoever uses it or the buffers: a lock of their own would be one more object for each idle session.
    private readonly TlsEngine _engine;
    // Records are sent in the order in which they were made: by whoever has it.
    private SendTurn _turn;
    private KeptBytes _received;
    private KeptBytes _unsent;
    private bool _hasClosed;
    private bool _isShaken;
    // Of the handshake, since our last answer.
    private int _unanswered;

    /// <summary>Begins; the handshake comes first.</summary>
    /// <exception cref="IOException">There is no memory for it.</exception>
    public TlsSession(TlsContext context)
    {
        _engine = new TlsEngine(context);
        _turn = new SendTurn(_engine);
    }

    /// <summary>Whether the handshake was cut short by a ticket.</summary>
    public bool IsResumed
    {
        get
        {
            lock (_engine) return _engine.IsResumed;
        }
    }

    /// <summary>The protocol's version, as <c>1.3</c>.</summary>
    public string Version
    {
        get
        {
            lock (_engine) return _engine.Version;
        }
    }

    /// <summary>Why it cannot go on.</summary>
    public string Failure => _engine.Failure ?? (!_isShaken && _unanswered == MostUnanswered ? $"{MostUnanswered} bytes have come, and there is no end to them" : "it is closed");

    /// <summary>Whether something was received that has not been looked at.</summary>
    public bool HasReceived => !_received.IsEmpty;

    /// <summary>Whether records wait to be sent.</summary>
    public bool HasUnsent => !_unsent.IsEmpty;

    /// <summary>As <see cref="TlsEngine.Export"/>.</summary>
    public byte[]? Export(ReadOnlySpan<byte> label, int count)
    {
        lock (_engine) return _engine.Export(label, count);
    }

    /// <summary>As <see cref="TlsEngine.Shown"/>.</summary>
    public ShownCertificate Shown
    {
        get
        {
            lock (_engine) return _engine.Shown;
        }
    }

    /// <summary>As <see cref="TlsEngine.PeerCertificate"/>.</summary>
    public byte[]? PeerCertificate(out string? fault)
    {
        lock (_engine) return _engine.PeerCertificate(out fault);
    }

    /// <summary>Room for what comes next; <see cref="AddReceived"/> says how much did.</summary>
    public Memory<byte> RoomToReceive()
    {
        var room = _received.Room(ReceiveBytes);
        return _isShaken ? room : room[..Math.Min(room.Length, MostUnanswered - _unanswered)];
    }

    /// <summary>Counts in what came.</summary>
    public void AddReceived(int count)
    {
        if (!_isShaken) _unanswered += count;
        _received.Fill(count);
    }

    /// <summary>Goes on with the handshake.</summary>
    public TlsStep Handshake()
    {
        lock (_engine)
        {
            var progress = _engine.Handshake(_received.Memory.Span, _unsent.Room(TlsEngine.MostInRecord).Span);
            _unsent.Fill(progress.Produced);
            _received.Take(progress.Taken);
            _isShaken = progress.Step == TlsStep.Done;
            if (progress.Produced > 0) _unanswered = 0;
            return progress.Step == TlsStep.WantsMore && _unanswered == MostUnanswered ? TlsStep.Failed : progress.Step;
        }
    }

    /// <summary>Takes out of what was received what it carries; without room for that it only says whether there is something.</summary>
    public TlsStep Read(Span<byte> plain, out int count)
    {
        lock (_engine)
        {
            var step = Read(_received.Memory.Span, plain, out count, out var taken);
            _received.Take(taken);
            return step;
        }
    }

    /// <summary>As above, of records that did not come through this session, and behind those that did.</summary>
    /// <param name="records">What came; all of it is taken.</param>
    /// <param name="plain">Room for what it carries, and for one record more.</param>
    /// <param name="count">How much that is.</param>
    public TlsStep ReadRecords(ReadOnlySpan<byte> records, Span<byte> plain, out int count)
    {
        lock (_engine) return Read(records, plain, out count, out _);
    }

    /// <summary>Puts bytes into records that wait to be sent then; with the turn.</summary>
    /// <returns>Whether it could.</returns>
    public bool TryWrite(ReadOnlySpan<byte> plain)
    {
        lock (_engine)
        {
            var records = plain.Length / TlsEngine.MostInRecord + 1;
            var progress = _engine.Write(plain, _unsent.Room(plain.Length + records * TlsEngine.MostOverhead).Span);
            _unsent.Fill(progress.Produced);
            return progress.Step == TlsStep.Done;
        }
    }

    /// <summary>As above, into a buffer of the caller's, which has to send them, or <see cref="Keep"/> the rest.</summary>
    /// <param name="plain">The bytes; as many of them are taken as there is room for.</param>
    /// <param name="records">Room for the records, <see cref="RecordBytes"/>.</param>
    public TlsProgress WriteRecords(ReadOnlySpan<byte> plain, Span<byte> records)
    {
        lock (_engine) return _engine.Write(plain, records);
    }

    /// <summary>Lets records wait; with the turn.</summary>
    public void Keep(ReadOnlySpan<byte> records)
    {
        lock (_engine) _unsent.Add(records);
    }

    /// <summary>Says close_notify, once, in a record that waits to be sent then; with the turn.</summary>
    /// <returns>Whether it could.</returns>
    public bool TryClose()
    {
        lock (_engine)
        {
            if (_hasClosed) return true;
            _hasClosed = true;
            var progress = _engine.Close(_unsent.Room(TlsEngine.MostOverhead).Span);
            _unsent.Fill(progress.Produced);
            return progress.Step == TlsStep.Done;
        }
    }

    /// <summary>Waits for the turn to send.</summary>
    public Task TakeTurnAsync(CancellationToken cancellationToken) => _turn.TakeAsync(cancellationToken);

    /// <summary>The turn to send, when nobody has it: who has it sends what others leave unsent as well.</summary>
    public bool TryTakeTurn() => _turn.TryTake();

    /// <summary>Gives the turn back.</summary>
    public void EndTurn() => _turn.End();

    /// <summary>What waits to be sent, in order; with the turn. It is the caller's then.</summary>
    public KeptBytes TakeUnsent()
    {
        lock (_engine)
        {
            var taken = _unsent;
            _unsent = default;
            return taken;
        }
    }

    /// <summary>Sends what waits, as far as the socket takes it; with the turn.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="endFollows">As <see cref="LoopSocket.Send"/> has it.</param>
    /// <returns>1 when nothing waits any more, else what the socket answered.</returns>
    public int SendUnsent(LoopSocket socket, bool endFollows = false)
    {
        lock (_engine)
        {
            while (!_unsent.IsEmpty)
            {
                var sent = socket.SendPlain(_unsent.Memory.Span, endFollows);
                if (LoopSocket.WasInterrupted(sent)) continue;
                if (sent <= 0) return sent;
                _unsent.Take(sent);
            }
            return 1;
        }
    }

    /// <summary>Ends it. Buffers that somebody may be at work with are left alone.</summary>
    public void Dispose()
    {
        lock (_engine)
        {
            _engine.Dispose();
            _received.Abandon();
            _unsent.Abandon();
        }
    }

    private TlsStep Read(ReadOnlySpan<byte> records, Span<byte> plain, out int count, out int taken)
    {
        Span<byte> answers = stackalloc byte[TlsEngine.MostOverhead];
        var progress = _engine.Read(records, plain, answers);
        (count, taken) = (progress.Plain, progress.Taken);
        if (progress.Produced == 0) return progress.Step;
        _unsent.Add(answers[..progress.Produced]);
        return _unsent.Count > MostUnsent ? TlsStep.Failed : progress.Step;
    }
}
