using System.Collections.Immutable;
using ImapDirector.Protocol.Assertions;

namespace ImapDirector.Storage.Sessions;

/// <summary>What a director said of its client in ID, as Dovecot reads it. Only trusted peers get as far as a node's sessions, so it is
/// believed; it serves the log alone (limits P25).</summary>
internal sealed class ClientFacts
{
    private const int MaxTextLength = 64;

    /// <summary>The client's address, or <c>null</c>.</summary>
    public string? OriginatingIp { get; private set; }

    /// <summary>The session's id at the director, or <c>null</c>.</summary>
    public string? SessionId { get; private set; }

    public void Learn(ImmutableArray<KeyValuePair<string, string?>> fields)
    {
        foreach (var (key, value) in fields)
        {
            if (value is not { Length: > 0 }) continue;
            if (key.Equals("x-originating-ip", StringComparison.OrdinalIgnoreCase)) OriginatingIp = Printable(value);
            else if (key.Equals("x-session-id", StringComparison.OrdinalIgnoreCase)) SessionId = Printable(value);
        }
    }

    /// <summary>Forgets all of it: it was said in the clear, by whoever.</summary>
    public void Forget() => (OriginatingIp, SessionId) = (null, null);

    /// <summary>Takes over what a director has vouched for.</summary>
    public void Learn(Assertion assertion)
    {
        SessionId = assertion.SessionId;
        if (assertion.ClientAddress is { } address) OriginatingIp = address.ToString();
    }

    private static string Printable(string value)
    {
        var text = value.Length > MaxTextLength ? value[..MaxTextLength] : value;
        return string.Create(text.Length, text, static (span, text) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = text[i] is > ' ' and < '\x7F' ? text[i] : '?';
        });
    }
}
