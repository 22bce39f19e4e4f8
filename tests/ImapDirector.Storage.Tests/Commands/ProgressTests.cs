using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>INPROGRESS (RFC 9585).</summary>
public sealed class ProgressTests
{
    private const int Messages = 1200;

    private static async Task<(RunningNode Node, ImapClient Client)> StartAsync(TimeSpan interval)
    {
        var node = await RunningNode.StartAsync(options => options with { ProgressInterval = interval });
        var client = await node.LogInAsync();
        for (var i = 0; i < Messages; i += 200)
        {
            await client.SendAsync("a APPEND INBOX" + string.Concat(Enumerable.Repeat(" {9+}\r\nS: x\r\n\r\nx", 200)) + "\r\n");
            Assert.StartsWith("OK ", (await client.ReadAnswerAsync("a"))[^1], StringComparison.Ordinal);
        }
        await client.OkAsync("SELECT INBOX");
        return (node, client);
    }

    [Theory]
    [InlineData("one", "SEARCH RETURN (COUNT) HEADER X-None y", "(\"one\" ", " 1200)] ")]
    [InlineData("one]", "UID SEARCH RETURN (COUNT) ALL", "(NIL ", " 1200)] ")]
    [InlineData("two", "SORT RETURN (COUNT) (SUBJECT) UTF-8 ALL", "(\"two\" ", " 1200)] ")]
    [InlineData("two", "THREAD REFERENCES UTF-8 SUBJECT none", "(\"two\" ", " 1200)] ")]
    [InlineData("all", "ESEARCH IN (personal) RETURN (COUNT) ALL", "(\"all\" ", " NIL)] ")]
    public async Task A_client_that_waits_is_told_how_far_its_search_has_come(string tag, string command, string begins, string ends)
    {
        var (node, client) = await StartAsync(TimeSpan.Zero);
        await using (node)
        await using (client)
        {
            await client.SendLineAsync($"{tag} {command}");
            var lines = await client.ReadAnswerAsync(tag);
            Assert.StartsWith("OK ", lines[^1], StringComparison.Ordinal);
            var told = lines.Where(static line => line.StartsWith("* OK [INPROGRESS ", StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(told);
            var numbers = new List<int>();
            foreach (var line in told)
            {
                var text = line["* OK [INPROGRESS ".Length..];
                Assert.StartsWith(begins, text, StringComparison.Ordinal);
                var end = text.IndexOf(ends, StringComparison.Ordinal);
                Assert.True(end > 0, line);
                numbers.Add(int.Parse(text[begins.Length..end], System.Globalization.CultureInfo.InvariantCulture));
            }
            Assert.Equal(numbers.Order(), numbers);
            Assert.All(numbers, static number => Assert.InRange(number, 1, Messages));
        }
    }

    [Fact]
    public async Task A_quick_search_says_nothing_of_it()
    {
        var (node, client) = await StartAsync(TimeSpan.FromHours(1));
        await using (node)
        await using (client)
        {
            Assert.Equal(["* ESEARCH (TAG \"t\") COUNT 1200"], (await SendAsync(client, "SEARCH RETURN (COUNT) ALL")).SkipLast(1));
        }
    }

    private static async Task<List<string>> SendAsync(ImapClient client, string command)
    {
        await client.SendLineAsync("t " + command);
        return await client.ReadAnswerAsync("t");
    }
}
