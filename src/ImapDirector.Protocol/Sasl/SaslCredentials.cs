using System.Buffers;
using System.Buffers.Text;

namespace ImapDirector.Protocol.Sasl;

/// <summary>Takes SASL responses apart. Total on any input; works in the buffer it is given, so that no copy of a password is left behind.</summary>
public static class SaslCredentials
{
    /// <summary>Decodes base64 (RFC 4648 section 4) in place: no white space, padded, nothing after the padding. <c>=</c> alone is an
    /// empty response (RFC 4959 section 3).</summary>
    /// <param name="base64">The response as it came; overwritten.</param>
    /// <param name="response">The decoded response, a part of <paramref name="base64"/>.</param>
    /// <returns><c>false</c> when it is none.</returns>
    public static bool TryDecode(Span<byte> base64, out Span<byte> response)
    {
        response = default;
        if (base64 is [(byte)'=']) return true;
        // The decoder would skip white space, which has no place in a response line.
        if (base64.IndexOfAny(" \t\r\n"u8) >= 0) return false;
        if (Base64.DecodeFromUtf8InPlace(base64, out var length) != OperationStatus.Done) return false;
        response = base64[..length];
        return true;
    }

    /// <summary>Splits a PLAIN message (RFC 4616 section 2): authorization identity, name and password between NULs.</summary>
    /// <param name="message">The decoded response.</param>
    /// <param name="identity">The authorization identity, most often empty.</param>
    /// <param name="user">The name, not empty.</param>
    /// <param name="password">The password, not empty.</param>
    /// <returns><c>false</c> when it is no such message.</returns>
    public static bool TrySplitPlain(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> identity, out ReadOnlySpan<byte> user, out ReadOnlySpan<byte> password)
    {
        identity = user = password = default;
        var first = message.IndexOf((byte)0);
        if (first < 0) return false;
        var rest = message[(first + 1)..];
        var second = rest.IndexOf((byte)0);
        if (second <= 0 || second == rest.Length - 1 || rest[(second + 1)..].Contains((byte)0)) return false;
        identity = message[..first];
        user = rest[..second];
        password = rest[(second + 1)..];
        return true;
    }
}
