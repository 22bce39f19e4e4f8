using System.Text.RegularExpressions;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>Plays a conversation: <c>C:</c> lines are sent, <c>S:</c> lines must come, in this order. <c>~</c> stands for any text.
/// <c>C2:</c> and <c>S2:</c> belong to a second session of the same user, and so on, <c>Cbob:</c> and <c>Sbob:</c> to one of bob@example.com; each logs in when
/// it first speaks.</summary>
internal static partial class ImapScript
{
    /// <summary>Plays it with logged-in sessions on a node of its own.</summary>
    public static async Task RunAsync(string script, Func<StorageNodeOptions, StorageNodeOptions>? change = null)
    {
        await using var node = await RunningNode.StartAsync(change);
        await RunAsync(node, script);
    }

    /// <summary>Plays it on a node that runs.</summary>
    public static async Task RunAsync(RunningNode node, string script)
    {
        var sessions = new Dictionary<string, ImapClient>();
        try
        {
            await RunAsync(script, async name =>
            {
                if (!sessions.TryGetValue(name, out var session)) sessions[name] = session = await node.LogInAsync(IsUser(name) ? name + "@example.com" : RunningNode.User);
                return session;
            });
        }
        finally
        {
            foreach (var session in sessions.Values) await session.DisposeAsync();
        }
    }

    /// <summary>Plays it with one connection that is there already.</summary>
    public static Task RunAsync(ImapClient client, string script) => RunAsync(script, _ => Task.FromResult(client));

    private static async Task RunAsync(string script, Func<string, Task<ImapClient>> sessionOf)
    {
        var played = new List<string>();
        foreach (var line in script.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = LinePattern().Match(line);
            Assert.True(parts.Success, $"Not a line of a script: {line}");
            var session = await sessionOf(parts.Groups["name"].Value);
            var text = parts.Groups["text"].Value;
            played.Add(line);
            if (parts.Groups["side"].Value == "C")
            {
                await session.SendLineAsync(text);
                continue;
            }
            var answer = await session.ReadLineAsync();
            var expected = text == "(end)" ? null : text;
            var matches = expected is null || answer is null ? expected == answer : Pattern(expected).IsMatch(answer);
            Assert.True(matches, $"{string.Join('\n', played)}\nbut came: {answer ?? "(end)"}");
        }
    }

    private static bool IsUser(string name) => name.Length > 0 && char.IsAsciiLetter(name[0]);

    private static Regex Pattern(string expected) => new("^" + Regex.Escape(expected).Replace("~", ".*", StringComparison.Ordinal) + "$", RegexOptions.NonBacktracking);

    [GeneratedRegex(@"^(?<side>[CS])(?<name>\d?|[a-z]+):(?: (?<text>.*))?$")]
    private static partial Regex LinePattern();
}
