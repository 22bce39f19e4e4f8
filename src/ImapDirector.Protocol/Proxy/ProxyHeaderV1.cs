using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImapDirector.Protocol.Proxy;

/// <summary>Version 1: a line of text, <c>PROXY TCP4 source destination port port CRLF</c> (section 2.1 of HAProxy's specification).</summary>
internal static class ProxyHeaderV1
{
    /// <summary>The longest line, with its CRLF, in bytes.</summary>
    public const int MaxLength = 107;

    private static readonly SearchValues<char> IPv6Chars = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <param name="begin">The connection's first bytes.</param>
    /// <param name="header">The header, once it is whole.</param>
    /// <param name="length">Its length in bytes.</param>
    public static ProxyHeaderFound Find(ReadOnlySpan<byte> begin, out ProxyHeader? header, out int length)
    {
        (header, length) = (null, 0);
        if (!ProxyHeader.IsBeginOf(begin, "PROXY "u8)) return ProxyHeaderFound.None;
        begin = begin[..Math.Min(begin.Length, MaxLength)];
        var end = begin.IndexOf((byte)'\n');
        if (end < 0) return begin.Length < MaxLength ? ProxyHeaderFound.More : ProxyHeaderFound.None;
        if (begin[end - 1] != '\r') return ProxyHeaderFound.None;
        length = end + 1;
        header = Parse(begin[..(end - 1)]);
        return header is null ? ProxyHeaderFound.None : ProxyHeaderFound.Header;
    }

    private static ProxyHeader? Parse(ReadOnlySpan<byte> line)
    {
        var words = Encoding.Latin1.GetString(line).Split(' ');
        // What follows UNKNOWN is to be ignored.
        if (words[1] == "UNKNOWN") return ProxyHeader.Unknown;
        if (words.Length != 6) return null;
        AddressFamily? family = words[1] switch
        {
            "TCP4" => AddressFamily.InterNetwork,
            "TCP6" => AddressFamily.InterNetworkV6,
            _ => null,
        };
        return family is { } known
            && Address(words[2], known) is { } source && Address(words[3], known) is { } destination
            && Port(words[4]) is { } sourcePort && Port(words[5]) is { } destinationPort
            ? new ProxyHeader(new IPEndPoint(source, sourcePort), new IPEndPoint(destination, destinationPort))
            : null;
    }

    // The framework's parser also takes 0x7f.1, [::1]:80 and scopes, none of which a balancer writes.
    private static IPAddress? Address(string text, AddressFamily family)
    {
        var isPlain = family == AddressFamily.InterNetwork ? IsDottedQuad(text) : !text.AsSpan().ContainsAnyExcept(IPv6Chars);
        return isPlain && IPAddress.TryParse(text, out var address) && address.AddressFamily == family ? address : null;
    }

    private static bool IsDottedQuad(string text) =>
        text.Split('.') is { Length: 4 } parts && Array.TrueForAll(parts, static part => Number(part, byte.MaxValue) is not null);

    private static int? Port(string text) => Number(text, IPEndPoint.MaxPort);

    private static int? Number(string text, int most) =>
        text.Length is >= 1 and <= 5 && (text.Length == 1 || text[0] != '0')
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= most ? value : null;
}
