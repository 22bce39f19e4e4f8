using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Sessions;
using ImapDirector.Storage.Tests.Store;
using ImapDirector.Tests.Shared;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ImapDirector.Storage.Tests.Delivery;

/// <summary>A store that is damaged, or of which the database is gone, is refused as it is: nothing is made in its place, and nobody else notices.</summary>
public sealed class DamagedStoreTests
{
    private const string Bob = "bob@example.com";

    public static TheoryData<string> Damages => ["missing", "empty", "garbage", "header", "foreign", "another's number", "no tables", "cut", "log alone"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_store_is_refused_counted_and_left_as_it_is(string damage)
    {
        var data = Directory.CreateTempSubdirectory("node-");
        try
        {
            var directory = DirectoryOf(data.FullName, RunningNode.User);
            await using (var healthy = await RunningNode.StartAsync(directory: data.FullName))
            {
                await DeliverAsync(healthy, RunningNode.User, new string('x', 100_000), "250 ");
                await DeliverAsync(healthy, RunningNode.User, "small", "250 ");
                await DeliverAsync(healthy, Bob, "small", "250 ");
            }
            Damage(Path.Combine(directory, "mail.db"), damage);
            var before = Files(directory);

            await using var node = await RunningNode.StartAsync(directory: data.FullName);
            await using (var client = await node.ConnectAsync())
            {
                await client.SendLineAsync($"login AUTHENTICATE PLAIN {RunningNode.Credentials(RunningNode.User)}");
                Assert.Equal("login NO [UNAVAILABLE] The mail cannot be reached now.", await client.ReadLineAsync());
            }
            await DeliverAsync(node, RunningNode.User, "late", "451 4.3.0 ");
            Assert.Equal(before, Files(directory));
            var metrics = await node.MetricsTextAsync();
            Assert.Contains("\nimapdirector_node_damaged_stores 1\n", metrics, StringComparison.Ordinal);
            Assert.Contains("\nimapdirector_node_store_failures_total{cause=\"damaged\"} 2\n", metrics, StringComparison.Ordinal);

            await DeliverAsync(node, Bob, "more", "250 ");
            await using var bob = await node.LogInAsync(Bob);
            Assert.Contains("* 2 EXISTS", await bob.CommandAsync("SELECT INBOX"));
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_store_is_served_again_once_it_was_brought_back()
    {
        var data = Directory.CreateTempSubdirectory("node-");
        try
        {
            var database = Path.Combine(DirectoryOf(data.FullName, RunningNode.User), "mail.db");
            await using (var healthy = await RunningNode.StartAsync(directory: data.FullName)) await DeliverAsync(healthy, RunningNode.User, "small", "250 ");
            var saved = await File.ReadAllBytesAsync(database);
            Damage(database, "garbage");

            await using var node = await RunningNode.StartAsync(directory: data.FullName);
            await DeliverAsync(node, RunningNode.User, "early", "451 4.3.0 ");
            await File.WriteAllBytesAsync(database, saved);
            await DeliverAsync(node, RunningNode.User, "late", "250 ");
            Assert.Contains("\nimapdirector_node_damaged_stores 0\n", await node.MetricsTextAsync(), StringComparison.Ordinal);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Damage_that_is_met_in_a_session_is_told_and_the_session_goes_on()
    {
        var data = Directory.CreateTempSubdirectory("node-");
        try
        {
            var database = Path.Combine(DirectoryOf(data.FullName, RunningNode.User), "mail.db");
            await using (var healthy = await RunningNode.StartAsync(directory: data.FullName))
                for (var message = 0; message < 20; message++) await DeliverAsync(healthy, RunningNode.User, new string('x', 20_000), "250 ");
            // The beginning, with the tables' names, is whole; what messages say is not.
            await using (var file = File.OpenWrite(database))
            {
                file.Position = file.Length / 2;
                await file.WriteAsync(new byte[file.Length - file.Position]);
            }

            await using var node = await RunningNode.StartAsync(directory: data.FullName);
            await using var client = await node.LogInAsync();
            await client.CommandAsync("SELECT INBOX");
            var answers = new List<string>();
            for (var message = 1; message <= 20; message++) answers.Add((await client.CommandAsync($"UID FETCH {message} ENVELOPE"))[^1]);
            Assert.Contains("NO [CORRUPTION] The mail is damaged.", answers);
            Assert.StartsWith("OK ", (await client.CommandAsync("NOOP"))[^1], StringComparison.Ordinal);
            Assert.Contains("imapdirector_node_store_failures_total{cause=\"damaged\"} ", await node.MetricsTextAsync(), StringComparison.Ordinal);
        }
        finally
        {
            data.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task What_a_crash_left_is_removed_but_not_beside_a_database_that_never_had_a_content()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.Store.DisposeAsync();
        var contents = Directory.CreateDirectory(Path.Combine(user.UserDirectory, "contents")).FullName;
        var stray = Path.Combine(contents, Guid.NewGuid().ToString("N"));
        await File.WriteAllTextAsync(stray, "rescued");
        await File.WriteAllBytesAsync(Path.Combine(user.UserDirectory, "mail.db-wal"), []);
        await user.ReopenAsync();
        Assert.True(File.Exists(stray));

        await user.AddAsync("INBOX", "Subject: x\r\n\r\n");
        await user.Store.DisposeAsync();
        await File.WriteAllBytesAsync(Path.Combine(user.UserDirectory, "mail.db-wal"), []);
        await user.ReopenAsync();
        Assert.False(File.Exists(stray));
    }

    private static void Damage(string database, string how)
    {
        switch (how)
        {
            case "missing":
                File.Delete(database);
                break;
            case "empty":
                File.WriteAllBytes(database, []);
                break;
            case "garbage":
                var garbage = new byte[40_000];
                new Random(1).NextBytes(garbage);
                File.WriteAllBytes(database, garbage);
                break;
            case "header":
                using (var file = File.OpenWrite(database)) file.Write("SQLite format 4"u8);
                break;
            case "foreign":
                File.Delete(database);
                Execute(database, "CREATE TABLE bookmarks (url TEXT)");
                break;
            case "another's number":
                Execute(database, "PRAGMA application_id=1");
                break;
            case "no tables":
                Execute(database, "DROP TABLE messages");
                break;
            case "cut":
                using (var file = File.OpenWrite(database)) file.SetLength(5000);
                break;
            case "log alone":
                File.Delete(database);
                Directory.Delete(Path.Combine(Path.GetDirectoryName(database)!, "contents"), recursive: true);
                File.WriteAllText(database + "-wal", "what was acknowledged");
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(how));
        }
    }

    private static void Execute(string database, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // All of it is written here.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static async Task DeliverAsync(RunningNode node, string user, string text, string expected)
    {
        await using var client = await LmtpClient.BeginAsync(node.Node.LmtpEndPoint);
        await client.AskAsync($"RCPT TO:<{user}>");
        Assert.StartsWith(expected, Assert.Single(await client.DataAsync($"Subject: x\r\n\r\n{text}", recipients: 1)), StringComparison.Ordinal);
    }

    private static string DirectoryOf(string data, string user)
    {
        Assert.True(UserName.TryCreate(user, null, out var name));
        return UserStorePath.Of(data, name);
    }

    /// <summary>Every file with its bytes, but for what SQLite makes and removes when it looks.</summary>
    private static List<(string Name, string Bytes)> Files(string directory) =>
        [.. Directory.GetFiles(directory, "*", SearchOption.AllDirectories).Where(static file => !file.EndsWith("-shm", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(static file => (file, Encoding.Latin1.GetString(File.ReadAllBytes(file))))];
}
