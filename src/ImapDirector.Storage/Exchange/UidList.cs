using System.Globalization;

namespace ImapDirector.Storage.Exchange;

/// <summary>A Maildir's <c>dovecot-uidlist</c>: which UID each file has.</summary>
/// <param name="UidValidity">The mailbox's UIDVALIDITY.</param>
/// <param name="UidNext">Above all UIDs that were given.</param>
/// <param name="Uids">The UIDs, by the files' names without flags.</param>
internal sealed record UidList(uint UidValidity, uint UidNext, IReadOnlyDictionary<string, uint> Uids)
{
    public const string FileName = "dovecot-uidlist";

    /// <summary>The first line of one.</summary>
    public static string Header(long uidValidity, long uidNext) => string.Create(CultureInfo.InvariantCulture, $"3 V{uidValidity} N{uidNext}\n");

    /// <summary>The line of a file.</summary>
    public static string Line(uint uid, string baseName) => string.Create(CultureInfo.InvariantCulture, $"{uid} :{baseName}\n");

    /// <summary>A file's name without its flags.</summary>
    public static string BaseName(string fileName) => fileName.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? fileName[..colon] : fileName;

    /// <summary>Reads version 3 or 1.</summary>
    /// <returns><c>null</c> when it is neither, or UIDs in it cannot be.</returns>
    public static UidList? Read(IEnumerable<string> lines)
    {
        uint validity = 0, next = 0, highest = 0;
        var version = 0;
        var uids = new Dictionary<string, uint>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            var words = line.Split(' ');
            if (version == 0)
            {
                version = words[0] == "3" ? 3 : words is ["1", _, _] ? 1 : -1;
                if (version < 0 || !TryReadHeader(version, words, out validity, out next)) return null;
                continue;
            }
            var colon = line.IndexOf(" :", StringComparison.Ordinal);
            var name = version == 1 ? line[(words[0].Length + Math.Min(1, line.Length - words[0].Length))..] : colon < 0 ? "" : line[(colon + 2)..];
            if (!TryReadNumber(words[0], out var uid) || name.Length == 0) return null;
            uids[BaseName(name)] = uid;
            highest = Math.Max(highest, uid);
        }
        // Dovecot adds lines behind and leaves the first as it is: its number may be an old one.
        return version > 0 && uids.Values.Distinct().Count() == uids.Count ? new UidList(validity, Math.Max(next, highest + 1), uids) : null;
    }

    private static bool TryReadHeader(int version, string[] words, out uint validity, out uint next)
    {
        (validity, next) = (0, 0);
        if (version == 1) return TryReadNumber(words[1], out validity) && TryReadNumber(words[2], out next);
        foreach (var word in words)
        {
            if (word.StartsWith('V') && !TryReadNumber(word[1..], out validity)) return false;
            if (word.StartsWith('N') && !TryReadNumber(word[1..], out next)) return false;
        }
        return validity > 0 && next > 0;
    }

    private static bool TryReadNumber(string word, out uint number) =>
        uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number is > 0 and < uint.MaxValue;
}
