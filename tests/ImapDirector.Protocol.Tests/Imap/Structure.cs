using System.Collections;
using System.Reflection;
using System.Text;

namespace ImapDirector.Protocol.Tests.Imap;

/// <summary>Writes a value out with all it holds, so that two values can be compared by what is in them (records compare arrays by reference).</summary>
internal static class Structure
{
    public static string Of(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        byte[] bytes => $"'{Encoding.Latin1.GetString(bytes)}'",
        DateTimeOffset date => date.ToString("O"),
        IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Select(Of))}]",
        _ when value.GetType().Namespace!.StartsWith("ImapDirector", StringComparison.Ordinal) && !value.GetType().IsEnum => OfRecord(value),
        _ when value.GetType().IsGenericType => OfRecord(value),
        _ => value.ToString()!,
    };

    private static string OfRecord(object value)
    {
        var properties = value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.GetIndexParameters().Length == 0)
            .Select(p => $"{p.Name}={Of(p.GetValue(value))}");
        return $"{value.GetType().Name}({string.Join(", ", properties)})";
    }
}
