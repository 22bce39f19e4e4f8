namespace ImapDirector.Protocol.Lmtp;

/// <summary>The parameters with which a sender asks for delivery status notifications (RFC 3461 section 4). They are taken where they are right, and nothing is
/// done about them: the server does not offer DSN, so whoever sent them here reports the delivery itself (RFC 3461 section 5.2.2).</summary>
internal static class DeliveryStatusParameters
{
    /// <summary>What has been given of a command's parameters.</summary>
    [Flags]
    public enum Given
    {
        None = 0,
        First = 1,
        Second = 2,
    }

    public const Given None = Given.None;

    private const int MaxEnvelopeId = 100;
    private const int MaxOriginalRecipient = 500;

    /// <summary>RET and ENVID of MAIL.</summary>
    /// <returns>Whether the parameter is right; <c>null</c> when it is another one.</returns>
    public static bool? OfMail(ReadOnlySpan<char> keyword, ReadOnlySpan<char> value, ref Given given)
    {
        if (keyword.Equals("RET", StringComparison.OrdinalIgnoreCase))
            return Once(ref given, Given.First) && (Is(value, "FULL") || Is(value, "HDRS"));
        if (keyword.Equals("ENVID", StringComparison.OrdinalIgnoreCase))
            return Once(ref given, Given.Second) && value.Length <= MaxEnvelopeId && IsXtext(value);
        return null;
    }

    /// <summary>NOTIFY and ORCPT of RCPT.</summary>
    /// <returns>Whether the parameter is right; <c>null</c> when it is another one.</returns>
    public static bool? OfRecipient(ReadOnlySpan<char> keyword, ReadOnlySpan<char> value, ref Given given)
    {
        if (keyword.Equals("NOTIFY", StringComparison.OrdinalIgnoreCase)) return Once(ref given, Given.First) && IsNotify(value);
        if (!keyword.Equals("ORCPT", StringComparison.OrdinalIgnoreCase)) return null;
        var semicolon = value.IndexOf(';');
        return Once(ref given, Given.Second) && semicolon > 0 && value.Length <= MaxOriginalRecipient && IsXtext(value[..semicolon]) && IsXtext(value[(semicolon + 1)..]);
    }

    private static bool IsNotify(ReadOnlySpan<char> value)
    {
        if (Is(value, "NEVER")) return true;
        var count = 0;
        foreach (var range in value.Split(','))
        {
            var one = value[range];
            if (++count > 3 || !(Is(one, "SUCCESS") || Is(one, "FAILURE") || Is(one, "DELAY"))) return false;
        }
        return true;
    }

    private static bool Once(ref Given given, Given one)
    {
        var isFirst = (given & one) == 0;
        given |= one;
        return isFirst;
    }

    private static bool Is(ReadOnlySpan<char> value, string expected) => value.Equals(expected, StringComparison.OrdinalIgnoreCase);

    /// <summary>RFC 3461 section 4: printable ASCII without <c>+</c> and <c>=</c>, and <c>+</c> with two digits of a number to the base of 16.</summary>
    private static bool IsXtext(ReadOnlySpan<char> value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] is <= ' ' or > '~' or '=') return false;
            if (value[i] != '+') continue;
            if (i + 2 >= value.Length || !char.IsAsciiHexDigitUpper(value[i + 1]) || !char.IsAsciiHexDigitUpper(value[i + 2])) return false;
            i += 2;
        }
        return !value.IsEmpty;
    }
}
