using System.Net;

namespace ImapDirector.Network;

/// <summary>Addresses as lists of networks see them: an IPv4 client on an IPv6 socket is an IPv4 client.</summary>
public static class AddressList
{
    /// <summary>This machine's own addresses.</summary>
    public static IReadOnlyList<IPNetwork> Loopback { get; } = [new(IPAddress.Parse("127.0.0.0"), 8), new(IPAddress.IPv6Loopback, 128)];

    /// <summary>Whether one of the networks holds the address.</summary>
    public static bool Contains(IReadOnlyList<IPNetwork> networks, IPAddress address)
    {
        var unmapped = Unmapped(address);
        foreach (var network in networks)
            if (network.Contains(unmapped)) return true;
        return false;
    }

    /// <summary>Whether the address is this machine's own, or one of the networks holds it: who may speak to a port that is not for the Internet (limits B3, L7).</summary>
    public static bool IsTrusted(IReadOnlyList<IPNetwork> networks, IPAddress address) => IPAddress.IsLoopback(Unmapped(address)) || Contains(networks, address);

    private static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
