using ImapDirector.Storage.Tests.Sessions;
using Xunit;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>LIST finds what others share by an index that the access lists make, and remake.</summary>
public sealed class SharingIndexTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("sharing-");

    private string Index => Path.Combine(_directory.FullName, "sharing");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task An_index_that_was_lost_is_made_again_as_stores_are_opened()
    {
        await using (var node = await RunningNode.StartAsync(directory: _directory.FullName))
        {
            await using var alice = await node.LogInAsync();
            await alice.OkAsync("SETACL INBOX bob@example.com lr");
            Assert.Single(Directory.GetFiles(Index, "*", SearchOption.AllDirectories));
        }
        Directory.Delete(Index, recursive: true);
        await using var again = await RunningNode.StartAsync(directory: _directory.FullName);
        await using var bob = await again.LogInAsync("bob@example.com");
        Assert.Empty(await bob.OkAsync("LIST \"\" Other*"));
        await bob.OkAsync("STATUS \"Other Users/alice@example.com/INBOX\" (MESSAGES)");
        Assert.Equal(3, (await bob.OkAsync("LIST \"\" Other*")).Count);
    }

    [Fact]
    public async Task What_is_shared_no_more_leaves_the_index_and_what_is_left_over_gives_nothing()
    {
        await using var node = await RunningNode.StartAsync(directory: _directory.FullName);
        await using var alice = await node.LogInAsync();
        await using var bob = await node.LogInAsync("bob@example.com");
        await alice.OkAsync("SETACL INBOX bob@example.com lr");
        await alice.OkAsync("SETACL Sent bob@example.com lr");
        await alice.OkAsync("DELETEACL INBOX bob@example.com");
        var entry = Assert.Single(Directory.GetFiles(Index, "*", SearchOption.AllDirectories));
        await alice.OkAsync("DELETEACL Sent bob@example.com");
        Assert.Empty(Directory.GetFiles(Index, "*", SearchOption.AllDirectories));
        Directory.CreateDirectory(Path.GetDirectoryName(entry)!);
        await File.WriteAllTextAsync(entry, "");
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(entry)!, "nobody@example.com"), "");
        await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(entry)!, "no user"), "");
        Assert.Empty(await bob.OkAsync("LIST \"\" Other*"));
        Assert.Equal(2, node.UserDirectories.Length);
    }

    [Fact]
    public async Task Whatever_comes_and_goes_leaves_nothing_behind()
    {
        await using var node = await RunningNode.StartAsync(directory: _directory.FullName);
        await using var alice = await node.LogInAsync();
        for (var i = 0; i < 5; i++)
        {
            await alice.OkAsync("CREATE a/b");
            await alice.OkAsync($"SETACL a user{i} lr");
            await alice.OkAsync("DELETE a");
            await alice.OkAsync($"SETACL a other{i} lr");
            await alice.OkAsync("CREATE a");
            await alice.OkAsync("DELETE a/b");
            await alice.OkAsync("DELETE a");
        }
        for (var i = 0; i < 100; i++) await alice.OkAsync($"SETACL INBOX -user{i} r");
        for (var i = 0; i < 5; i++) Assert.StartsWith("NO [LIMIT] ", (await alice.CommandAsync($"SETACL INBOX user{i} lr"))[^1], StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Index).SelectMany(Directory.GetFileSystemEntries));
    }

    [Fact]
    public async Task A_user_whose_store_is_damaged_hides_nothing_of_others_and_one_without_an_index_sees_all_of_his_own()
    {
        await using (var node = await RunningNode.StartAsync(directory: _directory.FullName))
        {
            foreach (var user in new[] { "alice@example.com", "carol@example.com" })
            {
                await using var owner = await node.LogInAsync(user);
                await owner.OkAsync("SETACL INBOX bob@example.com lr");
            }
        }
        var damaged = Directory.GetFiles(_directory.FullName, "mail.db", SearchOption.AllDirectories).Single(static path => path.Contains("alice@example.com", StringComparison.Ordinal));
        await File.WriteAllTextAsync(damaged, new string('x', 8192));
        await using var again = await RunningNode.StartAsync(directory: _directory.FullName);
        await using var bob = await again.LogInAsync("bob@example.com");
        Assert.Contains("* LIST (\\HasNoChildren) \"/\" \"Other Users/carol@example.com/INBOX\"", await bob.OkAsync("LIST \"\" Other*"));
        Assert.StartsWith("NO [CORRUPTION] ", (await bob.CommandAsync("SELECT \"Other Users/alice@example.com/INBOX\""))[^1], StringComparison.Ordinal);

        Directory.Delete(Index, recursive: true);
        foreach (var line in await bob.OkAsync("LIST \"\" *")) Assert.DoesNotContain("Other Users", line, StringComparison.Ordinal);
        Assert.Equal(6, (await bob.OkAsync("LIST \"\" *")).Count);
    }
}
