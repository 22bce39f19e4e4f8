using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>The modified UTF-7 of RFC 3501 section 5.1.3. Each text has exactly one spelling, and only that one is read.</summary>
internal static class ModifiedUtf7
{
    private static ReadOnlySpan<byte> Alphabet => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"u8;

    /// <summary>Encodes <paramref name="text"/>, control characters included.</summary>
    public static byte[] Encode(ReadOnlySpan<char> text)
    {
        // A run of n UTF-16 units takes at most 2 + 8n/3 rounded up, so 5 bytes a unit is never too little.
        var output = new byte[checked(text.Length * 5)];
        var length = 0;
        for (var i = 0; i < text.Length;)
        {
            if (text[i] == '&')
            {
                output[length++] = (byte)'&';
                output[length++] = (byte)'-';
                i++;
            }
            else if (IsDirect(text[i]))
            {
                output[length++] = (byte)text[i++];
            }
            else
            {
                var start = i;
                while (i < text.Length && !IsDirect(text[i])) i++;
                length += EncodeRun(text[start..i], output.AsSpan(length));
            }
        }
        return output.AsSpan(0, length).ToArray();
    }

    /// <summary>Decodes <paramref name="encoded"/>.</summary>
    /// <returns><c>false</c> when it is no modified UTF-7, or not the one spelling of its text: a printable character in base64, two
    /// base64 runs in a row, bits left over, half a surrogate pair, a byte outside ASCII.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, out string text)
    {
        text = "";
        var decoded = new StringBuilder(encoded.Length);
        var afterRun = false;
        for (var i = 0; i < encoded.Length;)
        {
            var value = encoded[i];
            if (value != '&')
            {
                if (!Grammar.IsPrintable(value)) return false;
                decoded.Append((char)value);
                afterRun = false;
                i++;
                continue;
            }
            var end = encoded[i..].IndexOf((byte)'-');
            if (end < 0) return false;
            var run = encoded.Slice(i + 1, end - 1);
            if (run.IsEmpty)
            {
                decoded.Append('&');
                afterRun = false;
            }
            else
            {
                if (afterRun || !DecodeRun(run, decoded)) return false;
                afterRun = true;
            }
            i += end + 1;
        }
        text = decoded.ToString();
        return true;
    }

    private static bool IsDirect(char c) => c is >= ' ' and < '\x7F';

    private static int EncodeRun(ReadOnlySpan<char> run, Span<byte> output)
    {
        var length = 0;
        output[length++] = (byte)'&';
        uint bits = 0;
        var held = 0;
        foreach (var unit in run)
        {
            bits = (bits << 16) | unit;
            held += 16;
            for (; held >= 6; held -= 6) output[length++] = Alphabet[(int)(bits >> (held - 6)) & 0x3F];
        }
        if (held > 0) output[length++] = Alphabet[(int)(bits << (6 - held)) & 0x3F];
        output[length++] = (byte)'-';
        return length;
    }

    private static bool DecodeRun(ReadOnlySpan<byte> run, StringBuilder decoded)
    {
        uint bits = 0;
        var held = 0;
        var expectLow = false;
        foreach (var letter in run)
        {
            var value = Alphabet.IndexOf(letter);
            if (value < 0) return false;
            bits = (bits << 6) | (uint)value;
            held += 6;
            if (held < 16) continue;
            held -= 16;
            var unit = (char)(bits >> held);
            if (IsDirect(unit) || char.IsLowSurrogate(unit) != expectLow) return false;
            expectLow = char.IsHighSurrogate(unit);
            decoded.Append(unit);
        }
        // What is left must be padding: fewer bits than a letter has, all zero.
        return !expectLow && held < 6 && (bits & ((1u << held) - 1)) == 0;
    }
}
