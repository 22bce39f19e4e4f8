using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>LIST, LSUB and NAMESPACE.</summary>
public sealed class ListTests
{
    private static async Task<(RunningNode, ImapClient)> StartAsync()
    {
        var node = await RunningNode.StartAsync();
        var client = await node.LogInAsync();
        await client.OkAsync("CREATE work/2030/q1");
        await client.OkAsync("SUBSCRIBE work/2030/q1");
        await client.OkAsync("CREATE gone");
        await client.OkAsync("SUBSCRIBE gone");
        await client.OkAsync("DELETE gone");
        return (node, client);
    }

    [Fact]
    public async Task A_new_user_has_INBOX_and_the_mailboxes_of_the_special_uses()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        Assert.Equal(
            ["* LIST (\\HasNoChildren \\Archive) \"/\" Archive", "* LIST (\\HasNoChildren \\Drafts) \"/\" Drafts", "* LIST (\\HasNoChildren) \"/\" INBOX",
             "* LIST (\\HasNoChildren \\Junk) \"/\" Junk", "* LIST (\\HasNoChildren \\Sent) \"/\" Sent", "* LIST (\\HasNoChildren \\Trash) \"/\" Trash"],
            await client.OkAsync("LIST \"\" *"));
    }

    public static TheoryData<string, string[]> Lists => new()
    {
        { "LIST \"\" \"\"", ["* LIST (\\Noselect) \"/\" \"\""] },
        { "LIST \"\" inbox", ["* LIST (\\HasNoChildren) \"/\" INBOX"] },
        { "LIST \"\" work*", ["* LIST (\\HasChildren) \"/\" work", "* LIST (\\HasChildren) \"/\" work/2030", "* LIST (\\HasNoChildren) \"/\" work/2030/q1"] },
        { "LIST \"\" w%", ["* LIST (\\HasChildren) \"/\" work"] },
        { "LIST work/ %", ["* LIST (\\HasChildren) \"/\" work/2030"] },
        { "LIST \"\" work/%/q1", ["* LIST (\\HasNoChildren) \"/\" work/2030/q1"] },
        { "LIST \"\" nowhere", [] },
        { "LIST \"\" (inbox w%)", ["* LIST (\\HasNoChildren) \"/\" INBOX", "* LIST (\\HasChildren) \"/\" work"] },
        { "LIST (SPECIAL-USE) \"\" S*", ["* LIST (\\HasNoChildren \\Sent) \"/\" Sent"] },
        { "LIST \"\" Sent RETURN (SPECIAL-USE SUBSCRIBED CHILDREN)", ["* LIST (\\HasNoChildren \\Subscribed \\Sent) \"/\" Sent"] },
        { "LIST (SUBSCRIBED) \"\" (w* g*)", ["* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" gone", "* LIST (\\HasNoChildren \\Subscribed) \"/\" work/2030/q1"] },
        { "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (w% g%)", ["* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" gone", "* LIST (\\HasChildren) \"/\" work (\"CHILDINFO\" (\"SUBSCRIBED\"))"] },
        { "LIST (REMOTE) \"\" inbox", ["* LIST (\\HasNoChildren) \"/\" INBOX"] },
        { "LIST \"\" work RETURN (STATUS (MESSAGES UNSEEN))", ["* LIST (\\HasChildren) \"/\" work", "* STATUS work (MESSAGES 0 UNSEEN 0)"] },
        { "LIST (SUBSCRIBED) \"\" gone RETURN (STATUS (MESSAGES))", ["* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" gone"] },
        { "LSUB \"\" w*", ["* LSUB () \"/\" work/2030/q1"] },
        { "LSUB \"\" w%", ["* LSUB (\\Noselect) \"/\" work"] },
        { "LSUB \"\" gone", ["* LSUB () \"/\" gone"] },
        { "LSUB work/ %", ["* LSUB (\\Noselect) \"/\" work/2030"] },
        { "NAMESPACE", ["* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) NIL"] },
    };

    [Theory]
    [MemberData(nameof(Lists))]
    public async Task A_list_is_answered(string command, string[] answer)
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client) Assert.Equal(answer, await client.OkAsync(command));
    }

    [Theory]
    [InlineData("LIST (RECURSIVEMATCH) \"\" *", "BAD ")]
    [InlineData("LIST (NONSENSE) \"\" *", "BAD ")]
    [InlineData("LIST \"\"", "BAD ")]
    public async Task A_list_without_meaning_is_refused(string command, string answer)
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client) Assert.StartsWith(answer, (await client.CommandAsync(command))[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pattern_made_to_cost_is_refused()
    {
        await using var node = await RunningNode.StartAsync();
        await using var client = await node.LogInAsync();
        var name = new string('a', 250);
        await client.OkAsync($"CREATE {name}/{name}/{name}");
        var pattern = string.Concat(Enumerable.Repeat("*a", 500)) + "b";
        Assert.Equal("NO [LIMIT] The pattern is too costly.", (await client.CommandAsync($"LIST \"\" {pattern}"))[^1]);
    }

    [Fact]
    public async Task A_parent_that_was_deleted_stays_in_the_list_until_its_children_are_gone()
    {
        var (node, client) = await StartAsync();
        await using (node)
        await using (client)
        {
            await client.OkAsync("DELETE work");
            Assert.Equal(["* LIST (\\Noselect \\HasChildren) \"/\" work"], await client.OkAsync("LIST \"\" work"));
            Assert.StartsWith("NO [NONEXISTENT] ", (await client.CommandAsync("SELECT work"))[^1], StringComparison.Ordinal);
            await client.OkAsync("CREATE work");
            await client.OkAsync("SELECT work");
        }
    }
}
