using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Exchange;

/// <summary>Flags as letters behind <c>:2,</c> in a file's name; keywords are small letters, which the mailbox's <c>dovecot-keywords</c> names.</summary>
internal sealed class MaildirFlags
{
    public const string KeywordsFile = "dovecot-keywords";
    public const string Mark = ":2,";
    public const int MaxKeywords = 26;

    private const char Passed = 'P';
    private const string Forwarded = "$Forwarded";

    // In the order of the letters, as they are to stand in a name.
    private static readonly (char Letter, SystemFlags Flag)[] Letters =
        [('D', SystemFlags.Draft), ('F', SystemFlags.Flagged), ('R', SystemFlags.Answered), ('S', SystemFlags.Seen), ('T', SystemFlags.Deleted)];

    private readonly string?[] _keywords;

    private MaildirFlags(IEnumerable<string?> keywords) => _keywords = [.. keywords];

    /// <summary>The letters of the keywords that messages have; those used most when there are too many.</summary>
    public static MaildirFlags Of(IEnumerable<MessageRecord> messages, out int keywordsLeftOut)
    {
        var used = messages.SelectMany(static message => message.Keywords).GroupBy(static keyword => keyword, StringComparer.OrdinalIgnoreCase)
            .OrderByDescending(static keyword => keyword.Count()).Select(static keyword => keyword.First()).ToList();
        keywordsLeftOut = Math.Max(used.Count - MaxKeywords, 0);
        return new MaildirFlags(used.Take(MaxKeywords));
    }

    /// <summary>Reads a mailbox's <c>dovecot-keywords</c>: a number and a keyword a line.</summary>
    public static MaildirFlags Read(IEnumerable<string> lines)
    {
        var keywords = new string?[MaxKeywords];
        foreach (var line in lines)
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0 && int.TryParse(line.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < MaxKeywords)
                keywords[number] = line[(space + 1)..];
        }
        return new MaildirFlags(keywords);
    }

    /// <summary>What <see cref="Read"/> reads; empty when there are no keywords.</summary>
    public string Write() => string.Concat(_keywords.Select(static (keyword, number) => string.Create(CultureInfo.InvariantCulture, $"{number} {keyword}\n")));

    /// <summary>The letters of a message's flags.</summary>
    public string Encode(MessageRecord message)
    {
        var letters = new StringBuilder();
        foreach (var (letter, flag) in Letters)
            if (message.Flags.HasFlag(flag)) letters.Append(letter);
        for (var number = 0; number < _keywords.Length; number++)
            if (message.Keywords.Contains(_keywords[number]!, StringComparer.OrdinalIgnoreCase)) letters.Append((char)('a' + number));
        return letters.ToString();
    }

    /// <summary>The flags in a file's name. Letters that mean nothing are nothing.</summary>
    public FlagList Decode(string fileName)
    {
        var mark = fileName.LastIndexOf(Mark, StringComparison.Ordinal);
        if (mark < 0) return FlagList.Empty;
        var system = SystemFlags.None;
        var keywords = ImmutableArray.CreateBuilder<string>();
        foreach (var letter in fileName.AsSpan(mark + Mark.Length))
        {
            if (letter is >= 'a' and <= 'z')
            {
                if (letter - 'a' < _keywords.Length && _keywords[letter - 'a'] is { } keyword) keywords.Add(keyword);
            }
            else if (letter == Passed) keywords.Add(Forwarded);
            else
            {
                foreach (var (known, flag) in Letters)
                    if (known == letter) system |= flag;
            }
        }
        return new FlagList(system, keywords.ToImmutable());
    }
}
