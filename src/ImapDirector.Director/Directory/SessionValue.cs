using System.Globalization;
using ImapDirector.Director.Login;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Directory;

/// <summary>A session as a field of the user's sessions hash: <c>start-epoch director address unix-milliseconds tls mechanism client-name</c>, with <c>-</c> for
/// what there is none of, and the client's name percent-encoded; a master's name comes last, where there is one. The scripts read it too.</summary>
internal static class SessionValue
{
    private const string None = "-";

    /// <exception cref="ArgumentException">The address has a space in it.</exception>
    public static string Format(Incarnation incarnation, SessionRecord session)
    {
        if (session.ClientAddress.Length == 0 || session.ClientAddress.AsSpan().ContainsAny(' ', '\n'))
            throw new ArgumentException("Not an address.", nameof(session));
        return string.Create(CultureInfo.InvariantCulture,
            $"{incarnation.Epoch} {incarnation.Director} {session.ClientAddress} {session.Started.ToUnixTimeMilliseconds()} {session.Tls ?? None} {session.Mechanism ?? None} {NameOf(session)}{(session.Master is { } master ? " " + master.Value : "")}");
    }

    // One who is called "-" is not one without a name.
    private static string NameOf(SessionRecord session) => session.ClientName switch { null => None, None => "%2D", { } name => Uri.EscapeDataString(name) };

    public static bool TryParse(string id, string text, out long startEpoch, out string director, out SessionRecord session)
    {
        (startEpoch, director, session) = (0, "", new SessionRecord(id, "", default));
        var parts = text.Split(' ');
        if (parts.Length is not (4 or 7 or 8) || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out startEpoch)
            || !long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return false;
        director = parts[1];
        session = new SessionRecord(id, parts[2], DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
        if (parts.Length > 4) session = session with { Tls = TextOf(parts[4]), Mechanism = TextOf(parts[5]), ClientName = TextOf(parts[6]) is { } name ? ClientName.Shown(Uri.UnescapeDataString(name)) : null };
        if (parts.Length < 8) return true;
        session = session with { Master = UserName.TryCreate(parts[7], null, out var master) && master.Value == parts[7] ? master : null };
        return session.Master is not null;
    }

    private static string? TextOf(string part) => part == None ? null : part;
}
