using System.Collections.Immutable;

namespace ImapDirector.Director.Directory;

/// <summary>What was set of a node while the directors run, as Redis keeps it: <c>field=value</c> with a space between, in the order of the fields.
/// What is not set is as it is configured. It is text all through: a field of a newer director's is kept.</summary>
internal sealed record NodeEntry
{
    /// <summary>Nothing is set.</summary>
    public static readonly NodeEntry Empty = new(ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal));

    /// <summary>What is set of a configured node that is taken out.</summary>
    public static readonly NodeEntry Removed = Empty.With(NodeFields.State, RemovedState);

    private const int MaxLength = 4096;
    private const string RemovedState = "removed";

    private readonly ImmutableSortedDictionary<string, string> _fields;

    private NodeEntry(ImmutableSortedDictionary<string, string> fields) => _fields = fields;

    public IReadOnlyDictionary<string, string> Fields => _fields;

    /// <summary>A configured node that is taken out for the time being. (One that is not configured has no entry then.)</summary>
    public bool IsRemoved => _fields.GetValueOrDefault(NodeFields.State) == RemovedState;

    /// <returns><c>null</c> when it is none; nothing is guessed.</returns>
    public static NodeEntry? TryParse(string text)
    {
        if (text.Length > MaxLength) return null;
        var fields = Empty._fields.ToBuilder();
        foreach (var part in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !IsValue(part[(equals + 1)..]) || !fields.TryAdd(part[..equals], part[(equals + 1)..])) return null;
        }
        return new NodeEntry(fields.ToImmutable());
    }

    /// <summary>Whether a text can be a value: not empty, and without spaces and control characters.</summary>
    public static bool IsValue(string text) => text.Length is > 0 and <= 255 && text.All(static letter => letter is > ' ' and < '\x7f');

    /// <summary>With a field set or, for <c>null</c>, as it is configured.</summary>
    public NodeEntry With(string field, string? value) => new(value is null ? _fields.Remove(field) : _fields.SetItem(field, value));

    public override string ToString() => string.Join(' ', _fields.Select(static field => $"{field.Key}={field.Value}"));
}
