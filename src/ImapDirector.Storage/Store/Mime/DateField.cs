using System.Buffers;
using System.Text;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Reads the day of a Date field (RFC 5322 section 3.3, years of section 4.3).</summary>
internal static class DateField
{
    private const int MaxYearDigits = 4;

    /// <returns>The day as written, whatever the zone; <c>null</c> if there is none that the calendar has.</returns>
    public static DateOnly? Parse(ReadOnlySpan<byte> value)
    {
        var cursor = new HeaderCursor(value, comment: null);
        var word = new ArrayBufferWriter<byte>();
        if (cursor.SkipSpace() != Progress.More || !Next(ref cursor, word)) return null;
        if (!char.IsAsciiDigit((char)word.WrittenSpan[0]))
        {
            // The day of the week, which may be wrong and tells nothing.
            cursor.TryTake((byte)',');
            if (cursor.SkipSpace() != Progress.More || !Next(ref cursor, word)) return null;
        }
        if (Number(word.WrittenSpan, 2) is not { } day) return null;
        if (!Next(ref cursor, word) || Month(word.WrittenSpan) is not { } month) return null;
        if (!Next(ref cursor, word) || Number(word.WrittenSpan, MaxYearDigits) is not { } year) return null;
        year += (word.WrittenCount, year) switch
        {
            (2, < 50) => 2000,
            (2 or 3, _) => 1900,
            _ => 0,
        };
        return year is >= 1 and <= 9999 && day >= 1 && day <= DateTime.DaysInMonth(year, month) ? new DateOnly(year, month, day) : null;
    }

    private static bool Next(ref HeaderCursor cursor, ArrayBufferWriter<byte> word)
    {
        word.ResetWrittenCount();
        return cursor.Atom(word) != Progress.Broken;
    }

    private static int? Number(ReadOnlySpan<byte> word, int maxDigits)
    {
        if (word.Length > maxDigits) return null;
        var number = 0;
        foreach (var digit in word)
        {
            if (!char.IsAsciiDigit((char)digit)) return null;
            number = number * 10 + (digit - '0');
        }
        return number;
    }

    private static int? Month(ReadOnlySpan<byte> word)
    {
        if (word.Length < 3) return null;
        var months = "JanFebMarAprMayJunJulAugSepOctNovDec"u8;
        for (var month = 0; month < 12; month++)
            if (Ascii.EqualsIgnoreCase(months.Slice(month * 3, 3), word[..3])) return month + 1;
        return null;
    }
}
