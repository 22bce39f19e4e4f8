using System.Buffers.Binary;
using System.Net;

namespace ImapDirector.Protocol.Proxy;

/// <summary>Version 2: a signature, version and command, family and transport, a length, addresses and then TLVs, which are skipped
/// (section 2.2 of HAProxy's specification).</summary>
internal static class ProxyHeaderV2
{
    private const int FixedLength = 16;
    // What the specification asks every receiver to be ready for; balancers that send certificates in TLVs are to be told not to.
    private const int MaxRest = 536;

    /// <summary>The longest header, in bytes.</summary>
    public const int MaxLength = FixedLength + MaxRest;

    public const byte Local = 0x20;
    public const byte Proxy = 0x21;
    public const byte Unspecified = 0x00;
    public const byte TcpOverIPv4 = 0x11;
    public const byte TcpOverIPv6 = 0x21;

    /// <summary>The first 12 bytes, which no other protocol begins with.</summary>
    public static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <param name="begin">The connection's first bytes.</param>
    /// <param name="header">The header, once it is whole.</param>
    /// <param name="length">Its length in bytes.</param>
    public static ProxyHeaderFound Find(ReadOnlySpan<byte> begin, out ProxyHeader? header, out int length)
    {
        (header, length) = (null, 0);
        if (begin.Length < FixedLength) return ProxyHeaderFound.More;
        var rest = BinaryPrimitives.ReadUInt16BigEndian(begin[14..]);
        if (rest > MaxRest || begin[12] is not (Local or Proxy)) return ProxyHeaderFound.None;
        if (begin.Length < FixedLength + rest) return ProxyHeaderFound.More;
        length = FixedLength + rest;
        header = begin[12] == Local ? ProxyHeader.Unknown : Parse(begin[13], begin[FixedLength..length]);
        return header is null ? ProxyHeaderFound.None : ProxyHeaderFound.Header;
    }

    private static ProxyHeader? Parse(byte transport, ReadOnlySpan<byte> rest) => transport switch
    {
        Unspecified => ProxyHeader.Unknown,
        TcpOverIPv4 => Addresses(rest, 4),
        TcpOverIPv6 => Addresses(rest, 16),
        _ => null,
    };

    private static ProxyHeader? Addresses(ReadOnlySpan<byte> rest, int size)
    {
        if (rest.Length < 2 * size + 4) return null;
        var ports = rest[(2 * size)..];
        return new ProxyHeader(
            new IPEndPoint(new IPAddress(rest[..size]), BinaryPrimitives.ReadUInt16BigEndian(ports)),
            new IPEndPoint(new IPAddress(rest[size..(2 * size)]), BinaryPrimitives.ReadUInt16BigEndian(ports[2..])));
    }
}
