using System.Net;

namespace ImapDirector.Director.Authentication;

/// <summary>What the extra fields of a passwd-file's line say of who may not log in. Those that restrict and are not understood let nobody in: they were written to keep somebody out.</summary>
/// <param name="IsDisabled">Whether logins are refused.</param>
/// <param name="Networks">From where alone they are not, or <c>null</c>.</param>
/// <param name="Unknown">The name of a field that was not understood, for which they are refused; or <c>null</c>.</param>
internal readonly record struct PasswdFileExtras(bool IsDisabled, IReadOnlyList<IPNetwork>? Networks, string? Unknown)
{
    private const string AllowNets = "allow_nets";
    // Of connections that have no address, such as those of Unix sockets. There are none here.
    private const string WithoutAddress = "local";
    private static readonly string[] Refusing = ["nologin", "nopassword", "noauthenticate", "fail", "user_disabled", "pass_expired", "expired"];

    /// <summary>Reads them.</summary>
    /// <param name="text">The eighth field of a line, and all that is behind it.</param>
    public static PasswdFileExtras Read(string text)
    {
        var extras = new PasswdFileExtras();
        foreach (var field in text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            var name = (equals < 0 ? field : field[..equals]).ToLowerInvariant();
            // It is there that counts, with Dovecot too: "nologin=no" is one.
            if (Refusing.Any(refusing => name.StartsWith(refusing, StringComparison.Ordinal))) extras = extras with { IsDisabled = true };
            else if (name == AllowNets && extras.Networks is null && TryNetworks(field[(equals + 1)..], out var networks)) extras = extras with { Networks = networks };
            else if (name.StartsWith("allow_", StringComparison.Ordinal) || name.StartsWith("deny", StringComparison.Ordinal)) extras = extras with { IsDisabled = true, Unknown = name };
        }
        return extras;
    }

    private static bool TryNetworks(string text, out List<IPNetwork> networks)
    {
        networks = [];
        foreach (var item in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (item == WithoutAddress) continue;
            if (TryNetwork(item, out var network)) networks.Add(network);
            else return false;
        }
        return true;
    }

    // Without a length it is one address; with one, what is behind it does not count, as with Dovecot.
    private static bool TryNetwork(string text, out IPNetwork network)
    {
        network = default;
        var parts = text.Split('/');
        if (parts.Length > 2 || !IPAddress.TryParse(parts[0], out var address)) return false;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        var length = bytes.Length * 8;
        if (parts.Length == 2 && !(int.TryParse(parts[1], System.Globalization.NumberStyles.None, null, out length) && length <= bytes.Length * 8)) return false;
        for (var bit = length; bit < bytes.Length * 8; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        network = new IPNetwork(new IPAddress(bytes), length);
        return true;
    }
}
