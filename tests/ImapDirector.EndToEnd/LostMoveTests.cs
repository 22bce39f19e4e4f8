using ImapDirector.Tests.Shared;
using MailKit;
using StackExchange.Redis;
using Xunit;

namespace ImapDirector.EndToEnd;

/// <summary>A failover of Redis has lost a move, and epochs have risen since: it says a node that the user has left.</summary>
public sealed class LostMoveTests
{
    private static readonly string Assignment = $"imapdirector:{{{Mail.Alice}}}:assignment";

    [FactIfInstalled("redis-server")]
    public async Task The_node_that_the_user_left_begins_no_new_store_and_the_next_move_finds_the_mail()
    {
        await using var cluster = await MovingCluster.StartAsync([Mail.Alice]);
        await Mail.DeliverAsync(cluster.Director.Lmtp, Mail.Alice, Mail.Message("one"));
        var before = await cluster.Database.HashGetAllAsync(Assignment);
        var (code, _, error) = await cluster.RunAsync("user", "move", Mail.Alice, "node1");
        Assert.True(code == 0, error);
        // Nobody remembers it.
        await cluster.KillDirectorAsync(0);
        await cluster.Database.KeyDeleteAsync(Assignment);
        await cluster.Database.HashSetAsync(Assignment, [.. before, new HashEntry("epoch", 50)]);
        await cluster.StartDirectorAsync(0);

        await Assert.ThrowsAnyAsync<Exception>(() => Mail.LogInAsync(cluster.Director.Imaps));
        await Assert.ThrowsAnyAsync<Exception>(() => Mail.DeliverAsync(cluster.Director.Lmtp, Mail.Alice, Mail.Message("two")));
        Assert.Equal([(1, Mail.Alice, "Active", 1L, 3L)], await cluster.HeldAsync());

        (code, _, error) = await cluster.RunAsync("user", "move", Mail.Alice, "node1");
        Assert.True(code != 0, "the move cannot have been carried out");
        Assert.Contains("does not release the user", error, StringComparison.Ordinal);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await cluster.StepAsync(Mail.Alice) != "failed") await Task.Delay(20, patience.Token);
        Assert.Equal("node1", await cluster.NodeOfAsync(Mail.Alice));
        await Mail.DeliverAsync(cluster.Director.Lmtp, Mail.Alice, Mail.Message("three"));
        using var client = await Mail.LogInAsync(cluster.Director.Imaps);
        await client.Inbox.OpenAsync(FolderAccess.ReadOnly);
        Assert.Equal(2, client.Inbox.Count);
        Assert.Equal((1, Mail.Alice, "Active", 2L), (await cluster.HeldAsync()) is [var (node, user, state, messages, epoch)] && epoch > 50 ? (node, user, state, messages) : default);
    }
}
