using System.Net;
using ImapDirector.Director.Login;
using ImapDirector.Director.Tests.Directory;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class FailurePenaltyTests
{
    private readonly ManualClock _clock = new();
    private readonly FailurePenalty _penalty;

    public FailurePenaltyTests() => _penalty = new FailurePenalty(TimeSpan.FromSeconds(2), _clock);

    [Fact]
    public void P15_each_further_guess_from_an_address_waits_longer_up_to_15_seconds() =>
        Assert.Equal([2, 4, 8, 15, 15], Enumerable.Range(0, 5).Select(i => Seconds("192.0.2.1", $"guess{i}")));

    [Fact]
    public void P15_the_same_guess_counts_once()
    {
        Assert.Equal(2, Seconds("192.0.2.1", "old password"));
        Assert.Equal(2, Seconds("192.0.2.1", "old password"));
        Assert.Equal(4, Seconds("192.0.2.1", "another"));
        Assert.Equal(4, Seconds("192.0.2.1", "old password"));
    }

    [Fact]
    public void P15_an_hour_after_the_last_failure_all_is_forgotten()
    {
        Seconds("192.0.2.1", "a");
        _clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(4, Seconds("192.0.2.1", "b"));
        _clock.Advance(TimeSpan.FromMinutes(60));
        Assert.Equal(2, Seconds("192.0.2.1", "c"));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:1:2::3", "2001:db8:1:ffff::4", true)]
    [InlineData("2001:db8:1:2::3", "2001:db8:2:2::3", false)]
    public void P12_an_IPv6_address_stands_for_its_48_prefix(string first, string second, bool isSame)
    {
        Seconds(first, "a");

        Assert.Equal(isSame ? 4 : 2, Seconds(second, "b"));
    }

    [Fact]
    public void A_first_delay_of_nothing_stays_nothing() =>
        Assert.Equal(TimeSpan.Zero, new FailurePenalty(TimeSpan.Zero, _clock).Note(IPAddress.Loopback, "a"u8, "b"u8));

    private double Seconds(string address, string password) =>
        _penalty.Note(IPAddress.Parse(address), "alice"u8, System.Text.Encoding.UTF8.GetBytes(password)).TotalSeconds;
}
