using System.Globalization;

namespace ImapDirector.Director.Directory;

/// <summary>A session as a field of the user's sessions hash: <c>start-epoch director address unix-milliseconds</c>. The scripts read it too.</summary>
internal static class SessionValue
{
    /// <exception cref="ArgumentException">The address has a space in it.</exception>
    public static string Format(Incarnation incarnation, SessionRecord session)
    {
        if (session.ClientAddress.Length == 0 || session.ClientAddress.AsSpan().ContainsAny(' ', '\n'))
            throw new ArgumentException("Not an address.", nameof(session));
        return string.Create(CultureInfo.InvariantCulture,
            $"{incarnation.Epoch} {incarnation.Director} {session.ClientAddress} {session.Started.ToUnixTimeMilliseconds()}");
    }

    public static bool TryParse(string id, string text, out long startEpoch, out string director, out SessionRecord session)
    {
        (startEpoch, director, session) = (0, "", new SessionRecord(id, "", default));
        var parts = text.Split(' ');
        if (parts.Length != 4 || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out startEpoch)
            || !long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return false;
        director = parts[1];
        session = new SessionRecord(id, parts[2], DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
        return true;
    }
}
