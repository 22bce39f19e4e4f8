namespace ImapDirector.Storage.Store.Mime;

/// <summary>The base subject of RFC 5256 section 2.1: a subject without what replying and forwarding have put around it.</summary>
internal static class BaseSubject
{
    /// <summary>Longer subjects compare by this much.</summary>
    private const int MaxLength = 512;

    /// <param name="subject">The decoded subject.</param>
    /// <returns>The base subject, and whether something of a reply or a forward was taken off.</returns>
    public static (string Text, bool IsReply) Of(string subject)
    {
        var text = Collapse(subject).AsSpan();
        var isReply = false;
        while (true)
        {
            text = WithoutTrailer(text, ref isReply);
            text = WithoutLeaders(text, ref isReply);
            // Step 6: "[fwd: … ]" is a subject of its own.
            if (text is not ['[', _, _, _, ':', .., ']'] || !text[1..5].Equals("fwd:", StringComparison.OrdinalIgnoreCase)) break;
            text = text[5..^1];
            isReply = true;
        }
        return (text.ToString(), isReply);
    }

    private static string Collapse(string subject)
    {
        var words = subject.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var text = string.Join(' ', words);
        return text.Length > MaxLength ? text[..MaxLength] : text;
    }

    private static ReadOnlySpan<char> WithoutTrailer(ReadOnlySpan<char> text, scoped ref bool isReply)
    {
        while (true)
        {
            text = text.Trim();
            if (!text.EndsWith("(fwd)", StringComparison.OrdinalIgnoreCase)) return text;
            text = text[..^5];
            isReply = true;
        }
    }

    private static ReadOnlySpan<char> WithoutLeaders(ReadOnlySpan<char> text, scoped ref bool isReply)
    {
        while (true)
        {
            text = text.TrimStart();
            if (LeaderLength(text) is > 0 and var leader)
            {
                text = text[leader..];
                isReply = true;
                continue;
            }
            // Step 4: a blob goes if it leaves something.
            if (BlobLength(text) is > 0 and var blob && !text[blob..].IsEmpty)
            {
                text = text[blob..];
                continue;
            }
            return text;
        }
    }

    /// <summary><c>*subj-blob ("re" / "fw" ["d"]) *WSP [subj-blob] ":"</c>.</summary>
    private static int LeaderLength(ReadOnlySpan<char> text)
    {
        var at = 0;
        while (BlobLength(text[at..]) is > 0 and var blob) at += blob;
        var rest = text[at..];
        if (rest.StartsWith("fwd", StringComparison.OrdinalIgnoreCase)) at += 3;
        else if (rest.StartsWith("re", StringComparison.OrdinalIgnoreCase) || rest.StartsWith("fw", StringComparison.OrdinalIgnoreCase)) at += 2;
        else return 0;
        while (at < text.Length && text[at] == ' ') at++;
        at += BlobLength(text[at..]);
        return at < text.Length && text[at] == ':' ? at + 1 : 0;
    }

    /// <summary><c>"[" *BLOBCHAR "]" *WSP</c>.</summary>
    private static int BlobLength(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text[0] != '[') return 0;
        var end = text[1..].IndexOfAny('[', ']');
        if (end < 0 || text[end + 1] != ']') return 0;
        var length = end + 2;
        while (length < text.Length && text[length] == ' ') length++;
        return length;
    }
}
