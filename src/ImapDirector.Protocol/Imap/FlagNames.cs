using System.Text;

namespace ImapDirector.Protocol.Imap;

/// <summary>How the system flags are spelled.</summary>
internal static class FlagNames
{
    /// <summary>All of them, in the order responses list them.</summary>
    public static readonly (SystemFlags Flag, string Name)[] System =
    [
        (SystemFlags.Answered, @"\Answered"),
        (SystemFlags.Flagged, @"\Flagged"),
        (SystemFlags.Deleted, @"\Deleted"),
        (SystemFlags.Seen, @"\Seen"),
        (SystemFlags.Draft, @"\Draft"),
    ];

    /// <summary>The flag spelled <paramref name="name"/> (without its backslash, in any case), or <see cref="SystemFlags.None"/>.</summary>
    public static SystemFlags Find(ReadOnlySpan<byte> name)
    {
        foreach (var (flag, spelling) in System)
            if (Ascii.EqualsIgnoreCase(name, spelling.AsSpan(1))) return flag;
        return SystemFlags.None;
    }
}
