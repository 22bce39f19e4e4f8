using System.Collections.Concurrent;

namespace ImapDirector.Network;

/// <summary>The names of enum members as metrics show them: <c>NoSuchUser</c> is <c>no_such_user</c>.</summary>
public static class MetricLabel
{
    /// <summary>The name of a value.</summary>
    public static string Of<T>(T value) where T : struct, Enum => Names<T>.ByValue.GetOrAdd(value, static value => SnakeCase(value.ToString()));

    private static string SnakeCase(string name) =>
        string.Concat(name.Select(static (letter, index) => char.IsAsciiLetterUpper(letter) ? (index > 0 ? "_" : "") + char.ToLowerInvariant(letter) : letter.ToString()));

    private static class Names<T> where T : struct, Enum
    {
        public static readonly ConcurrentDictionary<T, string> ByValue = new();
    }
}
