using System.Net;
using ImapDirector.Operations.Https;
using static ImapDirector.Network.SettingRules;

namespace ImapDirector.Operations;

/// <summary>The bounds of <see cref="OperationsOptions"/>. A sentence for each setting outside them: the key, the value and the fix; never a secret.</summary>
internal static class OperationsOptionsRules
{
    private const int MostOperators = 256;
    private const int MostNameLetters = 256;

    public static IReadOnlyList<string> Check(OperationsOptions options)
    {
        var errors = new List<string>();
        CheckListener(options, errors);
        if (options.Https is { } https) CheckHttps(options, https, errors);
        CheckNames(options, errors);
        CheckNodes(options.Nodes, errors);
        return errors;
    }

    /// <summary>The part that also holds for nodes that come and go while the server runs.</summary>
    public static void CheckNodes(IReadOnlyDictionary<string, Uri> nodes, List<string> errors)
    {
        foreach (var (name, address) in nodes)
        {
            if (!IsName(name))
                errors.Add($"Nodes has the name \"{Shown(name)}\": {NameRule}.");
            else if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
                errors.Add($"Nodes:{name} is \"{Shown(address.OriginalString)}\": give the node's HTTP address, such as \"http://10.0.0.7:1180\".");
            else if (address.UserInfo.Length > 0)
                errors.Add($"Nodes:{name} has a user name or a password in it (the value is not shown): leave that out.");
            else if (address.PathAndQuery != "/" || address.Fragment.Length > 0)
                errors.Add($"Nodes:{name} is \"{Shown(address.OriginalString)}\": end it after the host and the port, such as \"{address.GetLeftPart(UriPartial.Authority)}\".");
        }
    }

    private static void CheckListener(OperationsOptions options, List<string> errors)
    {
        if (options.Http is null)
            errors.Add("Http is unset: give the address to listen on, such as \"127.0.0.1:1180\".");
        else if (!options.AllowRemoteHttp && !IPAddress.IsLoopback(options.Http.Address))
            errors.Add($"Http is \"{options.Http}\", which other machines may reach: listen on 127.0.0.1 or [::1], or set AllowRemoteHttp to true and guard the port.");
    }

    private static void CheckHttps(OperationsOptions options, HttpsOptions https, List<string> errors)
    {
        if (!options.AllowRemoteHttp && !https.Certificate.RequiresClients && !IPAddress.IsLoopback(https.EndPoint.Address))
            errors.Add($"Https:Address is \"{https.EndPoint}\", which other machines may reach: set Https:ClientCertificates, with Require as it is by default, or AllowRemoteHttp to true and guard the port.");
        if (https.Operators.Count > MostOperators) errors.Add($"Https:Operators names {https.Operators.Count}: give at most {MostOperators}.");
        if (https.Operators.Any(static name => name.Length is 0 or > MostNameLetters)) errors.Add($"Https:Operators has a name that is empty, or longer than {MostNameLetters} characters: write the names that certificates have, or \"{HttpsOptions.Anybody}\".");
    }

    private static void CheckNames(OperationsOptions options, List<string> errors)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Checks.Count; i++)
        {
            var name = options.Checks[i].Name;
            if (!IsName(name)) errors.Add($"Checks:{i}:Name is \"{Shown(name)}\": {NameRule}.");
            else if (!seen.Add(name)) errors.Add($"Checks:{i}:Name is \"{name}\", which another check has already: names must be unique.");
        }
    }
}
