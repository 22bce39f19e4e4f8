using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using Xunit;

namespace ImapDirector.Storage.Tests.Store.Maintenance;

/// <summary>Databases that a disk made nonsense of: nothing that is asked of them may end in anything but findings, and nothing may be made worse.</summary>
public sealed class BrokenDatabaseTests
{
    private const int PageBytes = 4096;

    [Fact]
    public async Task Whatever_page_is_damaged_the_messages_that_are_not_on_it_are_exported()
    {
        await using var user = await FilledAsync();
        var (file, bytes, messages) = await CloseAsync(user);
        var counts = new List<int>();
        for (var page = 0; page < bytes.Length; page += PageBytes)
        {
            var damaged = bytes.ToArray();
            new Random(page).NextBytes(damaged.AsSpan(page, PageBytes));
            var exported = await ExportAsync(user, file, damaged, messages);
            Assert.True(exported.Messages == messages || exported.Findings.Count > 0);
            counts.Add(exported.Messages);
        }
        // Without the first page, and a few on which everything else hangs, nothing can be found.
        Assert.InRange(counts.Count(static count => count == 0), 1, 8);
        Assert.True(counts.Count(count => count > messages * 3 / 4) > counts.Count / 2);
    }

    [Fact]
    public async Task Whatever_bytes_are_damaged_all_commands_end_in_findings_at_most()
    {
        await using var user = await FilledAsync();
        var (file, bytes, messages) = await CloseAsync(user);
        var random = new Random(20290305);
        for (var round = 0; round < 60; round++)
        {
            var damaged = bytes.ToArray();
            for (var i = random.Next(1, 6); i > 0; i--) damaged[random.Next(100, damaged.Length)] = (byte)random.Next(256);
            await ExportAsync(user, file, damaged, messages);
            user.Check();
            var findings = await user.RepairAsync(removeLost: round % 2 == 0);
            if (findings.All(static finding => finding.IsMended)) Assert.Empty(user.Check());
            using var taken = StoreDirectory.Open(user.Directory.FullName).Take();
            taken.Vacuum(user.User, progress: null, CancellationToken.None);
            foreach (var leftover in new[] { "-wal", "-shm" }) File.Delete(file + leftover);
        }
    }

    private static async Task<ExchangeResult> ExportAsync(StoreFixture user, string file, byte[] damaged, int messages)
    {
        await File.WriteAllBytesAsync(file, damaged);
        var target = Path.Combine(user.Directory.FullName, "export");
        var exported = StoreDirectory.Open(user.Directory.FullName).Export(user.User, target, MailFormat.Maildir, keepUids: true, progress: null, CancellationToken.None);
        var files = Directory.GetFiles(target, "*.imapdirector,*", SearchOption.AllDirectories);
        Assert.True(files.Length == exported.Messages && files.Length <= messages);
        Directory.Delete(target, recursive: true);
        foreach (var leftover in new[] { "-wal", "-shm" }) File.Delete(file + leftover);
        return exported;
    }

    private static async Task<(string File, byte[] Bytes, int Messages)> CloseAsync(StoreFixture user)
    {
        var messages = user.Store.ListMailboxes().Sum(static mailbox => (int)mailbox.Messages);
        await user.Store.DisposeAsync();
        var file = Path.Combine(user.UserDirectory, "mail.db");
        return (file, await File.ReadAllBytesAsync(file), messages);
    }

    private static async Task<StoreFixture> FilledAsync()
    {
        var user = await StoreFixture.OpenAsync();
        for (var number = 0; number < 120; number++)
        {
            var text = $"Subject: {number}\r\n\r\n" + new string('x', number % 10 == 0 ? 9000 : 100) + "\r\n";
            await user.AddAsync(number % 4 == 0 ? "Sent" : "INBOX", text, new FlagList((SystemFlags)(number % 32), ["$Label1", $"keyword{number % 7}"]));
        }
        await user.AddAsync("INBOX", "Subject: large\r\n\r\n" + new string('y', MessageContents.MaxBodyBytesInDatabase));
        return user;
    }
}
