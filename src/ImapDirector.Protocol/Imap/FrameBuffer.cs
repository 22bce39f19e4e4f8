using System.Buffers;
using System.Security.Cryptography;

namespace ImapDirector.Protocol.Imap;

/// <summary>Bytes gathered from a stranger: grows with what has come, never with what was announced, holds nothing while empty, and is
/// wiped before its memory goes back (a frame may carry a password).</summary>
internal sealed class FrameBuffer
{
    private const int FirstSize = 512;

    private byte[] _bytes = [];

    /// <summary>How many bytes are held.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes held, until the next change.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    /// <summary>The bytes held, until the next change.</summary>
    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>Adds <paramref name="bytes"/>; the caller has checked its limit.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        var needed = Length + bytes.Length;
        if (needed > _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Max(FirstSize, _bytes.Length * 2)));
            Span.CopyTo(larger);
            GiveBack();
            _bytes = larger;
        }
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length = needed;
    }

    /// <summary>Forgets the bytes and gives the memory back.</summary>
    public void Clear()
    {
        GiveBack();
        _bytes = [];
        Length = 0;
    }

    private void GiveBack()
    {
        if (_bytes.Length == 0) return;
        CryptographicOperations.ZeroMemory(_bytes.AsSpan(0, Length));
        ArrayPool<byte>.Shared.Return(_bytes);
    }
}
