using System.Text;

namespace ImapDirector.Protocol.Sasl;

/// <summary>The message of XOAUTH2, as Google specified it: <c>user=name^Aauth=Bearer token^A^A</c>.</summary>
public static class XOAuth2Message
{
    /// <summary>Takes it apart. Total on any input.</summary>
    /// <param name="message">The decoded response.</param>
    /// <param name="user">The name, not empty.</param>
    /// <param name="token">The token, not empty.</param>
    /// <returns><c>false</c> when it is no such message.</returns>
    public static bool TryParse(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> user, out ReadOnlySpan<byte> token)
    {
        user = token = default;
        if (!message.StartsWith("user="u8) || !message.EndsWith("\u0001\u0001"u8)) return false;
        var name = message[5..];
        var end = name.IndexOf((byte)1);
        var rest = name[(end + 1)..];
        name = name[..end];
        const int scheme = 12;
        if (name.IsEmpty || rest.Length <= scheme + 2 || !rest.StartsWith("auth="u8) || !Ascii.EqualsIgnoreCase(rest[5..scheme], "Bearer "u8)) return false;
        var value = rest[scheme..^2];
        if (value.Contains((byte)1)) return false;
        user = name;
        token = value;
        return true;
    }
}
