using System.Net;

namespace ImapDirector.Director;

/// <summary>Addresses as lists of networks see them: an IPv4 client on an IPv6 socket is an IPv4 client.</summary>
internal static class AddressList
{
    /// <summary>Whether one of the networks holds the address.</summary>
    public static bool Contains(IReadOnlyList<IPNetwork> networks, IPAddress address)
    {
        var unmapped = address.Unmapped();
        foreach (var network in networks)
            if (network.Contains(unmapped)) return true;
        return false;
    }

    /// <summary>The address without the wrapping of a dual-stack socket.</summary>
    public static IPAddress Unmapped(this IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
