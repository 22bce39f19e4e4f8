namespace ImapDirector.Operations.Api;

/// <summary>The names that are most like one that is not there.</summary>
internal static class NearestNames
{
    private const int Most = 3;
    private const int MaxLength = 320;

    /// <summary>Up to three, the most alike first; none that differs in more than half of its letters.</summary>
    public static IReadOnlyList<string> Of(string name, IEnumerable<string> names)
    {
        if (name.Length > MaxLength) return [];
        var best = new List<(int Distance, string Name)>(Most + 1);
        foreach (var other in names)
        {
            if (other.Length > MaxLength) continue;
            var limit = best.Count == Most ? best[^1].Distance : Math.Max(name.Length, other.Length) / 2;
            if (Math.Abs(name.Length - other.Length) > limit) continue;
            var distance = Distance(name, other);
            if (distance > limit) continue;
            best.Add((distance, other));
            best.Sort();
            if (best.Count > Most) best.RemoveAt(Most);
        }
        return best.ConvertAll(static one => one.Name);
    }

    // Levenshtein's: letters that are put in, left out or another one.
    private static int Distance(string first, string second)
    {
        var row = new int[second.Length + 1];
        for (var column = 0; column < row.Length; column++) row[column] = column;
        for (var line = 1; line <= first.Length; line++)
        {
            var diagonal = row[0];
            row[0] = line;
            for (var column = 1; column < row.Length; column++)
            {
                var above = row[column];
                row[column] = Math.Min(Math.Min(above, row[column - 1]) + 1, diagonal + (first[line - 1] == second[column - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[^1];
    }
}
