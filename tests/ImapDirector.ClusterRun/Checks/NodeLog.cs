using System.Globalization;
using System.Text.Json;
using ImapDirector.ClusterRun.Machines;

namespace ImapDirector.ClusterRun.Checks;

/// <summary>A session as a node's log has it.</summary>
/// <param name="Node">The node.</param>
/// <param name="User">The user.</param>
/// <param name="Client">The client's address, which no other session has.</param>
/// <param name="From">When it was logged in.</param>
/// <param name="To">When it had ended, if only because the node was killed.</param>
internal sealed record LoggedSession(string Node, string User, string Client, DateTime From, DateTime To);

/// <summary>Reads who had a session when from a bundled node's log.</summary>
internal static class NodeLog
{
    private const int LoggedIn = 1001, Ended = 1002;

    public static async Task<IReadOnlyList<LoggedSession>> ReadAsync(ClusterProgram node)
    {
        var (open, sessions) = (new Dictionary<string, (DateTime From, string User, string Client)>(), new List<LoggedSession>());
        await foreach (var line in File.ReadLinesAsync(node.LogFile))
        {
            using var entry = Parse(line);
            if (entry is null) continue;
            var id = entry.RootElement.GetProperty("EventId").GetInt32();
            if (id is not (LoggedIn or Ended)) continue;
            var at = DateTime.Parse(entry.RootElement.GetProperty("Timestamp").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
            var state = entry.RootElement.GetProperty("State");
            // Connection ids begin anew with each life of the node; its killed sessions ended with it.
            var key = $"{LifeOf(node, at)} {state.GetProperty("ConnectionId").GetString()}";
            if (id == LoggedIn) open[key] = (at, state.GetProperty("User").GetString()!, state.GetProperty("OriginatingIp").GetString() ?? "");
            else if (open.Remove(key, out var begun)) sessions.Add(new LoggedSession(node.Name, begun.User, begun.Client, begun.From, at));
        }
        sessions.AddRange(open.Select(one => new LoggedSession(node.Name, one.Value.User, one.Value.Client, one.Value.From, node.Lives[LifeOf(node, one.Value.From)].To)));
        return sessions;
    }

    /// <summary>Reads a line. What was killed may have left half a one, and what was started again has written on behind it.</summary>
    /// <returns><c>null</c> for none.</returns>
    public static JsonDocument? Parse(string line)
    {
        var begin = line.LastIndexOf("{\"Timestamp\":", StringComparison.Ordinal);
        try
        {
            return begin < 0 ? null : JsonDocument.Parse(line.AsMemory(begin));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static int LifeOf(ClusterProgram node, DateTime at)
    {
        var life = node.Lives.Count - 1;
        while (life > 0 && node.Lives[life].From > at) life--;
        return life;
    }
}
