using System.Text;

namespace ImapDirector.Protocol.Sasl;

/// <summary>The first message of OAUTHBEARER (RFC 7628 section 3.1): <c>n,a=user,^Aauth=Bearer token^A^A</c>.</summary>
public static class BearerMessage
{
    private const byte Separator = 1;

    /// <summary>Writes it.</summary>
    /// <param name="user">The authorization identity; its alphabet needs no quoting.</param>
    /// <param name="token">The token, ASCII.</param>
    public static byte[] Write(UserName user, string token) => Encoding.ASCII.GetBytes($"n,a={user.Value},\u0001auth=Bearer {token}\u0001\u0001");

    /// <summary>Takes it apart. Other key-value pairs (<c>host</c>, <c>port</c>) are passed over.</summary>
    /// <param name="message">The decoded response.</param>
    /// <param name="identity">The authorization identity as it was written, empty when there is none.</param>
    /// <param name="token">The token, not empty.</param>
    /// <returns><c>false</c> when it is no such message.</returns>
    public static bool TryParse(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> identity, out ReadOnlySpan<byte> token)
    {
        identity = token = default;
        // Channel binding ("p=") is not for this mechanism (RFC 7628 section 3.1).
        if (!message.StartsWith("n,"u8) && !message.StartsWith("y,"u8)) return false;
        var rest = message[2..];
        var comma = rest.IndexOf((byte)',');
        if (comma < 0) return false;
        var name = rest[..comma];
        if (!name.IsEmpty && (!name.StartsWith("a="u8) || name.Length == 2)) return false;
        rest = rest[(comma + 1)..];
        if (rest.Length < 2 || rest[0] != Separator || rest[^1] != Separator) return false;
        rest = rest[1..];
        var found = ReadOnlySpan<byte>.Empty;
        while (rest is not [Separator])
        {
            var end = rest.IndexOf(Separator);
            if (end <= 0) return false;
            var pair = rest[..end];
            rest = rest[(end + 1)..];
            if (rest.IsEmpty) return false;
            if (!pair.StartsWith("auth="u8)) continue;
            var value = pair["auth=".Length..];
            if (!found.IsEmpty || value.Length <= 7 || !Ascii.EqualsIgnoreCase(value[..7], "Bearer "u8)) return false;
            found = value[7..];
        }
        if (found.IsEmpty) return false;
        identity = name.IsEmpty ? default : name[2..];
        token = found;
        return true;
    }
}
