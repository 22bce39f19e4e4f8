using CsCheck;
using ImapDirector.Director.Directory;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class RendezvousHashTests
{
    private static readonly Gen<BackendNode[]> Nodes =
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 1000].Array[12]).Select((count, weights) => Enumerable.Range(0, count).Select(i => Node($"node{i}", weights[i])).ToArray());

    private static readonly Gen<string> Name = Gen.String[Gen.Char['a', 'z'], 1, 20].Select(local => local + "@example.com");

    [Fact]
    public void A_new_node_takes_users_only_to_itself() =>
        Gen.Select(Nodes, Gen.Int[1, 1000], Name).Sample((nodes, weight, name) =>
        {
            var before = RendezvousHash.Pick(User(name), "default", nodes)!.Name;
            var after = RendezvousHash.Pick(User(name), "default", [.. nodes, Node("new", weight)])!.Name;
            return after == before || after == "new";
        });

    [Fact]
    public void The_order_of_the_nodes_does_not_matter() =>
        Gen.Select(Nodes, Name).Sample((nodes, name) =>
            RendezvousHash.Pick(User(name), "default", nodes)!.Name == RendezvousHash.Pick(User(name), "default", nodes.Reverse().ToArray())!.Name);

    [Fact]
    public void Ten_thousand_users_are_spread_by_weight()
    {
        BackendNode[] nodes = [Node("a", 100), Node("b", 200), Node("c", 300), Node("none", 0), Node("elsewhere", 1000, "other")];
        var counts = Enumerable.Range(0, 10_000)
            .CountBy(i => RendezvousHash.Pick(User($"user{i}@example.com"), "default", nodes)!.Name).ToDictionary();

        Assert.Equal(3, counts.Count);
        Assert.InRange(counts["a"], 1667 - 250, 1667 + 250);
        Assert.InRange(counts["b"], 3333 - 250, 3333 + 250);
        Assert.InRange(counts["c"], 5000 - 250, 5000 + 250);
    }

    [Theory]
    [InlineData("alice@example.com", "node4")]
    [InlineData("bob@example.com", "node1")]
    [InlineData("carol@example.com", "node2")]
    [InlineData("dave", "node3")]
    public void The_pick_is_the_same_in_every_process_and_version(string name, string node)
    {
        BackendNode[] nodes = [Node("node1"), Node("node2"), Node("node3"), Node("node4")];
        Assert.Equal(node, RendezvousHash.Pick(User(name), "default", nodes)!.Name);
    }

    [Fact]
    public void Without_a_node_of_weight_in_the_pool_there_is_no_pick() =>
        Assert.Null(RendezvousHash.Pick(User("alice"), "default", [Node("a", 0), Node("b", 100, "other")]));
}
