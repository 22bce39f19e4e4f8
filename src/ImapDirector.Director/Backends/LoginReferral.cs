using ImapDirector.Protocol;

namespace ImapDirector.Director.Backends;

/// <summary>Where a node says that a user's mail is instead: <c>NO [REFERRAL imap://user@host:port/]</c> (RFC 2221).</summary>
/// <param name="Host">The host's name or address.</param>
/// <param name="Port">The port.</param>
internal sealed record LoginReferral(string Host, int Port)
{
    private const int DefaultPort = 143;

    /// <summary>Reads a referral.</summary>
    /// <param name="url">What the code holds.</param>
    /// <param name="user">Who was to be logged in: nobody else may be meant.</param>
    /// <returns><c>null</c> when it is no referral for that user.</returns>
    public static LoginReferral? Parse(string url, UserName user)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme != "imap" || uri.Host.Length == 0) return null;
        var semicolon = uri.UserInfo.IndexOf(';', StringComparison.Ordinal);
        var named = Uri.UnescapeDataString(semicolon < 0 ? uri.UserInfo : uri.UserInfo[..semicolon]);
        if (named.Length > 0 && !(UserName.TryCreate(named, null, out var other) && other == user)) return null;
        return new LoginReferral(uri.IdnHost, uri.Port < 0 ? DefaultPort : uri.Port);
    }

    /// <summary>The node that is meant, out of those that are known: a director connects to no other (limits R1).</summary>
    public BackendNode? Among(IEnumerable<BackendNode> nodes)
    {
        foreach (var node in nodes)
            if (node.Host.Equals(Host, StringComparison.OrdinalIgnoreCase) && node.ImapPort == Port) return node;
        return null;
    }
}
