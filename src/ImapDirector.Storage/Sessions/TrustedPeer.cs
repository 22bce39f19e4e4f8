using System.Net;

namespace ImapDirector.Storage.Sessions;

/// <summary>Who may connect to a node: loopback, and the networks it was told of (limits B3, L7).</summary>
internal static class TrustedPeer
{
    public static bool IsAllowed(IPAddress address, IReadOnlyList<IPNetwork> trusted)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address)) return true;
        foreach (var network in trusted)
            if (network.Contains(address)) return true;
        return false;
    }

    public static bool IsLoopback(IPAddress address) =>
        IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
