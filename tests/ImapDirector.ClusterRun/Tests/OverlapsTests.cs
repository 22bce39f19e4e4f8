using ImapDirector.ClusterRun.Checks;
using Xunit;

namespace ImapDirector.ClusterRun.Tests;

public sealed class OverlapsTests
{
    [Theory]
    [InlineData("a 0-5, b 5-9", 0)]
    [InlineData("a 0-5, b 4-9", 1)]
    [InlineData("b 4-9, a 0-5", 1)]
    [InlineData("a 0-5, a 4-9", 0)]
    [InlineData("a 0-9, a 1-2, b 3-4", 1)]
    [InlineData("a 0-9, b 1-2, c 3-4, c 8-12, b 11-13", 4)]
    public void A_user_at_two_nodes_at_one_time_is_found(string stays, int overlaps) =>
        Assert.Equal(overlaps, Overlaps.Find(stays.Split(", ").Select(static stay => Read("alice", stay)).Append(Read("bob", "z 0-99"))).Count());

    private static Stay Read(string user, string stay)
    {
        var times = stay[2..].Split('-');
        return new Stay(user, stay[..1], At(times[0]), At(times[1]), "");
    }

    private static DateTime At(string seconds) => DateTime.UnixEpoch.AddSeconds(int.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture));
}
