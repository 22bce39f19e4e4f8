using System.Globalization;

namespace ImapDirector.Network;

/// <summary>What the rules of all roles' settings share: bounds, names, and how a value is shown in an error.</summary>
public static class SettingRules
{
    private const int MaxShownLength = 80;
    private const int MaxNameLength = 64;
    private static readonly (TimeSpan Length, string Name)[] Units =
        [(TimeSpan.FromDays(1), "d"), (TimeSpan.FromHours(1), "h"), (TimeSpan.FromMinutes(1), "m"), (TimeSpan.FromSeconds(1), "s")];

    /// <summary>What <see cref="IsName"/> asks for, as the fix in an error.</summary>
    public const string NameRule = "use 1 to 64 characters out of a-z, 0-9, '.', '-' and '_', the first a letter or a digit";

    /// <summary>Whether the text can name a node or a pool. Names are parts of Redis keys and of URLs: <c>..</c> is none.</summary>
    public static bool IsName(string? text) => text is { Length: > 0 and <= MaxNameLength } && text[0] is not ('.' or '-' or '_')
        && text.All(static letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '.' or '-' or '_');

    /// <summary>A value as an error shows it: cut, and without control characters, so that a hostile or mistaken file cannot flood the terminal or steer it.</summary>
    public static string Shown(string? value)
    {
        var start = value is null ? "" : value.Length > MaxShownLength ? value[..MaxShownLength] + "…" : value;
        return string.Concat(start.Select(static letter => char.IsControl(letter) ? '?' : letter));
    }

    /// <summary>Notes a number that is out of its bounds.</summary>
    public static void Between(List<string> errors, string key, long value, long least, long most)
    {
        if (value < least || value > most)
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"{key} is {value}: give a number from {least} to {most}."));
    }

    /// <summary>Notes a time that is out of its bounds.</summary>
    public static void Between(List<string> errors, string key, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most) errors.Add($"{key} is {Text(value)}: give a time from {Text(least)} to {Text(most)}.");
    }

    /// <summary>A time as the configuration writes it: <c>500ms</c>, <c>5s</c>, <c>10m</c>, <c>2h</c>, <c>1d</c>.</summary>
    public static string Text(TimeSpan time)
    {
        foreach (var (length, name) in Units)
            if (time != TimeSpan.Zero && time.Ticks % length.Ticks == 0) return string.Create(CultureInfo.InvariantCulture, $"{time.Ticks / length.Ticks}{name}");
        return string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalMilliseconds}ms");
    }
}
