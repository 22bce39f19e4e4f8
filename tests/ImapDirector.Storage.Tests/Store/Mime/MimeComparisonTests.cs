using System.Text;
using ImapDirector.Storage.Tests.Sessions;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>The same messages at Dovecot and at the node: the same ENVELOPE, BODY, BODYSTRUCTURE and sections, however each quotes its strings.</summary>
public sealed class MimeComparisonTests
{
    private static readonly string[] Sections = ["", "HEADER", "TEXT", "1", "1.MIME", "2", "2.MIME", "2.HEADER", "2.TEXT", "3"];

    // Sections inside of parts; of a part that has none Dovecot sends the part itself.
    private static readonly Dictionary<string, string[]> InnerSections = new()
    {
        ["message inside"] = ["2.1", "2.1.MIME"],
        ["message inside is multipart"] = ["2.1", "2.2", "2.2.MIME"],
        ["boundary is the beginning of another"] = ["1.1", "1.2", "1.2.MIME"],
        ["inner without end"] = ["1.1"],
        ["message is a message"] = ["1.HEADER", "1.TEXT", "1.1"],
        ["message in message in message"] = ["1.1", "1.HEADER", "1.1.HEADER", "1.1.TEXT"],
        ["digest"] = ["1.HEADER", "1.TEXT", "1.1"],
    };

    [FactIfInstalled("dovecot")]
    public async Task Odd_messages_look_the_same()
    {
        await using var pair = await ServerPair.StartAsync();
        var differences = new StringBuilder();
        foreach (var (name, text) in OddMessages.All)
            if (await pair.CompareAsync(text, Sections.Concat(InnerSections.GetValueOrDefault(name, []))) is { Length: > 0 } difference) differences.Append("== ").Append(name).Append('\n').Append(difference).Append('\n');
        Assert.True(differences.Length == 0, differences.ToString());
    }

    [FactIfInstalled("dovecot")]
    public async Task Random_trees_look_the_same()
    {
        await using var pair = await ServerPair.StartAsync();
        foreach (var message in MimeTree.Messages(count: 60)) Assert.Equal("", await pair.CompareAsync(message, Sections));
    }

    /// <summary>Both servers with the same mailbox selected.</summary>
    private sealed class ServerPair(DovecotServer dovecot, RunningNode node, ImapClient theirs, ImapClient ours) : IAsyncDisposable
    {
        private int _messages;

        public static async Task<ServerPair> StartAsync()
        {
            var dovecot = await DovecotServer.StartAsync();
            var node = await RunningNode.StartAsync();
            var theirs = await ImapClient.ConnectAsync(dovecot.EndPoint);
            await theirs.ReadLineAsync();
            await theirs.OkAsync("LOGIN compare x");
            var ours = await node.LogInAsync();
            await theirs.OkAsync("SELECT INBOX");
            await ours.OkAsync("SELECT INBOX");
            return new ServerPair(dovecot, node, theirs, ours);
        }

        /// <returns>What differs; nothing, it is hoped.</returns>
        public async Task<string> CompareAsync(string message, IEnumerable<string> sections)
        {
            _messages++;
            await theirs.AppendAsync("INBOX", message);
            await ours.AppendAsync("INBOX", message);
            await theirs.OkAsync("NOOP");
            await ours.OkAsync("NOOP");
            var differences = new StringBuilder();
            foreach (var item in new[] { "ENVELOPE", "BODY", "BODYSTRUCTURE", "RFC822.SIZE" }.Concat(sections.Select(section => $"BODY.PEEK[{section}]")))
            {
                var expected = Unquoted(await theirs.CommandAsync($"FETCH {_messages} {item}"));
                var actual = Unquoted(await ours.CommandAsync($"FETCH {_messages} {item}"));
                if (expected != actual) differences.Append(item).Append("\n  Dovecot: ").Append(expected).Append("\n  we:      ").Append(actual).Append('\n');
            }
            if (differences.Length > 0) differences.Append(message);
            return differences.ToString();
        }

        public async ValueTask DisposeAsync()
        {
            await theirs.DisposeAsync();
            await ours.DisposeAsync();
            await node.DisposeAsync();
            await dovecot.DisposeAsync();
        }

        /// <summary>Strings in one form; without the tagged answer. A section that is not there is NIL to us and an empty string to Dovecot.</summary>
        private static string Unquoted(List<string> lines)
        {
            var answer = string.Join("\r\n", lines.Take(lines.Count - 1));
            var plain = new StringBuilder();
            for (var i = 0; i < answer.Length; i++)
            {
                if (answer[i] == '"')
                {
                    plain.Append('«');
                    for (i++; i < answer.Length && answer[i] != '"'; i++)
                    {
                        if (answer[i] == '\\') i++;
                        plain.Append(answer[i]);
                    }
                    plain.Append('»');
                }
                else if (answer[i] == '{' && answer.IndexOf('}', i) is > 0 and var close && int.TryParse(answer[(i + 1)..close], out var length))
                {
                    plain.Append('«').Append(answer, close + 3, length).Append('»');
                    i = close + 2 + length;
                }
                else
                {
                    plain.Append(answer[i]);
                }
            }
            return plain.Replace("] «»)", "] NIL)").ToString();
        }
    }
}
