using System.Net;
using System.Net.Sockets;

namespace ImapDirector.Network;

/// <summary>What one stranger can be taken to have: an IPv4 address, or a whole network of IPv6 ones, any of which they can come from.</summary>
public static class ClientNetwork
{
    /// <summary>The address that stands for the network; an IPv4 address stands for itself, also where it came on an IPv6 socket.</summary>
    /// <param name="address">The client's.</param>
    /// <param name="ipv6PrefixBytes">How much of an IPv6 address counts, 1 to 16 bytes.</param>
    public static IPAddress Of(IPAddress address, int ipv6PrefixBytes)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[ipv6PrefixBytes..].Clear();
        return new IPAddress(bytes);
    }
}
