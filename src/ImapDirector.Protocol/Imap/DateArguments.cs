namespace ImapDirector.Protocol.Imap;

/// <summary>The date and date-time of RFC 3501 section 9.</summary>
internal static class DateArguments
{
    /// <summary>A date, in quotes or not: <c>1-Feb-1994</c>.</summary>
    public static bool Date(ref ImapLexer lexer, out DateOnly date)
    {
        date = default;
        var quoted = lexer.TryTake('"');
        if (!DayMonthYear(ref lexer, out var year, out var month, out var day)) return false;
        date = new DateOnly(year, month, day);
        return !quoted || lexer.Take('"');
    }

    /// <summary>A date-time in quotes: <c>" 1-Feb-1994 02:44:25 -0700"</c>. The padding of the day may be missing.</summary>
    public static bool DateTime(ref ImapLexer lexer, out DateTimeOffset value)
    {
        value = default;
        if (!lexer.Take('"')) return false;
        lexer.TryTake(' ');
        if (!DayMonthYear(ref lexer, out var year, out var month, out var day) || !lexer.Space()) return false;
        if (!Digits(ref lexer, 2, 2, out var hour) || !lexer.Take(':')) return false;
        if (!Digits(ref lexer, 2, 2, out var minute) || !lexer.Take(':')) return false;
        if (!Digits(ref lexer, 2, 2, out var second) || !lexer.Space()) return false;
        var west = lexer.TryTake('-');
        if (!west && !lexer.Take('+')) return false;
        if (!Digits(ref lexer, 2, 2, out var zoneHours) || !Digits(ref lexer, 2, 2, out var zoneMinutes) || !lexer.Take('"')) return false;
        if (hour > 23 || minute > 59 || second > 60 || zoneMinutes > 59) return lexer.Fail("The time is not valid");

        // A leap second is told as the second before it, which is what the calendar here can hold.
        var local = new DateTime(year, month, day, hour, minute, Math.Min(second, 59), DateTimeKind.Unspecified);
        var offset = new TimeSpan(zoneHours, zoneMinutes, 0);
        if (west) offset = -offset;
        var utcTicks = local.Ticks - offset.Ticks;
        if (utcTicks < System.DateTime.MinValue.Ticks || utcTicks > System.DateTime.MaxValue.Ticks) return lexer.Fail("The time is not valid");
        value = offset.Duration() <= TimeSpan.FromHours(14)
            ? new DateTimeOffset(local, offset)
            : new DateTimeOffset(utcTicks, TimeSpan.Zero);
        return true;
    }

    private static bool DayMonthYear(ref ImapLexer lexer, out int year, out int month, out int day)
    {
        year = month = 0;
        if (!Digits(ref lexer, 1, 2, out day) || !lexer.Take('-')) return false;
        if (!Month(ref lexer, out month) || !lexer.Take('-')) return false;
        if (!Digits(ref lexer, 4, 4, out year)) return false;
        return (year >= 1 && day >= 1 && day <= System.DateTime.DaysInMonth(year, month)) || lexer.Fail("The date is not valid");
    }

    private static bool Month(ref ImapLexer lexer, out int month)
    {
        for (month = 1; month <= 12; month++)
            if (lexer.TryLetters(Grammar.Months.Slice((month - 1) * 3, 3))) return true;
        return lexer.Fail("The month is not valid");
    }

    private static bool Digits(ref ImapLexer lexer, int atLeast, int atMost, out int value)
    {
        value = 0;
        var count = 0;
        for (; count < atMost && char.IsAsciiDigit((char)lexer.Peek); count++)
        {
            value = value * 10 + (lexer.Peek - '0');
            lexer.TryTake((char)lexer.Peek);
        }
        return count >= atLeast || lexer.Fail("The date is not valid");
    }
}
