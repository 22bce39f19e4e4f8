using System.Globalization;
using System.Net;
using Microsoft.Extensions.Configuration;
using static ImapDirector.Network.SettingRules;

namespace ImapDirector.Configuration;

/// <summary>Reads typed settings out of a section, remembers which keys it was asked for, and gathers what is wrong, so that an operator hears of all of it at once.</summary>
/// <param name="section">The settings.</param>
/// <param name="errors">Where errors go.</param>
/// <param name="path">What stands before the keys of this section in messages.</param>
internal sealed class SettingsReader(IConfiguration section, List<string> errors, string path = "")
{
    private const int MaxSecretFileBytes = 64 * 1024;

    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    public List<string> Errors => errors;

    public string? Text(string key)
    {
        _known.Add(key);
        if (section.GetSection(key).GetChildren().Any()) errors.Add($"{path}{key} has settings below it: write one value.");
        return section[key] is { Length: > 0 } text ? text : null;
    }

    /// <summary>A setting that may also be given as the name of a file that holds it, under the key with <c>File</c> behind it.</summary>
    public string? Secret(string key)
    {
        var inline = Text(key);
        if (Text(key + "File") is not { } file) return inline;
        if (inline is not null)
        {
            errors.Add($"{path}{key} and {path}{key}File are both set: leave one of them out.");
            return inline;
        }
        try
        {
            if (new FileInfo(file).Length <= MaxSecretFileBytes) return File.ReadAllText(file).TrimEnd('\r', '\n');
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // Told below.
        }
        errors.Add($"{path}{key}File is \"{Shown(file)}\", which cannot be read: name a file of at most {MaxSecretFileBytes} bytes that this process may read.");
        return null;
    }

    public T Value<T>(string key, T otherwise, TryParse<T> tryParse, string example)
    {
        if (Text(key) is not { } text) return otherwise;
        if (tryParse(text, out var value)) return value;
        errors.Add($"{path}{key} is \"{Shown(text)}\": write {example}.");
        return otherwise;
    }

    public int Number(string key, int otherwise) => Value(key, otherwise,
        static (string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value), "a whole number, such as 100");

    /// <summary>As <see cref="Number"/>, where none means that the program finds it out.</summary>
    public int? NumberOrNone(string key) => Text(key) is null ? null : Number(key, 0);

    public long LongNumber(string key, long otherwise) => Value(key, otherwise,
        static (string text, out long value) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value), "a whole number, such as 52428800");

    public bool Flag(string key, bool otherwise) => Value(key, otherwise, bool.TryParse, "true or false");

    public TimeSpan Time(string key, TimeSpan otherwise) => Value<TimeSpan>(key, otherwise, Duration.TryParse, "a number and a unit, such as 500ms, 5s, 10m, 2h or 1d");

    public IPEndPoint? EndPoint(string key, IPEndPoint? otherwise = null) => Value(key, otherwise, TryEndPoint, "an address and a port, such as 127.0.0.1:1143 or [::1]:1143");

    public T Choice<T>(string key, T otherwise) where T : struct, Enum => Value(key, otherwise,
        static (string text, out T value) => Enum.TryParse(text, ignoreCase: true, out value) && Enum.IsDefined(value) && !char.IsAsciiDigit(text[0]),
        $"one of {string.Join(", ", Enum.GetNames<T>())}");

    public IReadOnlyList<IPNetwork> Networks(string key)
    {
        var networks = new List<IPNetwork>();
        foreach (var item in Items(key))
        {
            if (IPNetwork.TryParse(item.Value, out var network)) networks.Add(network);
            else errors.Add($"{path}{key}:{item.Key} is \"{Shown(item.Value ?? "")}\": write a network, such as 10.0.0.0/8 or 2001:db8::/32.");
        }
        return networks;
    }

    /// <summary>As <see cref="Networks(string)"/>, with what holds where the key is not there at all: an empty list is one.</summary>
    public IReadOnlyList<IPNetwork> Networks(string key, IReadOnlyList<IPNetwork> otherwise)
    {
        var networks = Networks(key);
        return section.GetChildren().Any(child => string.Equals(child.Key, key, StringComparison.OrdinalIgnoreCase)) ? networks : otherwise;
    }

    /// <summary>Reads a list of texts; <paramref name="otherwise"/> where there is none.</summary>
    public IReadOnlyList<string> Texts(string key, IReadOnlyList<string> otherwise)
    {
        var texts = Items(key).Select(static item => item.Value ?? "").ToArray();
        return texts.Length > 0 ? texts : otherwise;
    }

    /// <summary>Reads the settings below a key.</summary>
    public T Within<T>(string key, Func<SettingsReader, T> read)
    {
        _known.Add(key);
        var below = section.GetSection(key);
        if (!string.IsNullOrEmpty(below.Value)) errors.Add($"{path}{key} is one value: write settings below it, as {path}{key}:… .");
        var reader = new SettingsReader(below, errors, $"{path}{key}:");
        var value = read(reader);
        reader.RefuseUnknown();
        return value;
    }

    /// <summary>Reads each element of a list of sections.</summary>
    public List<T> Each<T>(string key, Func<SettingsReader, T?> read) where T : class
    {
        var items = new List<T>();
        foreach (var item in Items(key))
        {
            var reader = new SettingsReader(item, errors, $"{path}{key}:{item.Key}:");
            if (read(reader) is { } value) items.Add(value);
            reader.RefuseUnknown();
        }
        return items;
    }

    /// <summary>Notes that a setting has to be there.</summary>
    public void Require(string key, string example) => errors.Add($"{path}{key} is unset: {example}.");

    /// <summary>Notes what is wrong with a setting.</summary>
    public void Refuse(string key, string fault) => errors.Add($"{path}{key} {fault}");

    /// <summary>A key that nobody asked for is a spelling mistake that would otherwise go unnoticed.</summary>
    public void RefuseUnknown()
    {
        foreach (var child in section.GetChildren())
            if (!_known.Contains(child.Key)) errors.Add($"{path}{Shown(child.Key)} is no setting: correct its spelling, or take it out (docs/configuration.md lists them).");
    }

    // What stands where a list should be is not shown: nobody knows what it was meant to be.
    private IEnumerable<IConfigurationSection> Items(string key)
    {
        _known.Add(key);
        var list = section.GetSection(key);
        if (!string.IsNullOrEmpty(list.Value)) errors.Add($"{path}{key} is one value: write a list, as {path}{key}:0, {path}{key}:1 and so on.");
        return list.GetChildren();
    }

    private static bool TryEndPoint(string text, out IPEndPoint? endPoint) => IPEndPoint.TryParse(text, out endPoint) && text.Contains(':', StringComparison.Ordinal)
        && (text.StartsWith('[') || text.Count(static letter => letter == ':') == 1);

    /// <summary>Parses a value.</summary>
    public delegate bool TryParse<T>(string text, out T value);
}
