using System.Net;
using CsCheck;
using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class ConnectionLimitsTests
{
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress There = IPAddress.Parse("192.0.2.2");

    [Fact]
    public void One_more_than_the_limit_of_an_address_is_refused_and_others_are_not()
    {
        var limits = new ConnectionLimits(100, 50);
        for (var i = 0; i < 50; i++) Assert.NotNull(limits.TryEnter(Here));
        Assert.Null(limits.TryEnter(Here));
        Assert.NotNull(limits.TryEnter(There));
    }

    [Fact]
    public void A_connection_that_has_authenticated_no_longer_counts_against_its_address()
    {
        var limits = new ConnectionLimits(100, 1);
        var first = limits.TryEnter(Here)!;
        Assert.Null(limits.TryEnter(Here));
        first.Authenticated();
        first.Authenticated();
        Assert.NotNull(limits.TryEnter(Here));
    }

    [Fact]
    public void A_connection_that_is_gone_gives_its_place_back_once()
    {
        var limits = new ConnectionLimits(2, 1);
        var first = limits.TryEnter(Here)!;
        first.Dispose();
        first.Dispose();
        Assert.NotNull(limits.TryEnter(Here));
        Assert.NotNull(limits.TryEnter(There));
        Assert.Null(limits.TryEnter(There));
    }

    [Fact]
    public void Addresses_of_one_64_are_one_client()
    {
        var limits = new ConnectionLimits(100, 1);
        Assert.NotNull(limits.TryEnter(IPAddress.Parse("2001:db8:1:2::1")));
        Assert.Null(limits.TryEnter(IPAddress.Parse("2001:db8:1:2:ffff::9")));
        Assert.NotNull(limits.TryEnter(IPAddress.Parse("2001:db8:1:3::1")));
    }

    [Fact]
    public void An_IPv4_address_is_the_same_on_an_IPv6_socket()
    {
        var limits = new ConnectionLimits(100, 1);
        Assert.NotNull(limits.TryEnter(Here));
        Assert.Null(limits.TryEnter(Here.MapToIPv6()));
    }

    [Fact]
    public void When_all_places_are_taken_the_oldest_stranger_makes_room()
    {
        var limits = new ConnectionLimits(2, 10);
        var evicted = new List<string>();
        var first = limits.TryEnter(Here, () => evicted.Add("first"))!;
        _ = limits.TryEnter(There, () => evicted.Add("second"));
        Assert.NotNull(limits.TryEnter(There, () => evicted.Add("third")));
        Assert.Equal(["first"], evicted);
        // Its own end gives nothing back a second time.
        first.Dispose();
        Assert.NotNull(limits.TryEnter(There));
        Assert.Equal(["first", "second"], evicted);
    }

    [Fact]
    public void Nobody_who_has_authenticated_makes_room()
    {
        var limits = new ConnectionLimits(1, 10);
        var evicted = false;
        limits.TryEnter(Here, () => evicted = true)!.Authenticated();
        Assert.Null(limits.TryEnter(There));
        Assert.False(evicted);
    }

    [Fact]
    public void P12_who_moves_back_to_a_load_balancer_s_address_leaves_the_place_to_another()
    {
        var limits = new ConnectionLimits(100, 1, There.Equals);
        var permit = limits.TryEnter(There)!;
        Assert.True(permit.TryMoveTo(Here));
        Assert.Null(limits.TryEnter(Here));

        Assert.True(permit.TryMoveTo(There));

        Assert.NotNull(limits.TryEnter(Here));
        Assert.NotNull(limits.TryEnter(There));
    }

    [Fact]
    public void P12_what_comes_through_a_load_balancer_counts_where_it_comes_from()
    {
        var limits = new ConnectionLimits(100, 2, There.Equals);
        var permits = Enumerable.Range(0, 10).Select(_ => limits.TryEnter(There)!).ToArray();

        Assert.True(permits[0].TryMoveTo(Here));
        Assert.True(permits[1].TryMoveTo(Here));
        Assert.False(permits[2].TryMoveTo(Here));
        Assert.Null(limits.TryEnter(Here));
        permits[0].Authenticated();
        Assert.True(permits[2].TryMoveTo(Here));
        permits[1].Dispose();
        Assert.NotNull(limits.TryEnter(Here));
        Assert.Null(limits.TryEnter(Here));
    }

    [Fact]
    public void Who_has_authenticated_or_left_counts_for_no_address_they_are_moved_to()
    {
        var limits = new ConnectionLimits(100, 1);
        var authenticated = limits.TryEnter(There)!;
        authenticated.Authenticated();
        var left = limits.TryEnter(There)!;
        left.Dispose();

        Assert.True(authenticated.TryMoveTo(Here));
        Assert.True(left.TryMoveTo(Here));

        Assert.NotNull(limits.TryEnter(Here));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1_000_001, 1)]
    [InlineData(1, 0)]
    public void Limits_outside_their_bounds_are_refused(int connections, int perAddress) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConnectionLimits(connections, perAddress));

    [Fact]
    public void Whatever_comes_and_goes_all_places_are_free_in_the_end()
    {
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 3]).Array[0, 200].Sample(steps =>
        {
            var limits = new ConnectionLimits(7, 3);
            var inside = new List<ConnectionLimits.Permit>();
            foreach (var (host, action) in steps)
            {
                if (action == 0 && inside.Count > 0) inside[host % inside.Count].Dispose();
                else if (action == 1 && inside.Count > 0) inside[host % inside.Count].Authenticated();
                else if (action == 2 && inside.Count > 0) inside[host % inside.Count].TryMoveTo(new IPAddress([192, 0, 2, (byte)(host + 1)]));
                else if (limits.TryEnter(new IPAddress([192, 0, 2, (byte)host])) is { } permit) inside.Add(permit);
            }
            foreach (var permit in inside) permit.Dispose();
            for (byte host = 0; host < 7; host++)
            {
                var entered = limits.TryEnter(new IPAddress([198, 51, 100, host]));
                Assert.NotNull(entered);
                entered.Authenticated();
            }
            Assert.Null(limits.TryEnter(Here));
        }, iter: 500);
    }
}
