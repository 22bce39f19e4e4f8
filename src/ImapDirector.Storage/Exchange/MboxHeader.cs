using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Exchange;

/// <summary>What an mbox puts around a message: the From line, and the header fields that hold its flags. A message's own fields of these names are left out
/// both ways: whoever sends a message must not set flags by it.</summary>
internal static class MboxHeader
{
    public const string FileSuffix = ".mbox";

    // Without the day of the week in front: it says nothing, and is often wrong.
    private const string DateFormat = "MMM d HH:mm:ss yyyy";

    private static readonly string[] Fields = ["Status", "X-Status", "X-Keywords", "X-UID", "X-IMAP", "X-IMAPbase"];

    private static readonly (char Letter, SystemFlags Flag)[] Letters =
        [('R', SystemFlags.Seen), ('A', SystemFlags.Answered), ('F', SystemFlags.Flagged), ('T', SystemFlags.Draft), ('D', SystemFlags.Deleted)];

    /// <summary>The lines in front of a message.</summary>
    public static string Write(MessageRecord message)
    {
        var date = message.InternalDate.UtcDateTime;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"From MAILER-DAEMON {date.ToString("ddd MMM", CultureInfo.InvariantCulture)} {date.Day,2} {date.ToString("HH:mm:ss yyyy", CultureInfo.InvariantCulture)}\n");
        var letters = string.Concat(Letters.Skip(1).Where(pair => message.Flags.HasFlag(pair.Flag)).Select(static pair => pair.Letter));
        if (letters.Length > 0) text.Append("X-Status: ").Append(letters).Append('\n');
        if (message.Keywords.Length > 0) text.Append("X-Keywords: ").AppendJoin(' ', message.Keywords).Append('\n');
        // The last of them is one that never goes on in the next line, so that a message which begins with a space is not taken for its second half.
        return text.Append(message.Flags.HasFlag(SystemFlags.Seen) ? "Status: RO\n" : "Status: O\n").ToString();
    }

    /// <summary>Whether a line begins a message; the date is <c>null</c> where it cannot be read.</summary>
    public static bool IsFromLine(ReadOnlySpan<byte> line, out DateTimeOffset? date)
    {
        date = null;
        if (!line.StartsWith("From "u8)) return false;
        var words = Encoding.Latin1.GetString(line[..Math.Min(line.Length, 1000)]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 6) return true;
        var zone = words[^1] is ['+' or '-', _, _, _, _] && int.TryParse(words[^1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : (int?)null;
        var last = zone is null ? words.Length : words.Length - 1;
        if (last >= 6 && DateTime.TryParseExact(string.Join(' ', words[(last - 4)..last]), DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)
            && local.Year is > 1 and < 9999)
        {
            var minutes = (zone ?? 0) / 100 * 60 + (zone ?? 0) % 100;
            date = new DateTimeOffset(local, TimeSpan.FromMinutes(Math.Abs(minutes) <= 14 * 60 ? minutes : 0));
        }
        return true;
    }

    /// <summary>Whether a line is <c>From </c> behind at least so many <c>&gt;</c>.</summary>
    public static bool IsQuotedFrom(ReadOnlySpan<byte> line, int atLeast)
    {
        var quotes = line.IndexOfAnyExcept((byte)'>');
        return quotes >= atLeast && line[quotes..].StartsWith("From "u8);
    }

    /// <summary>The name of a field that holds flags, or <c>null</c> when the line is anything else.</summary>
    public static string? FieldOf(ReadOnlySpan<byte> line)
    {
        foreach (var field in Fields)
            if (line.Length > field.Length && line[field.Length] == ':' && Ascii.EqualsIgnoreCase(line[..field.Length], field)) return field;
        return null;
    }

    /// <summary>Whether a field can go on in the next line.</summary>
    public static bool CanBeFolded(string field) => field is not ("Status" or "X-Status");

    /// <summary>The flags in the fields' values, the first of each name.</summary>
    public static FlagList Read(IReadOnlyDictionary<string, string> fields)
    {
        var letters = fields.GetValueOrDefault("Status", "").Replace("D", "", StringComparison.Ordinal) + fields.GetValueOrDefault("X-Status", "").Replace("R", "", StringComparison.Ordinal);
        var system = SystemFlags.None;
        foreach (var (letter, flag) in Letters)
            if (letters.Contains(letter, StringComparison.Ordinal)) system |= flag;
        return new FlagList(system, [.. fields.GetValueOrDefault("X-Keywords", "").Split([' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries)]);
    }
}
