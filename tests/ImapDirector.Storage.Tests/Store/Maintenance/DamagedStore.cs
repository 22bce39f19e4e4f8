using ImapDirector.Storage.Store.Maintenance;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ImapDirector.Storage.Tests.Store.Maintenance;

/// <summary>Does to a closed store what a bad disk, a bad program or a bad person does.</summary>
internal static class DamagedStore
{
    public static async Task DamageAsync(this StoreFixture user, string sql)
    {
        await user.Store.DisposeAsync();
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(user.UserDirectory, "mail.db")};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The statements are the tests' own.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    public static string ContentFile(this StoreFixture user) => Assert.Single(Directory.GetFiles(Path.Combine(user.UserDirectory, "contents")));

    public static IReadOnlyList<StoreFinding> Check(this StoreFixture user) => StoreCheck.Run(user.UserDirectory, isAlone: true, progress: null, CancellationToken.None).Findings;

    public static Task<IReadOnlyList<StoreFinding>> RepairAsync(this StoreFixture user, bool removeLost = false) =>
        StoreRepair.RunAsync(user.UserDirectory, removeLost, progress: null, CancellationToken.None);

    /// <summary>Everything a client could see, as text.</summary>
    public static string Describe(this StoreFixture user) => string.Join('\n', user.Store.ListMailboxes().Select(mailbox =>
        $"{mailbox}: " + string.Join(", ", user.Store.LoadMessages(mailbox.Id).Select(message =>
            $"{message.Uid} {message.ModSeq} {message.Flags} [{string.Join(' ', message.Keywords)}] {message.InternalDate:O} {message.SizeBytes} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(user.Content(message)))}"))));
}
