using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Xunit;

namespace ImapDirector.Tests.Shared;

/// <summary>A fact about who comes from another address than loopback; reported as skipped on a machine that has none, and where a program is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class FactBesideLoopbackAttribute : FactAttribute
{
    public FactBesideLoopbackAttribute(params string[] programs) =>
        Skip = OwnAddress.Found is null ? "the machine has no IPv4 address besides loopback" : InstalledPrograms.ReasonToSkip(programs);
}

/// <summary>An address of this machine's that is not loopback: whoever connects to it comes from it.</summary>
public static class OwnAddress
{
    internal static readonly IPAddress? Found = NetworkInterface.GetAllNetworkInterfaces()
        .Where(static one => one.OperationalStatus == OperationalStatus.Up)
        .SelectMany(static one => one.GetIPProperties().UnicastAddresses)
        .Select(static one => one.Address)
        .FirstOrDefault(static one => one.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(one));

    public static IPAddress Value => Found ?? throw new InvalidOperationException("There is none.");

    /// <summary>The network of this address alone.</summary>
    public static IPNetwork Network => new(Value, 32);

    /// <summary>The network of the address beside it alone.</summary>
    public static IPNetwork NetworkBeside
    {
        get
        {
            var bytes = Value.GetAddressBytes();
            bytes[3] ^= 1;
            return new IPNetwork(new IPAddress(bytes), 32);
        }
    }

    /// <summary>A listener's port at this address.</summary>
    public static IPEndPoint At(IPEndPoint listening) => new(Value, listening.Port);
}
