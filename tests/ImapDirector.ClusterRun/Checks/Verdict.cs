using System.Globalization;
using System.Text;

namespace ImapDirector.ClusterRun.Checks;

/// <summary>What a run found.</summary>
internal sealed class Verdict
{
    private const int Examples = 10;

    private readonly List<(string Name, string Value)> _figures = [];
    private readonly List<(string Invariant, IReadOnlyList<string> Violations)> _invariants = [];

    public bool Holds => _invariants.All(static one => one.Violations.Count == 0);

    /// <summary>Adds a figure.</summary>
    public void Figure(string name, string value) => _figures.Add((name, value));

    /// <summary>Adds an invariant, with all that speaks against it.</summary>
    public void Invariant(string name, IEnumerable<string> violations) => _invariants.Add((name, [.. violations]));

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (name, value) in _figures) text.AppendLine(CultureInfo.InvariantCulture, $"{name,-40} {value}");
        foreach (var (name, violations) in _invariants)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{name,-40} {violations.Count}{(violations.Count == 0 ? "" : "  <== must be 0")}");
            foreach (var violation in violations.Take(Examples)) text.AppendLine(CultureInfo.InvariantCulture, $"    {violation}");
            if (violations.Count > Examples) text.AppendLine(CultureInfo.InvariantCulture, $"    and {violations.Count - Examples} more");
        }
        return text.Append(Holds ? "HOLDS" : "DOES NOT HOLD").ToString();
    }
}
