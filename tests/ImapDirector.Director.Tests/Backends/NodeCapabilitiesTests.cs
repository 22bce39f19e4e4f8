using ImapDirector.Director.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

public sealed class NodeCapabilitiesTests
{
    [Fact]
    public void What_all_nodes_can_do_is_offered_as_they_become_known()
    {
        var capabilities = new NodeCapabilities();
        Assert.Equal("LITERAL+ ENABLE IDLE", capabilities.Common);

        capabilities.Note("node1", "IMAP4rev1 SASL-IR ID ENABLE IDLE LITERAL+ MOVE", isAfterLogin: false);
        Assert.Equal("ENABLE IDLE LITERAL+ MOVE", capabilities.Common);

        capabilities.Note("node2", "IMAP4rev1 IMAP4rev2 LITERAL+ IDLE", isAfterLogin: false);
        Assert.Equal("IDLE LITERAL+", capabilities.Common);
    }

    [Fact]
    public void What_a_node_says_after_a_login_goes_before_its_greeting()
    {
        var capabilities = new NodeCapabilities();
        capabilities.Note("node1", "IMAP4rev1 IDLE MOVE QUOTA", isAfterLogin: true);
        capabilities.Note("node1", "IMAP4rev1", isAfterLogin: false);
        Assert.Equal("IDLE MOVE QUOTA", capabilities.Common);
    }

    [Fact]
    public void Nodes_with_nothing_in_common_leave_what_the_director_does_itself()
    {
        var capabilities = new NodeCapabilities();
        capabilities.Note("node1", "IMAP4rev1 IDLE", isAfterLogin: true);
        capabilities.Note("node2", "IMAP4rev1 MOVE", isAfterLogin: true);
        Assert.Equal("", capabilities.Common);
        Assert.Equal("IMAP4rev1 SASL-IR ID", ImapDirector.Director.Login.Capabilities.Secure(capabilities.Common));
    }

    [Fact]
    public void A_node_that_is_taken_out_counts_no_more()
    {
        var capabilities = new NodeCapabilities();
        capabilities.Note("node1", "IMAP4rev1 IDLE MOVE", isAfterLogin: true);
        capabilities.Note("node2", "IMAP4rev1 IDLE", isAfterLogin: true);
        capabilities.Follow([TestDirector.Node("node1")]);
        Assert.Equal("IDLE MOVE", capabilities.Common);
        capabilities.Follow([]);
        Assert.Equal("LITERAL+ ENABLE IDLE", capabilities.Common);
    }

    [Fact]
    public void What_belongs_before_login_or_would_lead_past_the_director_is_not_passed_on() =>
        Assert.Equal("IMAP4rev1 IMAP4rev2 RIGHTS=kxte QUOTA", NodeCapabilities.OfNode(
            ["IMAP4REV1", "IMAP4REV2", "RIGHTS=KXTE", "COMPRESS=DEFLATE", "QUOTA", "LOGINDISABLED", "AUTH=PLAIN", "STARTTLS", "LOGIN-REFERRALS", "UNAUTHENTICATE", "X]Y", "Z\""]));

    [FactIfInstalled("redis-server", "dovecot", CyrusServer.Program, "saslpasswd2")]
    public async Task In_front_of_Dovecot_and_Cyrus_clients_are_offered_what_both_can_do()
    {
        await using var dovecot = await DovecotServer.StartAsync();
        await using var cyrus = await CyrusServer.StartAsync();
        BackendNode[] nodes = [DovecotNodeTests.NodeOf(dovecot) with { Kind = BackendKind.Generic }, CyrusNodeTests.NodeOf(cyrus) with { Name = "node2", Kind = BackendKind.Generic }];
        await using var director = await RunningDirector.StartAsync(nodes[0], options => options with { Nodes = nodes, NodeCheckInterval = TimeSpan.FromMilliseconds(100) });

        // Before anybody has logged in, Cyrus says little of itself and Dovecot a little more.
        await OfferedAsync(director, "IMAP4rev1 SASL-IR ID ENABLE LITERAL+ STARTTLS AUTH=PLAIN AUTH=LOGIN");

        foreach (var (user, node) in (ReadOnlySpan<(string, string)>)[("alice", "node1"), ("bob", "node2")])
            director.Redis.Database.HashSet($"imapdirector:{{{user}@example.com}}:assignment", [new("node", node), new("epoch", 1)]);
        await using var alice = await director.LogInAsync();
        await using var bob = await director.LogInAsync("bob");
        await using var stranger = await director.ConnectAsync();
        var offer = (await OfferAsync(stranger)).Split(' ');
        foreach (var both in (string[])["IDLE", "MOVE", "UIDPLUS", "CONDSTORE", "QRESYNC", "LITERAL+", "STARTTLS"]) Assert.Contains(both, offer);
        // Only Dovecot has the first, only Cyrus the second.
        Assert.DoesNotContain("SNIPPET=FUZZY", offer);
        Assert.DoesNotContain("OBJECTID", offer);
    }

    private static Task OfferedAsync(RunningDirector director, string expected) => TestDirector.UntilAsync(async () =>
    {
        await using var client = await director.ConnectAsync();
        return await OfferAsync(client) == "* CAPABILITY " + expected;
    });

    private static async Task<string> OfferAsync(ImapConversation client)
    {
        await client.SendAsync("z CAPABILITY\r\n");
        return (await client.ReadUntilAsync("z"))[0];
    }
}
