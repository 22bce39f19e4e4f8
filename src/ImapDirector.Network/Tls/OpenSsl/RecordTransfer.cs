using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>The two buffers between OpenSSL and the network during one call of it: records that came, and room for records that are to go.</summary>
/// <remarks>
/// OpenSSL reads and writes through a BIO of ours, which finds the transfer of the call that is under way on its thread. The pointers are those of the
/// caller's pinned spans, set for the time of that call alone, and each copy is checked against what is left of them.
/// </remarks>
internal unsafe struct RecordTransfer
{
    [ThreadStatic]
    private static RecordTransfer* Current;

    private static readonly nint Method = NewMethod();

    private byte* _received;
    private int _receivedLeft;
    private byte* _toSend;
    private int _roomLeft;
    private int _produced;

    /// <summary>Records not looked at yet, in bytes.</summary>
    public readonly int ReceivedLeft => _receivedLeft;

    /// <summary>Bytes that are to be sent.</summary>
    public readonly int Produced => _produced;

    /// <summary>Makes the BIO of a connection.</summary>
    /// <returns>0 when there is no memory for it.</returns>
    public static nint NewBio()
    {
        var bio = OpenSslCalls.BIO_new(Method);
        if (bio != 0) OpenSslCalls.BIO_set_init(bio, 1);
        return bio;
    }

    /// <summary>Begins a transfer, on this thread; the pointers must stay valid until <see cref="End"/>.</summary>
    public static void Begin(RecordTransfer* transfer, byte* received, int receivedCount, byte* toSend, int room)
    {
        *transfer = new RecordTransfer { _received = received, _receivedLeft = receivedCount, _toSend = toSend, _roomLeft = room };
        Current = transfer;
    }

    /// <summary>Ends it: from here on OpenSSL finds nothing to read and no room.</summary>
    public static void End() => Current = null;

    private static nint NewMethod()
    {
        fixed (byte* name = "ImapDirector\0"u8)
        {
            // Lives as long as the process; the name is a constant of the program's image.
            var method = OpenSslCalls.BIO_meth_new(OpenSslCalls.BioSourceSink, name);
            if (method == 0 || OpenSslCalls.BIO_meth_set_read(method, &Read) == 0 || OpenSslCalls.BIO_meth_set_write(method, &Write) == 0
                || OpenSslCalls.BIO_meth_set_ctrl(method, &Control) == 0) throw new InvalidOperationException("OpenSSL gives no BIO method.");
            return method;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(nint bio, byte* to, int count)
    {
        OpenSslCalls.BIO_clear_flags(bio, OpenSslCalls.BioRetryFlags);
        var transfer = Current;
        if (transfer is null || transfer->_receivedLeft == 0)
        {
            OpenSslCalls.BIO_set_flags(bio, OpenSslCalls.BioRetryRead);
            return -1;
        }
        var length = Math.Min(count, transfer->_receivedLeft);
        if (length <= 0) return 0;
        Unsafe.CopyBlockUnaligned(to, transfer->_received, (uint)length);
        transfer->_received += length;
        transfer->_receivedLeft -= length;
        return length;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(nint bio, byte* from, int count)
    {
        OpenSslCalls.BIO_clear_flags(bio, OpenSslCalls.BioRetryFlags);
        var transfer = Current;
        if (transfer is null || transfer->_roomLeft == 0)
        {
            OpenSslCalls.BIO_set_flags(bio, OpenSslCalls.BioRetryWrite);
            return -1;
        }
        var length = Math.Min(count, transfer->_roomLeft);
        if (length <= 0) return 0;
        Unsafe.CopyBlockUnaligned(transfer->_toSend, from, (uint)length);
        transfer->_toSend += length;
        transfer->_roomLeft -= length;
        transfer->_produced += length;
        return length;
    }

    // Flushing has nothing to do; it knows nothing else.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static CLong Control(nint bio, int command, CLong number, nint pointer) => new(command == OpenSslCalls.BioFlush ? 1 : 0);
}
