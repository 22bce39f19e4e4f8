using ImapDirector.ClusterRun.Checks;
using Xunit;

namespace ImapDirector.ClusterRun.Tests;

public sealed class NodeLogTests
{
    [Theory]
    [InlineData("""{"Timestamp":"2029-03-05T10:11:12.345Z","EventId":1001}""", 1001)]
    [InlineData("""{"Timestamp":"2029-03-05T10:11:12.345Z","Eve{"Timestamp":"2029-03-05T10:11:13.345Z","EventId":1002}""", 1002)]
    [InlineData("""{"Timestamp":"2029-03-05T10:11:12.345Z","Eve""", null)]
    [InlineData("Unhandled exception.", null)]
    [InlineData("", null)]
    public void Half_a_line_of_a_node_that_was_killed_spoils_none_behind_it(string line, int? eventId)
    {
        using var entry = NodeLog.Parse(line);
        Assert.Equal(eventId, entry?.RootElement.GetProperty("EventId").GetInt32());
    }
}
