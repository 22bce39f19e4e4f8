using System.Runtime.InteropServices;
using ImapDirector.Network.Tls.OpenSsl;

namespace ImapDirector.Network.Polling;

/// <summary>A connected socket on a <see cref="PollLoop"/>: read from and written to without waiting. Its descriptor cannot become another connection's as long as
/// this is not disposed, whoever closes the socket. Where its connection has TLS (<see cref="Connection.IsDirect"/>), records are made and opened here, in a buffer of the
/// loop's, and on its thread alone.</summary>
/// <remarks>It is told once each time when more can be read, or written behind a refusal (EPOLLET of epoll(7)): whoever has it notes what is told, and reads until
/// <see cref="HasMore"/> says no.</remarks>
public sealed class LoopSocket : IDisposable
{
    /// <summary>As many bytes as fill TLS records and fit into <see cref="PollLoop.Buffer"/>.</summary>
    public const int BytesInFullRecords = PollLoop.BufferBytes / TlsEngine.MostInRecord * TlsEngine.MostInRecord;

    private readonly PollLoop _loop;
    private readonly SafeHandle _handle;
    private IPollTarget _target;
    private TlsSession? _tls;
    private ulong _id;
    private int _isHeld;
    private bool _mayBeReadable;
    private bool _isEnding;
    private bool _isClosedByPeer;
    // Whether OpenSSL has nothing left that it opened before, such as what came in one record with a command of the login.
    private bool _isEmptied;

    /// <summary>Holds a socket, which nobody may be waiting for.</summary>
    /// <param name="loop">Where it is to be watched.</param>
    /// <param name="handle">The socket.</param>
    /// <param name="target">Who is told of its events.</param>
    /// <exception cref="ObjectDisposedException">It is closed already.</exception>
    internal LoopSocket(PollLoop loop, SafeHandle handle, IPollTarget target)
    {
        (_loop, _target, _handle) = (loop, target, handle);
        var isHeld = false;
        _handle.DangerousAddRef(ref isHeld);
        _isHeld = 1;
        Descriptor = (int)_handle.DangerousGetHandle();
    }

    /// <summary>Takes a connection over, which must be <see cref="Connection.IsDirect"/> and on a loop: nobody may be reading or writing, and nobody reads from its stream any more.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="target">Who is told of its events, once <see cref="Begin"/> has been called.</param>
    /// <exception cref="ObjectDisposedException">It is closed already.</exception>
    public static LoopSocket TakeOver(Connection connection, IPollTarget target)
    {
        var socket = connection.HandOver(target);
        socket._tls = connection.Session;
        return socket;
    }

    /// <summary>Its loop.</summary>
    internal PollLoop Loop => _loop;

    /// <summary>Its number.</summary>
    public int Descriptor { get; }

    /// <summary>Begins to be watched; from any thread.</summary>
    /// <exception cref="IOException">The system refuses, or the loop has ended.</exception>
    internal void Watch() => _id = _loop.Add(_target, PollEvents.Readable | PollEvents.Writable | PollEvents.ReadHangUp | PollEvents.EdgeTriggered);

    /// <summary>Whoever has taken a connection over is told of its events from here on; on the loop's thread. What was told before them is known here.</summary>
    /// <returns><c>false</c> when the loop has given it up: nothing will be told.</returns>
    public bool Begin()
    {
        if (_loop.Retarget(_id, _target) is not LoopStream before) return false;
        (_mayBeReadable, _isEnding, IsLost) = (before.MayHaveMore, before.IsEnding, before.IsLost);
        return true;
    }

    /// <summary>Prepares to have somebody else told of its events.</summary>
    internal void Retarget(IPollTarget target) => _target = target;

    /// <summary>Takes note of what has been told.</summary>
    public void Note(PollEvents events)
    {
        if ((events & (PollEvents.Error | PollEvents.HangUp)) != 0) IsLost = true;
        if (IsLost || (events & PollEvents.ReadHangUp) != 0) _isEnding = true;
        if (_isEnding || (events & PollEvents.Readable) != 0) _mayBeReadable = true;
    }

    /// <summary>Whether it has been told that the peer sends nothing more: what is there is the last.</summary>
    public bool IsEnding => _isEnding;

    /// <summary>Whether bytes go through as they are, so that the kernel can pass them on by itself.</summary>
    public bool IsPlain => _tls is null;

    /// <summary>Whether it has been told that nothing is taken there any more.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Whether there may be something to be received, of which nothing more will be told.</summary>
    public bool HasMore => _mayBeReadable || HasOpened;

    // Bytes of records that have been received, or their end.
    private bool HasOpened => _isClosedByPeer || (_tls is not null && (!_isEmptied || _tls.HasReceived));

    /// <summary>Whether something that was taken waits to be sent: nothing more is taken before <see cref="SendRest"/> has sent it.</summary>
    public bool HasUnsent => _tls?.HasUnsent == true;

    /// <summary>Reads what is there.</summary>
    /// <param name="buffer">Room for it, as much as <see cref="BytesInFullRecords"/> or more.</param>
    /// <param name="isAll">Whether it was most likely all.</param>
    /// <returns>A count, 0 at the end of the stream, or the error number below zero.</returns>
    public int Receive(Span<byte> buffer, out bool isAll)
    {
        if (_tls is not null) return ReceiveRecords(_tls, buffer, out isAll);
        var count = LinuxCalls.Receive(Descriptor, buffer);
        isAll = NoteReceived(count, buffer.Length);
        return count;
    }

    /// <summary>Moves what is there into a pipe, which must be empty; without TLS.</summary>
    /// <returns>A count, 0 at the end of the stream, or the error number below zero.</returns>
    public int ReceiveInto(SplicePipe pipe, int most)
    {
        var count = pipe.Fill(Descriptor, most);
        // A pipe may be full of few bytes.
        if (WouldBlock(count)) _mayBeReadable = false;
        return count;
    }

    /// <summary>Writes as much as it takes; what it has taken goes, with TLS, when <see cref="HasUnsent"/> says no more.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="endFollows">Whether the connection's end (<see cref="Connection.CloseSendingAsync()"/>) follows at once, so that they may go together with it.</param>
    /// <returns>A count, or the error number below zero.</returns>
    public int Send(ReadOnlySpan<byte> bytes, bool endFollows = false) => _tls is null ? LinuxCalls.Send(Descriptor, bytes, endFollows) : SendRecords(_tls, bytes, endFollows);

    /// <summary>Goes on to send what waits.</summary>
    /// <returns>Above zero when nothing waits any more, or the error number below zero.</returns>
    public int SendRest()
    {
        if (_tls is null || !_tls.HasUnsent) return 1;
        if (!_tls.TryTakeTurn()) return -LinuxCalls.WouldBlock;
        try
        {
            return _tls.SendUnsent(this);
        }
        finally
        {
            _tls.EndTurn();
        }
    }

    /// <summary>Says, where there is TLS, that nothing more will come, before the connection's end (<see cref="Connection.CloseSendingAsync()"/>) does: here, where it can wait (<see cref="HasUnsent"/>) for a peer that is slow to take it.</summary>
    public void SayEnd()
    {
        if (_tls is null || !_tls.TryTakeTurn()) return;
        try
        {
            if (_tls.TryClose()) _ = _tls.SendUnsent(this, endFollows: true);
        }
        finally
        {
            _tls.EndTurn();
        }
    }

    /// <summary>Writes bytes as they are, as much of them as it takes; from any thread, also when this is disposed of meanwhile.</summary>
    internal int SendPlain(ReadOnlySpan<byte> bytes, bool endFollows = false)
    {
        try
        {
            using var held = new HeldDescriptor(_handle);
            return LinuxCalls.Send(held.Descriptor, bytes, endFollows);
        }
        catch (ObjectDisposedException)
        {
            return -LinuxCalls.BadDescriptor;
        }
    }

    /// <summary>Reads bytes as they are; from any thread, also when this is disposed of meanwhile.</summary>
    internal int ReceivePlain(Span<byte> buffer)
    {
        try
        {
            using var held = new HeldDescriptor(_handle);
            return LinuxCalls.Receive(held.Descriptor, buffer);
        }
        catch (ObjectDisposedException)
        {
            return -LinuxCalls.BadDescriptor;
        }
    }

    /// <summary>Whether a result says that it has to be waited for.</summary>
    public static bool WouldBlock(int result) => result == -LinuxCalls.WouldBlock;

    /// <summary>Whether a result says that it is to be tried again at once.</summary>
    public static bool WasInterrupted(int result) => result == -LinuxCalls.Interrupted;

    /// <summary>Ends the watch and lets the socket go; from any thread, as long as nobody reads or writes.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isHeld, 0) == 0) return;
        if (_id != 0) _loop.Remove(_id, Descriptor);
        _handle.DangerousRelease();
    }

    private int ReceiveRecords(TlsSession tls, Span<byte> buffer, out bool isAll)
    {
        isAll = true;
        if (_isClosedByPeer) return 0;
        var hasWaited = tls.HasUnsent;
        TlsStep step;
        int count;
        if (HasOpened)
        {
            // What the login read beyond its own lines, opened or not.
            step = tls.Read(buffer, out count);
            _isEmptied = count == 0;
        }
        else
        {
            // What comes out is no more than what goes in, but for a record whose beginning is in already.
            var records = _loop.Records.AsSpan(0, buffer.Length - TlsEngine.MostInRecord);
            var received = LinuxCalls.Receive(Descriptor, records);
            isAll = NoteReceived(received, records.Length);
            if (received <= 0) return received;
            step = tls.ReadRecords(records[..received], buffer, out count);
        }
        // Answers to the peer: what the kernel does not take waits. Where something waits already, whoever waits for it is told when it can go, and has to see that it does.
        if (!hasWaited && tls.HasUnsent && SendRest() is < 0 and var error && !WouldBlock(error)) return error;
        if (step == TlsStep.Failed) return -LinuxCalls.ProtocolError;
        _isClosedByPeer = step == TlsStep.Closed;
        if (count > 0 || _isClosedByPeer) return count;
        return -LinuxCalls.WouldBlock;
    }

    /// <returns>Whether it was all: a full buffer promises more, and behind the last bytes comes their end, of which nothing is told any more (epoll(7)).</returns>
    private bool NoteReceived(int count, int most)
    {
        if (WasInterrupted(count) || count == most) return false;
        if (!_isEnding || count < 0) _mayBeReadable = false;
        return true;
    }

    private int SendRecords(TlsSession tls, ReadOnlySpan<byte> bytes, bool endFollows)
    {
        if (!tls.TryTakeTurn()) return -LinuxCalls.WouldBlock;
        try
        {
            var rest = tls.SendUnsent(this);
            if (rest <= 0) return rest;
            var written = tls.WriteRecords(bytes, _loop.Records);
            if (written.Step == TlsStep.Failed) return -LinuxCalls.ProtocolError;
            var records = _loop.Records.AsSpan(0, written.Produced);
            while (!records.IsEmpty)
            {
                var sent = LinuxCalls.Send(Descriptor, records, endFollows);
                if (WasInterrupted(sent)) continue;
                if (sent < 0 && !WouldBlock(sent)) return sent;
                if (sent < 0) break;
                records = records[sent..];
            }
            tls.Keep(records);
            return written.Taken;
        }
        finally
        {
            tls.EndTurn();
        }
    }
}
