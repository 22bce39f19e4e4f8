using System.Buffers;
using System.Buffers.Text;

namespace ImapDirector.Director.Login;

/// <summary>Takes SASL responses apart. Total on any input; works in the buffer it is given.</summary>
internal static class SaslCredentials
{
    /// <summary>Decodes base64 (RFC 4648 section 4, no white space) in place; <c>=</c> alone is an empty response (RFC 4959).</summary>
    /// <returns><c>false</c> when it is none.</returns>
    public static bool TryDecode(Memory<byte> base64, out Memory<byte> response)
    {
        response = default;
        if (base64.Span is [(byte)'=']) return true;
        // The decoder would skip white space, which has no place in a response line.
        if (base64.Span.IndexOfAny(" \t\r\n"u8) >= 0) return false;
        if (Base64.DecodeFromUtf8InPlace(base64.Span, out var length) != OperationStatus.Done) return false;
        response = base64[..length];
        return true;
    }

    /// <summary>Splits a PLAIN message (RFC 4616): authorization identity, name and password between NULs.</summary>
    /// <param name="message">The decoded response.</param>
    /// <param name="identity">The authorization identity, most often empty.</param>
    /// <param name="user">The name, not empty.</param>
    /// <param name="password">The password, not empty.</param>
    public static bool TrySplitPlain(ReadOnlySpan<byte> message, out byte[] identity, out byte[] user, out byte[] password)
    {
        (identity, user, password) = ([], [], []);
        var first = message.IndexOf((byte)0);
        if (first < 0) return false;
        var rest = message[(first + 1)..];
        var second = rest.IndexOf((byte)0);
        if (second <= 0 || second == rest.Length - 1 || rest[(second + 1)..].Contains((byte)0)) return false;
        (identity, user, password) = (message[..first].ToArray(), rest[..second].ToArray(), rest[(second + 1)..].ToArray());
        return true;
    }
}
