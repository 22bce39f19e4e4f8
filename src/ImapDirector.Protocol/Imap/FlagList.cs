using System.Collections.Immutable;

namespace ImapDirector.Protocol.Imap;

/// <summary>The system flags of RFC 3501 section 2.3.2 that a client may set. <c>\Recent</c> belongs to the session, not to the message.</summary>
[Flags]
public enum SystemFlags
{
    /// <summary>No system flag.</summary>
    None = 0,
    /// <summary><c>\Seen</c>.</summary>
    Seen = 1,
    /// <summary><c>\Answered</c>.</summary>
    Answered = 2,
    /// <summary><c>\Flagged</c>.</summary>
    Flagged = 4,
    /// <summary><c>\Deleted</c>.</summary>
    Deleted = 8,
    /// <summary><c>\Draft</c>.</summary>
    Draft = 16,
}

/// <summary>System flags and keywords as a client gave them. Keywords keep their first spelling and compare without case;
/// the array is free of doubles (limits N11: 50 bytes each, 64 a command).</summary>
/// <param name="System">The system flags.</param>
/// <param name="Keywords">The keywords.</param>
public readonly record struct FlagList(SystemFlags System, ImmutableArray<string> Keywords)
{
    /// <summary>No flags.</summary>
    public static readonly FlagList Empty = new(SystemFlags.None, []);

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => System == SystemFlags.None && Keywords.IsEmpty;

    /// <summary>The longest keyword, in bytes (limits N11).</summary>
    public const int MaxKeywordBytes = 50;

    /// <summary>The most keywords of a command or a message that comes in (limits N11).</summary>
    public const int MaxKeywords = 64;

    /// <summary>Whether a text can be a keyword: an atom of at most <see cref="MaxKeywordBytes"/>.</summary>
    public static bool IsKeyword(string text)
    {
        if (text.Length is 0 or > MaxKeywordBytes) return false;
        foreach (var letter in text)
            if (letter > '\x7F' || !Grammar.AtomChars.Contains((byte)letter)) return false;
        return true;
    }
}
