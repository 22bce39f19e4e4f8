using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace ImapDirector.Protocol.Proxy;

/// <summary>Writes the header with which a proxy tells a server of its client: version 2 of the PROXY protocol (section 2.2 of HAProxy's specification).</summary>
public static class ProxyHeaderWriter
{
    /// <summary>Writes a header for a client's connection, or, without one, for one that the proxy makes for itself, such as a health check.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="source">The client's address and port; <c>null</c> for the proxy's own connection.</param>
    /// <param name="destination">The address and port that the client connected to; <c>null</c> with <paramref name="source"/>.</param>
    public static void Version2(IBufferWriter<byte> output, IPEndPoint? source, IPEndPoint? destination)
    {
        output.Write(ProxyHeaderV2.Signature);
        if (source is null || destination is null)
        {
            output.Write((ReadOnlySpan<byte>)[ProxyHeaderV2.Local, ProxyHeaderV2.Unspecified, 0, 0]);
            return;
        }
        // One family is said for both: where they differ both are written as IPv6.
        var isIPv4 = source.AddressFamily == AddressFamily.InterNetwork && destination.AddressFamily == AddressFamily.InterNetwork;
        var size = isIPv4 ? 4 : 16;
        var length = 2 * size + 4;
        output.Write((ReadOnlySpan<byte>)[ProxyHeaderV2.Proxy, isIPv4 ? ProxyHeaderV2.TcpOverIPv4 : ProxyHeaderV2.TcpOverIPv6, 0, (byte)length]);
        var rest = output.GetSpan(length)[..length];
        Write(source.Address, isIPv4, rest);
        Write(destination.Address, isIPv4, rest[size..]);
        BinaryPrimitives.WriteUInt16BigEndian(rest[(2 * size)..], (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(rest[(2 * size + 2)..], (ushort)destination.Port);
        output.Advance(length);
    }

    private static void Write(IPAddress address, bool isIPv4, Span<byte> target) =>
        (isIPv4 || address.AddressFamily == AddressFamily.InterNetworkV6 ? address : address.MapToIPv6()).TryWriteBytes(target, out _);
}
