using System.Text;

namespace ImapDirector.Protocol.Sasl;

/// <summary>What a client says of channel binding (RFC 5802 section 6).</summary>
public enum ScramBinding
{
    /// <summary><c>n</c>: it does not support it.</summary>
    None,
    /// <summary><c>y</c>: it does, and thinks that the server does not.</summary>
    ServerLacksIt,
    /// <summary><c>p=…</c>: it uses it.</summary>
    Used,
}

/// <summary>The first message of a SCRAM client (RFC 5802 section 7).</summary>
/// <param name="Binding">What it says of channel binding.</param>
/// <param name="BindingName">The channel binding it uses, or <c>null</c>.</param>
/// <param name="Identity">Whom it asks to be, or empty.</param>
/// <param name="User">The name, UTF-8.</param>
/// <param name="Nonce">The client's part of the nonce.</param>
/// <param name="Header">The GS2 header.</param>
/// <param name="Bare">What is behind the header.</param>
public sealed record ScramClientFirst(ScramBinding Binding, string? BindingName, byte[] Identity, byte[] User, string Nonce, byte[] Header, byte[] Bare)
{
    private const int MaxNonce = 256;

    /// <summary>Takes the message apart. Total on any input.</summary>
    /// <returns><c>null</c> when it is none, or asks for an extension (<c>m=</c>), none of which is known.</returns>
    public static ScramClientFirst? TryParse(ReadOnlySpan<byte> message)
    {
        var first = message.IndexOf((byte)',');
        if (first < 0) return null;
        var second = message[(first + 1)..].IndexOf((byte)',');
        if (second < 0) return null;
        var flag = message[..first];
        var identity = message.Slice(first + 1, second);
        var bare = message[(first + second + 2)..];
        ScramBinding binding;
        string? bindingName = null;
        if (flag is [(byte)'n']) binding = ScramBinding.None;
        else if (flag is [(byte)'y']) binding = ScramBinding.ServerLacksIt;
        else if (flag.StartsWith("p="u8) && flag.Length > 2 && IsBindingName(flag[2..])) (binding, bindingName) = (ScramBinding.Used, Encoding.ASCII.GetString(flag[2..]));
        else return null;

        byte[] authorization = [];
        if (!identity.IsEmpty && (!identity.StartsWith("a="u8) || !TryDecodeName(identity[2..], out authorization))) return null;
        if (!bare.StartsWith("n="u8)) return null;
        var comma = bare.IndexOf((byte)',');
        if (comma < 0 || !TryDecodeName(bare[2..comma], out var user)) return null;
        var rest = bare[(comma + 1)..];
        if (!rest.StartsWith("r="u8)) return null;
        var end = rest.IndexOf((byte)',');
        var nonce = end < 0 ? rest[2..] : rest[2..end];
        return IsNonce(nonce)
            ? new ScramClientFirst(binding, bindingName, authorization, user, Encoding.ASCII.GetString(nonce), message[..(first + second + 2)].ToArray(), bare.ToArray())
            : null;
    }

    /// <summary>Whether this may be a nonce: printable ASCII without a comma, of bounded length.</summary>
    internal static bool IsNonce(ReadOnlySpan<byte> text) => text.Length is > 0 and <= 2 * MaxNonce && !text.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E) && !text.Contains((byte)',');

    private static bool IsBindingName(ReadOnlySpan<byte> text)
    {
        foreach (var letter in text)
            if (!char.IsAsciiLetterOrDigit((char)letter) && letter is not ((byte)'.' or (byte)'-')) return false;
        return text.Length <= 64;
    }

    // In a name "," is "=2C" and "=" is "=3D", and there is no other escape.
    private static bool TryDecodeName(ReadOnlySpan<byte> text, out byte[] name)
    {
        var decoded = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var letter = text[i];
            if (letter == '=')
            {
                if (text[i..].StartsWith("=2C"u8)) letter = (byte)',';
                else if (text[i..].StartsWith("=3D"u8)) letter = (byte)'=';
                else letter = 0;
                i += 2;
            }
            if (letter == 0)
            {
                name = [];
                return false;
            }
            decoded[length++] = letter;
        }
        name = decoded[..length];
        return length > 0;
    }
}
