namespace ImapDirector.ClusterRun.Checks;

/// <summary>That a user was at a node from one time to another.</summary>
/// <param name="User">The user.</param>
/// <param name="Node">The node.</param>
/// <param name="From">Since when, at the latest.</param>
/// <param name="To">Until when, at the least.</param>
/// <param name="Source">Who says so.</param>
internal sealed record Stay(string User, string Node, DateTime From, DateTime To, string Source);

/// <summary>Finds users who were at two nodes at one time.</summary>
internal static class Overlaps
{
    public static IEnumerable<string> Find(IEnumerable<Stay> stays)
    {
        foreach (var user in stays.GroupBy(static stay => stay.User))
        {
            var latest = new Dictionary<string, Stay>();
            foreach (var stay in user.OrderBy(static stay => stay.From))
            {
                foreach (var other in latest.Values.Where(other => other.Node != stay.Node && other.To > stay.From))
                    yield return $"{user.Key}: {Tell(other)}, and {Tell(stay)}";
                if (!latest.TryGetValue(stay.Node, out var before) || before.To < stay.To) latest[stay.Node] = stay;
            }
        }
    }

    private static string Tell(Stay stay) => $"{stay.Node} {stay.From:HH:mm:ss.fff} to {stay.To:HH:mm:ss.fff} ({stay.Source})";
}
