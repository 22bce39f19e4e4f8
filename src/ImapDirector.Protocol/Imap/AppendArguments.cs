using System.Collections.Immutable;
using System.Text;
using System.Text.Unicode;

namespace ImapDirector.Protocol.Imap;

/// <summary>The arguments of APPEND (with MULTIAPPEND, RFC 3502, CATENATE, RFC 4469, and UTF8, RFC 6855) and REPLACE (RFC 8508), up to the first literal behind
/// the mailbox.</summary>
internal static class AppendArguments
{
    public static AppendCommand? Append(ref ImapLexer lexer, string tag) =>
        MailboxArguments.Of(ref lexer, out var mailbox) && Stretch(ref lexer, AppendPlace.BeforeMessage, out var stretch) ? new AppendCommand(tag, mailbox, stretch) : null;

    public static ReplaceCommand? Replace(ref ImapLexer lexer, string tag, bool byUid)
    {
        if (!lexer.Space() || !lexer.SequenceSet(out var replaced)) return null;
        if (replaced.Ranges is not [var one] || one.First != one.Last)
        {
            lexer.Fail("REPLACE takes one message");
            return null;
        }
        return MailboxArguments.Of(ref lexer, out var mailbox) && Stretch(ref lexer, AppendPlace.BeforeMessage, out var stretch)
            ? new ReplaceCommand(tag, byUid, replaced, mailbox, stretch)
            : null;
    }

    /// <summary>Reads up to the next literal's header, or to the end of the command.</summary>
    /// <param name="lexer">Where <paramref name="place"/> says.</param>
    /// <param name="place">Where the stretch begins.</param>
    /// <param name="stretch">What it has.</param>
    public static bool Stretch(ref ImapLexer lexer, AppendPlace place, out AppendStretch stretch)
    {
        var steps = ImmutableArray.CreateBuilder<AppendStep>();
        var read = Steps(ref lexer, ref place, steps);
        stretch = new AppendStretch(steps.ToImmutable(), place);
        return read;
    }

    private static bool Steps(ref ImapLexer lexer, ref AppendPlace place, ImmutableArray<AppendStep>.Builder steps)
    {
        var isFirst = place == AppendPlace.BeforeMessage;
        if (place is AppendPlace.InUtf8 or AppendPlace.InUtf8Part)
        {
            if (!lexer.Take(')')) return false;
            place = place == AppendPlace.InUtf8 ? AppendPlace.BehindMessage : AppendPlace.BehindPart;
        }
        while (true)
        {
            if (steps.Count > ImapCommandParser.MaxListItems) return lexer.Fail("Too many parts in a line");
            if (place == AppendPlace.BehindPart)
            {
                if (lexer.TryTake(')')) place = AppendPlace.BehindMessage;
                else if (!lexer.Space() || !Part(ref lexer, ref place, steps)) return false;
            }
            else
            {
                if (place == AppendPlace.BehindMessage) steps.Add(new EndOfMessage());
                if (!isFirst && lexer.AtCommandEnd)
                {
                    place = AppendPlace.Complete;
                    return true;
                }
                if (!lexer.Space() || !Message(ref lexer, ref place, steps)) return false;
                isFirst = false;
            }
            // The bytes of a literal are the session's to read.
            if (steps.Count > 0 && steps[^1] is LiteralStep) return lexer.AtFrameEnd || lexer.Fail("Too many arguments");
        }
    }

    /// <summary>A message's flags and date, and its literal or the first part of what it is put together from.</summary>
    private static bool Message(ref ImapLexer lexer, ref AppendPlace place, ImmutableArray<AppendStep>.Builder steps)
    {
        var flags = FlagList.Empty;
        if (lexer.Peek == '(' && !(MessageArguments.FlagsInParentheses(ref lexer, out flags) && lexer.Space())) return false;
        DateTimeOffset? date = null;
        if (lexer.Peek == '"')
        {
            if (!DateArguments.DateTime(ref lexer, out var given) || !lexer.Space()) return false;
            date = given;
        }
        steps.Add(new StartOfMessage(flags, date));
        if (lexer.TryWord("CATENATE"u8)) return lexer.Space() && lexer.Take('(') && Part(ref lexer, ref place, steps);
        return Content(ref lexer, steps, AppendPlace.InUtf8, AppendPlace.BehindMessage, out place);
    }

    /// <summary>One part of CATENATE (RFC 4469 section 3).</summary>
    private static bool Part(ref ImapLexer lexer, ref AppendPlace place, ImmutableArray<AppendStep>.Builder steps)
    {
        place = AppendPlace.BehindPart;
        if (lexer.TryWord("TEXT"u8)) return lexer.Space() && Literal(ref lexer, steps, LiteralUse.Content, out _);
        if (!lexer.TryWord("URL"u8)) return Content(ref lexer, steps, AppendPlace.InUtf8Part, AppendPlace.BehindPart, out place);
        if (!lexer.Space()) return false;
        if (lexer.Peek == '{') return Literal(ref lexer, steps, LiteralUse.Url, out _);
        if (!lexer.AString(out var url)) return false;
        if (!Utf8.IsValid(url)) return lexer.Fail("A URL is not valid");
        steps.Add(new UrlStep(Encoding.UTF8.GetString(url)));
        return true;
    }

    /// <summary>A literal, or one in <c>UTF8 (…)</c>.</summary>
    private static bool Content(ref ImapLexer lexer, ImmutableArray<AppendStep>.Builder steps, AppendPlace inUtf8, AppendPlace behind, out AppendPlace place)
    {
        var isUtf8 = lexer.TryWord("UTF8"u8);
        place = isUtf8 ? inUtf8 : behind;
        if (isUtf8 && !(lexer.Space() && lexer.Take('('))) return false;
        if (!Literal(ref lexer, steps, LiteralUse.Content, out var header)) return false;
        return !isUtf8 || header.Binary || lexer.Fail("UTF8 takes a literal8");
    }

    private static bool Literal(ref ImapLexer lexer, ImmutableArray<AppendStep>.Builder steps, LiteralUse use, out LiteralHeader header)
    {
        if (!lexer.LiteralHeader(out header)) return false;
        steps.Add(new LiteralStep(header, use));
        return true;
    }
}
