using System.Security.Cryptography;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;
using ImapDirector.Storage.Transfer;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ImapDirector.Storage.Tests.Transfer;

/// <summary>What a node that is in a stranger's hands could send.</summary>
public sealed class ArrivedStoreTests
{
    private const string Endless = "CREATE VIEW subscriptions (name) AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("UPDATE contents SET file = '/etc/passwd' WHERE file IS NOT NULL")]
    [InlineData("UPDATE contents SET file = '../../bob@example.com/mail.db' WHERE id = 1")]
    [InlineData("UPDATE contents SET file = upper(file) WHERE file IS NOT NULL")]
    [InlineData("UPDATE contents SET file = '' WHERE id = 1")]
    [InlineData("CREATE TRIGGER t AFTER UPDATE ON counters BEGIN INSERT INTO access VALUES (1, 'anyone', 'lr'); END")]
    [InlineData("DROP TABLE subscriptions; " + Endless)]
    [InlineData("CREATE VIEW more AS SELECT 1")]
    [InlineData("CREATE TABLE more (id INTEGER)")]
    [InlineData("CREATE INDEX more ON messages (uid)")]
    [InlineData("CREATE VIRTUAL TABLE more USING fts5(text)")]
    [InlineData("ALTER TABLE metadata ADD COLUMN more TEXT")]
    [InlineData("DROP TABLE deliveries")]
    [InlineData("DROP INDEX unreferenced_content")]
    [InlineData("DROP INDEX unreferenced_content; CREATE INDEX unreferenced_content ON content_references (content_id) WHERE messages = 1")]
    [InlineData("ANALYZE")]
    [InlineData("PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_t', 'counters', 0, 'CREATE TRIGGER sqlite_t AFTER UPDATE ON counters BEGIN SELECT 1; END')")]
    [InlineData("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'metadata') WHERE name = 'access'")]
    [InlineData("PRAGMA user_version = 3")]
    public async Task What_no_node_makes_is_not_taken(string sql)
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        var manifest = await TamperAsync(nodes, sql);
        var refused = await Assert.ThrowsAsync<TransferException>(() => TakeAsync(nodes, manifest));
        Assert.Equal(TransferFault.Damaged, refused.Fault);
        Assert.DoesNotContain("passwd", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_as_it_should_be_is()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        Assert.True(Directory.Exists((await TakeAsync(nodes, await TamperAsync(nodes, "VACUUM"))).Directory));
    }

    [Fact]
    public async Task A_question_without_an_end_ends_with_its_token()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        await TamperAsync(nodes, "DROP TABLE subscriptions; " + Endless);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Run(() => StoreFingerprint.Of(CopyOf(nodes), stop.Token), None).WaitAsync(TimeSpan.FromSeconds(60), None));
    }

    [Fact]
    public async Task A_store_is_looked_at_no_longer_than_somebody_wants_it()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        await TamperAsync(nodes, "VACUUM");
        Assert.ThrowsAny<OperationCanceledException>(() => ArrivedStore.Demand(CopyOf(nodes), new CancellationToken(canceled: true)));
    }

    private static string CopyOf(TwoNodes nodes) => TransferPath.StoreIn(TransferPath.Outgoing(nodes.From.Data, nodes.User));

    /// <summary>Changes what is ready to be sent, and the manifest with it.</summary>
    private static async Task<TransferManifest> TamperAsync(TwoNodes nodes, string sql)
    {
        Assert.Equal(TransferAnswer.Done, await nodes.From.Transfers.ReleaseAsync(nodes.User, 2, None));
        var manifest = OutgoingStore.Prepare(nodes.From.Data, nodes.User, 2, None);
        var file = Path.Combine(CopyOf(nodes), StoreSnapshot.DatabaseName);
        await using (var database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString()))
        {
            await database.OpenAsync();
            await using var command = database.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync();
        }
        var bytes = await File.ReadAllBytesAsync(file);
        return manifest with { Files = [new TransferFile(StoreSnapshot.DatabaseName, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))), .. manifest.Files.Skip(1)] };
    }

    private static async Task<IncomingStore> TakeAsync(TwoNodes nodes, TransferManifest manifest)
    {
        var incoming = IncomingStore.Begin(nodes.To.Data, nodes.User, manifest, TimeSpan.FromMilliseconds(1));
        await Task.Run(() => incoming.TakeAsync((number, offset, _) => Task.FromResult(OutgoingStore.OpenFile(nodes.From.Data, nodes.User, manifest.Files[number], offset)), None))
            .WaitAsync(TimeSpan.FromSeconds(60));
        return incoming;
    }
}
