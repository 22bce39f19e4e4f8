using System.Globalization;
using System.Text.RegularExpressions;
using ImapDirector.Storage.Tests.Sessions;

namespace ImapDirector.Storage.Tests.Differential;

/// <summary>What a server said to one command, so that what says the same compares equal: without texts, tags and numbers that are each server's own.</summary>
internal static partial class Transcript
{
    /// <summary>Sends a command and reads all of the answer.</summary>
    public static async Task<List<string>> PlayAsync(ImapClient client, string command, string tag)
    {
        var lines = new List<string>();
        if (command != "DONE") await client.SendLineAsync($"{tag} {command}");
        else await client.SendLineAsync("DONE");
        while (await client.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("+ ", StringComparison.Ordinal) || line == "+")
            {
                lines.Add("+");
                // An idling server says nothing more; others wait for the end of the command.
                if (command == "IDLE") break;
                await client.SendLineAsync("");
                continue;
            }
            lines.Add(line);
            if (line.StartsWith(tag + " ", StringComparison.Ordinal) || line.StartsWith("* BAD", StringComparison.Ordinal)) break;
        }
        return Normalise(WithQuotedAnnotations(lines), tag);
    }

    /// <summary>A value of an annotation may be a literal or a quoted string; here it is always the latter.</summary>
    private static List<string> WithQuotedAnnotations(List<string> lines)
    {
        var whole = new List<string>();
        foreach (var line in lines)
        {
            if (whole.Count > 0 && whole[^1].StartsWith("* METADATA ", StringComparison.Ordinal) && LiteralAtEnd().Match(whole[^1]) is { Success: true } literal)
            {
                var size = int.Parse(literal.Groups[1].Value, CultureInfo.InvariantCulture);
                whole[^1] = $"{whole[^1][..literal.Index]}\"{line[..size]}\"{line[size..]}";
            }
            else whole.Add(line);
        }
        return whole;
    }

    private static List<string> Normalise(List<string> lines, string tag)
    {
        var normal = lines.Where(static line => !Ignored().IsMatch(line)).Select(line => Normalise(line.StartsWith(tag + " ", StringComparison.Ordinal) ? line[(tag.Length + 1)..] : line)).ToList();
        // The order of mailboxes is nobody's business.
        var mailboxes = normal.Where(static line => line.StartsWith("* L", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        return [.. mailboxes, .. normal.Where(static line => !line.StartsWith("* L", StringComparison.Ordinal))];
    }

    private static string Normalise(string line)
    {
        var status = Status().Match(line);
        if (status.Success) line = OwnCode().Replace(status.Value, "").TrimEnd();
        line = OwnNumbers().Replace(line, "$1#");
        line = Tag().Replace(line, "(TAG #)");
        line = FlagList().Replace(line, static match => "(" + string.Join(' ', match.Groups[1].Value.Split(' ').Order(StringComparer.OrdinalIgnoreCase)) + ")");
        if (line.StartsWith("* L", StringComparison.Ordinal) || line.StartsWith("* STATUS", StringComparison.Ordinal)) line = line.Replace("\"", "", StringComparison.Ordinal);
        line = Fields().Replace(line, static match => match.Value.ToUpperInvariant());
        if (line.Contains(" FETCH (", StringComparison.Ordinal)) line = WithSortedItems(line);
        line = WithSortedRights(line.TrimEnd());
        return line.Contains(" FETCH (", StringComparison.Ordinal) || line.StartsWith("* STATUS", StringComparison.Ordinal) ? line : line.ToUpperInvariant();
    }

    /// <summary>The order of data items is free (RFC 9051 section 7.5.2). A line that goes on with a literal is left as it is.</summary>
    private static string WithSortedItems(string line)
    {
        var start = line.IndexOf('(', StringComparison.Ordinal) + 1;
        if (!line.EndsWith(')') || line.Contains('{', StringComparison.Ordinal)) return line;
        var items = new List<string>();
        var (depth, from, quoted, words) = (0, start, false, 0);
        for (var i = start; i < line.Length - 1; i++)
        {
            if (line[i] == '"' && line[i - 1] != '\\') quoted = !quoted;
            if (quoted) continue;
            if (line[i] is '(' or '[') depth++;
            if (line[i] is ')' or ']') depth--;
            // Name and value make an item.
            if (line[i] != ' ' || depth > 0 || ++words % 2 == 1) continue;
            items.Add(line[from..i]);
            from = i + 1;
        }
        items.Add(line[from..^1]);
        return line[..start] + string.Join(' ', items.Order(StringComparer.Ordinal)) + ")";
    }

    /// <summary>Rights are in any order, those who have them as well, and annotations too.</summary>
    private static string WithSortedRights(string line)
    {
        var words = line.Split(' ');
        if (words.Length < 4) return line;
        return words[1] switch
        {
            "MYRIGHTS" => string.Join(' ', words[..3]) + " " + Sorted(words[3]),
            "LISTRIGHTS" => string.Join(' ', words[..4]) + " " + string.Join(' ', words[4..].Select(static word => Sorted(word.Trim('"'))).Order(StringComparer.Ordinal)),
            "ACL" => string.Join(' ', words[..3]) + " " + string.Join(' ', words[3..].Chunk(2).Select(static entry => $"{entry[0]} {Sorted(entry[^1])}").Order(StringComparer.Ordinal)),
            "METADATA" when words.Length % 2 == 1 => string.Join(' ', words[..3]) + " " + string.Join(' ', string.Join(' ', words[3..]).Trim('(', ')').Split(' ').Chunk(2).Select(static entry => string.Join(' ', entry)).Order(StringComparer.Ordinal)),
            "URLFETCH" => line.Replace("\"", "", StringComparison.Ordinal),
            _ => line,
        };

        static string Sorted(string rights) => string.Concat(rights.Order());
    }

    [GeneratedRegex(@"\{([0-9]+)\}$")]
    private static partial Regex LiteralAtEnd();

    [GeneratedRegex(@"HEADER\.FIELDS(\.NOT)? \([^)]*\)")]
    private static partial Regex Fields();

    // What only one of the two tells, of its own accord.
    [GeneratedRegex(@"^\* OK \[(HIGHESTMODSEQ|MAILBOXID|NOMODSEQ|URLMECH)")]
    private static partial Regex Ignored();

    // The status and its response code, without the text behind them.
    [GeneratedRegex(@"^(\* )?(OK|NO|BAD|BYE)( \[[^\]]*\])?")]
    private static partial Regex Status();

    [GeneratedRegex(@"((?:UIDVALIDITY|APPENDUID|COPYUID|HIGHESTMODSEQ|MODSEQ|MAILBOXID) \(?)[0-9F]+")]
    private static partial Regex OwnNumbers();

    // A code of an extension that Dovecot does not have.
    [GeneratedRegex(@" \[MAILBOXID [^\]]*\]")]
    private static partial Regex OwnCode();

    [GeneratedRegex(@"\(TAG ""[^""]*""\)")]
    private static partial Regex Tag();

    [GeneratedRegex(@"\(((?:\\?[$\w*\\]+)(?: \\?[$\w*\\]+)*)\)")]
    private static partial Regex FlagList();
}
