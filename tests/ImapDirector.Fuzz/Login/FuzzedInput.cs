namespace ImapDirector.Fuzz.Login;

/// <summary>What of the director's settings, and of where the client comes from, an input has chosen.</summary>
[Flags]
internal enum LoginMode
{
    TlsFirst = 0,
    /// <summary>Passwords may come in the clear.</summary>
    PlainText = 1,
    /// <summary>The client is a load balancer that sends a PROXY header.</summary>
    BehindProxy = 2,
    /// <summary>The client is a director in front.</summary>
    BehindDirector = 4,
    /// <summary>Handshakes are .NET's.</summary>
    ManagedTls = 8,
}

/// <summary>An input taken apart: a letter for the mode, what comes in the clear, and behind the first 0xFD what comes after a handshake. At each 0xFE a write ends.</summary>
internal sealed record FuzzedInput(LoginMode Mode, IReadOnlyList<byte[]> Before, IReadOnlyList<byte[]>? After)
{
    public const int MaxBytes = 64 * 1024;

    private const byte CutMark = 0xFE;
    private const byte HandshakeMark = 0xFD;
    private const int MostPieces = 16;

    public static FuzzedInput Of(byte[] input)
    {
        var rest = input.AsSpan(Math.Min(1, input.Length));
        var handshake = rest.IndexOf(HandshakeMark);
        return new FuzzedInput(
            (LoginMode)(input.Length == 0 ? 0 : input[0] & 15),
            Pieces(handshake < 0 ? rest : rest[..handshake]),
            handshake < 0 ? null : Pieces(rest[(handshake + 1)..]));
    }

    /// <summary>All the bytes of some pieces.</summary>
    public static byte[] Joined(IEnumerable<byte[]> pieces) => [.. pieces.SelectMany(static piece => piece)];

    /// <summary>The pieces, or where there is one alone, such as chance makes of it.</summary>
    public static IReadOnlyList<byte[]> Cut(IReadOnlyList<byte[]> pieces, Random random)
    {
        if (pieces is not [{ Length: > 1 } whole]) return pieces;
        var cut = new List<byte[]>();
        for (var from = 0; from < whole.Length;)
        {
            var to = cut.Count == MostPieces ? whole.Length : Math.Min(whole.Length, from + random.Next(1, 40));
            cut.Add(whole[from..to]);
            from = to;
        }
        return cut;
    }

    private static List<byte[]> Pieces(ReadOnlySpan<byte> bytes)
    {
        var pieces = new List<byte[]>();
        while (!bytes.IsEmpty)
        {
            var end = pieces.Count == MostPieces ? -1 : bytes.IndexOf(CutMark);
            var piece = end < 0 ? bytes : bytes[..end];
            bytes = bytes[(end < 0 ? piece.Length : end + 1)..];
            if (!piece.IsEmpty) pieces.Add([.. piece.ToArray().Where(static letter => letter is not (CutMark or HandshakeMark))]);
        }
        return pieces;
    }
}
