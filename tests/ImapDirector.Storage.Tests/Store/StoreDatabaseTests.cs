using ImapDirector.Storage.Store;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

/// <summary>Reads that are given up.</summary>
public sealed class StoreDatabaseTests
{
    // A row, and then none for ever.
    private const string Endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i = 1";

    [Fact]
    public async Task What_SQLite_is_at_ends_with_the_token_and_the_store_goes_on()
    {
        await using var user = await StoreFixture.OpenAsync();
        await using var database = StoreDatabase.Open(Path.Combine(user.UserDirectory, "mail.db"), static _ => { });
        using var deadline = new CancellationTokenSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = Task.Run(() => database.Read(store =>
        {
            store.Each(Endless, _ => begun.SetResult());
            return true;
        }, deadline.Token));
        await begun.Task;
        await deadline.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        Assert.Equal(6, database.Read(MailboxTable.All).Count);
    }

    [Fact]
    public async Task A_token_that_has_fired_reads_nothing_and_one_that_fires_later_ends_nothing_else()
    {
        await using var user = await StoreFixture.OpenAsync();
        await using var database = StoreDatabase.Open(Path.Combine(user.UserDirectory, "mail.db"), static _ => { });
        using var deadline = new CancellationTokenSource();
        Assert.Equal(6, database.Read(MailboxTable.All, deadline.Token).Count);
        await deadline.CancelAsync();
        Assert.Equal(100_000, database.Read(static store => store.Scalar<long>("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT max(i) FROM n")));
        Assert.ThrowsAny<OperationCanceledException>(() => database.Read(MailboxTable.All, deadline.Token));
    }
}
