using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using ImapDirector.Network;

namespace ImapDirector.Director.Directory;

/// <summary>What of a node can be set while the directors run, and what a director makes of it.</summary>
internal static class NodeFields
{
    public const string State = "state";
    public const string Weight = "weight";

    /// <summary>When the state was set last, in Unix milliseconds of Redis' clock. No one sets it by hand.</summary>
    public const string Since = "since";

    private const string Host = "host";
    private const string Http = "http";
    private const string Tls = "tls";
    private const string Kind = "kind";
    private const string Login = "login";
    private const string TlsName = "tlsName";
    private const string TlsFingerprint = "tlsFingerprint";

    // These say what a node is sent, an assertion, the master password or the users' own, and to whom.
    private static readonly string[] Identity = [Kind, Login, TlsName, TlsFingerprint];

    // Each leads to where a session, a delivery or a request goes.
    private static readonly string[] Whereabouts = [Host, "imapPort", "lmtpPort", Http];

    private static readonly FrozenDictionary<string, (Func<BackendNode, string, BackendNode?> Apply, string Example)> Settable =
        new Dictionary<string, (Func<BackendNode, string, BackendNode?>, string)>
        {
            [Weight] = (static (node, text) => Number(text) is { } number ? node with { Weight = number } : null, "a number from 0 to 1000"),
            ["pool"] = (static (node, text) => node with { Pool = text }, "a name"),
            [Host] = (static (node, text) => node with { Host = text }, "an address"),
            ["imapPort"] = (static (node, text) => Number(text) is { } number ? node with { ImapPort = number } : null, "a port"),
            ["lmtpPort"] = (static (node, text) => Number(text) is { } number ? node with { LmtpPort = number } : null, "a port"),
            [Http] = (static (node, text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) ? node with { Http = uri } : null, "an address such as http://10.0.0.7:1180"),
            [Tls] = (static (node, text) => TlsOf(text) is { } tls ? node with { Tls = tls } : null, "none, starttls or implicit"),
            [Kind] = (static (node, text) => KindOf(text) is { } kind ? node with { Kind = kind } : null, "bundled or generic"),
            [Login] = (static (node, text) => LoginOf(text) is { } login ? node with { Login = login } : null, "master or password"),
            [TlsName] = (static (node, text) => node with { TlsName = text }, "the name in its certificate"),
            [TlsFingerprint] = (static (node, text) => node with { TlsFingerprint = text }, "a SHA-256"),
        }.ToFrozenDictionary();

    /// <summary>Every field that can be set, besides <see cref="State"/>.</summary>
    public static IEnumerable<string> Names => Settable.Keys;

    public static NodeState? StateOf(string word) => word switch
    {
        "up" => NodeState.Up,
        "draining" => NodeState.Draining,
        "down" => NodeState.Down,
        _ => null,
    };

    /// <summary>The node that comes of it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="configured">The node of that name in the configuration, or <c>null</c>.</param>
    /// <param name="entry">What is set of it.</param>
    /// <param name="options">Where nodes may be, and what directors log in with.</param>
    /// <returns>A node that is down, with its fault, where this director cannot do what is set: at the configured address there may be somebody else by now.</returns>
    public static NodeStatus Build(string name, BackendNode? configured, NodeEntry entry, DirectorOptions options)
    {
        var node = configured ?? new BackendNode { Name = name, Host = "", MasterUser = options.MasterUser, MasterPassword = options.MasterPassword ?? "" };
        var errors = new List<string>();
        var state = NodeState.Up;
        if (entry.Fields.TryGetValue(State, out var word))
        {
            if (StateOf(word) is { } known) state = known;
            else errors.Add($"{State} is \"{word}\": write up, draining or down.");
        }
        foreach (var (field, text) in entry.Fields)
        {
            if (!Settable.TryGetValue(field, out var setting)) continue;
            if (setting.Apply(node, text) is { } changed) node = changed;
            else errors.Add($"{field} is \"{SettingRules.Shown(text)}\": write {setting.Example}.");
        }
        // Wherever it is now, it shows the certificate that it is configured with.
        if (configured is not null && node.Tls != BackendTls.None && node.Host != configured.Host) node = node with { TlsName = configured.TlsName ?? configured.Host };
        if (errors.Count == 0) Check(node, configured, entry, options, errors);
        DateTimeOffset? since = entry.Fields.TryGetValue(Since, out var time) && long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;
        return new NodeStatus(node, errors.Count == 0 ? state : NodeState.Down, configured, since, errors.Count == 0 ? null : string.Join(' ', errors));
    }

    /// <summary>A node of which nobody knows what is set.</summary>
    public static NodeStatus Unreadable(string name, BackendNode? configured) => new(configured ?? new BackendNode { Name = name, Host = "", MasterPassword = "" },
        NodeState.Down, configured, null, "What Redis holds of it cannot be read.");

    // Whoever can write to Redis must not lead sessions, or the credentials that open them, to a host of theirs, nor have them sent in the clear.
    private static void Check(BackendNode node, BackendNode? configured, NodeEntry entry, DirectorOptions options, List<string> errors)
    {
        if (configured is null && !entry.Fields.ContainsKey(Host)) errors.Add($"{Host} is unset: give the node's address.");
        if (Whereabouts.Any(entry.Fields.ContainsKey))
        {
            if (!IsAllowed(node.Host, options)) errors.Add($"{Host} is \"{SettingRules.Shown(node.Host)}\": give an address in the director's NodeNetworks ({Shown(options.NodeNetworks)}).");
            if (node.Http is { } http && !IsAllowed(http.Host.Trim('[', ']'), options))
                errors.Add($"{Http} is \"{SettingRules.Shown(http.OriginalString)}\": give an address in the director's NodeNetworks ({Shown(options.NodeNetworks)}).");
        }
        foreach (var field in Identity)
            if (configured is not null && entry.Fields.ContainsKey(field)) errors.Add($"{field} is \"{SettingRules.Shown(entry.Fields[field])}\": of a node that is configured it stays as it is configured.");
        var isSentSecrets = node.Login == NodeLogin.Password || !node.IsBundled;
        if (configured is null && isSentSecrets && node.Tls == BackendTls.None && !(IPAddress.TryParse(node.Host, out var here) && IPAddress.IsLoopback(here)))
            errors.Add($"{Tls} is \"none\": passwords would go there in the clear; give it starttls or implicit.");
        if (configured is { Tls: not BackendTls.None } && node.Tls == BackendTls.None) errors.Add($"{Tls} is \"none\": the node is configured with TLS, which stays.");
        DirectorOptionsRules.CheckNode(node, options, node.Name, errors);
    }

    private static bool IsAllowed(string host, DirectorOptions options) =>
        // As it is always written: what is read in two ways is none.
        IPAddress.TryParse(host, out var address) && address.ToString() == host && AddressList.Contains(options.NodeNetworks, address);

    private static string Shown(IReadOnlyList<IPNetwork> networks) => networks.Count == 0 ? "it has none" : string.Join(", ", networks);

    private static BackendTls? TlsOf(string text) => text switch
    {
        "none" => BackendTls.None,
        "starttls" => BackendTls.StartTls,
        "implicit" => BackendTls.Implicit,
        _ => null,
    };

    private static BackendKind? KindOf(string text) => text switch
    {
        "bundled" => BackendKind.Bundled,
        "generic" => BackendKind.Generic,
        _ => null,
    };

    private static NodeLogin? LoginOf(string text) => text switch
    {
        "master" => NodeLogin.Master,
        "password" => NodeLogin.Password,
        _ => null,
    };

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
