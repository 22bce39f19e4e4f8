using System.Globalization;
using System.Net;
using ImapDirector.Director.Backends;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Director.Login;

/// <summary>What a director or proxy in front of this one says in ID of the client it has, in the fields that Dovecot reads. Whether it is believed is
/// the reader's business (limits P25).</summary>
/// <param name="Client">The client's address and port; <c>null</c> where nothing is said, or what can be none.</param>
/// <param name="ConnectedTo">The address and port that it connected to; <c>null</c> likewise.</param>
/// <param name="SessionId">How the logs over there call the session: 1 to 64 letters, digits, <c>+ / - _ .</c>; <c>null</c> likewise.</param>
/// <param name="HopsLeft">How many directors may still come, this one among them; <c>null</c> where it is not said, 0 where it is no number.</param>
internal sealed record ForwardedFacts(IPEndPoint? Client, IPEndPoint? ConnectedTo, string? SessionId, int? HopsLeft)
{
    private const int MaxSessionIdLength = 64;

    public static ForwardedFacts Of(IdCommand id) => new(
        EndPoint(id, "x-originating-ip", "x-originating-port"),
        EndPoint(id, "x-connected-ip", "x-connected-port"),
        Field(id, "x-session-id") is { Length: > 0 and <= MaxSessionIdLength } text && text.All(IsOfAnId) ? text : null,
        Field(id, "x-proxy-ttl") is { } hops ? Math.Min(Number(hops) ?? 0, ForwardedClient.MostHops) : null);

    private static IPEndPoint? EndPoint(IdCommand id, string addressField, string portField)
    {
        // The framework also reads 127.1, 0x7f.0.0.1 and scopes, which nobody writes who means an address.
        if (Field(id, addressField) is not { } text || text.Contains('%', StringComparison.Ordinal)
            || !IPAddress.TryParse(text, out var address) || address.ToString() != text) return null;
        return new IPEndPoint(address, Number(Field(id, portField)) is { } port and <= IPEndPoint.MaxPort ? port : 0);
    }

    private static string? Field(IdCommand id, string name)
    {
        foreach (var (key, value) in id.Fields)
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase)) return value;
        return null;
    }

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static bool IsOfAnId(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '+' or '/' or '-' or '_' or '.';
}
