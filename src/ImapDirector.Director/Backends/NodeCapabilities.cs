namespace ImapDirector.Director.Backends;

/// <summary>What the nodes can do, as their greetings and logins tell it. What all of them can do is what a client is told before login, when nobody knows yet
/// which of them will serve it.</summary>
internal sealed class NodeCapabilities
{
    // Until a node has answered: what Dovecot, Cyrus and the bundled node have in common.
    private const string BeforeAnyAnswer = "LITERAL+ ENABLE IDLE";

    private const string Rights = "RIGHTS=";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Measured> _nodes = [];
    private volatile string _common = BeforeAnyAnswer;

    /// <summary>What all nodes that have answered can do, besides what the director says of itself.</summary>
    public string Common => _common;

    /// <summary>A node has said what it can do. What it says after a login goes before what it says to anybody: most nodes then say more.</summary>
    /// <param name="node">Its name.</param>
    /// <param name="capabilities">What it said, fit for clients (<see cref="OfNode"/>).</param>
    /// <param name="isAfterLogin">Whether somebody was logged in.</param>
    public void Note(string node, string capabilities, bool isAfterLogin)
    {
        lock (_lock)
        {
            var known = _nodes.GetValueOrDefault(node);
            var now = isAfterLogin ? known with { AfterLogin = capabilities } : known with { BeforeLogin = capabilities };
            if (now == known) return;
            _nodes[node] = now;
            _common = InCommon(_nodes.Values);
        }
    }

    /// <summary>From now on these nodes and no others.</summary>
    public void Follow(IReadOnlyList<BackendNode> nodes)
    {
        lock (_lock)
        {
            foreach (var name in _nodes.Keys.Except(nodes.Select(static node => node.Name)).ToArray()) _nodes.Remove(name);
            _common = _nodes.Count == 0 ? BeforeAnyAnswer : InCommon(_nodes.Values);
        }
    }

    /// <summary>What a node offers as clients may hear it.</summary>
    public static string OfNode(IEnumerable<string> capabilities) => string.Join(' ', capabilities.Where(IsForClients).Select(AsClientsKnowIt));

    private static string InCommon(IEnumerable<Measured> nodes)
    {
        IEnumerable<string>? common = null;
        foreach (var node in nodes)
        {
            var words = (node.AfterLogin ?? node.BeforeLogin ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            common = common?.Where(words.Contains).ToArray() ?? words;
        }
        // The same whichever node has answered first.
        return string.Join(' ', (common ?? []).Where(static word => word is not ("IMAP4rev1" or "SASL-IR" or "ID")).Order(StringComparer.Ordinal));
    }

    // Not every client compares these in any case of letters, as it should.
    private static string AsClientsKnowIt(string capability) => capability switch
    {
        "IMAP4REV1" => "IMAP4rev1",
        "IMAP4REV2" => "IMAP4rev2",
        // A letter for each right, and all of them small ones.
        _ when capability.StartsWith(Rights, StringComparison.Ordinal) => Rights + capability[Rights.Length..].ToLowerInvariant(),
        _ => capability,
    };

    // A compressed session could not be told to end, another login in the same session would be none of ours, a referral would lead past us, and what belongs
    // before login is the director's to offer.
    private static bool IsForClients(string capability) =>
        capability.All(static letter => char.IsAsciiLetterOrDigit(letter) || "+-=/.:_,;@&|<>!?~'#$^`".Contains(letter, StringComparison.Ordinal))
        && !capability.StartsWith("COMPRESS=", StringComparison.Ordinal)
        && !capability.StartsWith("AUTH=", StringComparison.Ordinal)
        && capability is not ("STARTTLS" or "LOGINDISABLED" or "UNAUTHENTICATE" or "LOGIN-REFERRALS");

    private readonly record struct Measured(string? BeforeLogin, string? AfterLogin);
}
