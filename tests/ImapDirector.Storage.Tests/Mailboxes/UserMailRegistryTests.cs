using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using Prometheus;
using Xunit;

namespace ImapDirector.Storage.Tests.Mailboxes;

/// <summary>Each user's store is open once.</summary>
public sealed class UserMailRegistryTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("registry-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private UserMailRegistry Open(TimeSpan idleTime) =>
        new(_directory, new StorageMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), idleTime);

    private static UserName User(string name) => UserName.TryCreate(name, null, out var user) ? user : throw new ArgumentException(name);

    [Fact]
    public async Task All_who_ask_at_one_time_share_a_users_mail_and_users_share_none()
    {
        await using var registry = Open(TimeSpan.FromMinutes(1));
        var leases = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => registry.AcquireAsync(User("alice"), CancellationToken.None).AsTask()));
        await using var other = await registry.AcquireAsync(User("bob"), CancellationToken.None);
        Assert.All(leases, lease => Assert.Same(leases[0].Mail, lease.Mail));
        Assert.NotSame(leases[0].Mail, other.Mail);
        Assert.Equal("bob", other.Mail.Store.User.Value);
        Assert.Equal(2, registry.Count);
        foreach (var lease in leases) await lease.DisposeAsync();
    }

    [Fact]
    public async Task Stores_that_nobody_uses_make_room_for_others_and_those_in_use_stay()
    {
        await using var registry = new UserMailRegistry(_directory, new StorageMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), TimeSpan.FromMinutes(1), maxOpen: 4);
        await using var used = await registry.AcquireAsync(User("used"), CancellationToken.None);
        var mail = used.Mail;
        await Parallel.ForEachAsync(Enumerable.Range(0, 60), async (i, token) =>
        {
            await using var lease = await registry.AcquireAsync(User($"user{i % 20}"), token);
            Assert.NotNull(lease.Mail.Store.FindMailbox(MailboxName.Inbox));
        });
        await using (await registry.AcquireAsync(User("last"), CancellationToken.None)) Assert.InRange(registry.Count, 1, 4);
        await using var again = await registry.AcquireAsync(User("used"), CancellationToken.None);
        Assert.Same(mail, again.Mail);
    }

    [Fact]
    public async Task A_store_whose_sessions_are_silent_gives_its_files_back_and_goes_on()
    {
        await using var registry = Open(TimeSpan.FromMinutes(1));
        await using var lease = await registry.AcquireAsync(User("alice"), CancellationToken.None);
        lease.Mail.Store.ListMailboxes();
        await lease.Mail.TrimAsync(TimeSpan.Zero);
        if (OperatingSystem.IsLinux()) Assert.NotEqual(0, OpenFiles());
        await lease.Mail.TrimAsync(TimeSpan.Zero);
        if (OperatingSystem.IsLinux()) Assert.Equal(0, OpenFiles());
        Assert.NotNull(lease.Mail.Store.FindMailbox(MailboxName.Inbox));
        await lease.Mail.TrimAsync(TimeSpan.Zero);
        await lease.Mail.TrimAsync(TimeSpan.Zero);
        Assert.Equal(StoreResult.Done, await lease.Mail.CreateMailboxAsync(new MailboxName("new"), null));
        await lease.Mail.TrimAsync(TimeSpan.Zero);
        await lease.Mail.TrimAsync(TimeSpan.Zero);
        Assert.NotNull(lease.Mail.Store.FindMailbox(new MailboxName("new")));

        int OpenFiles() => Directory.GetFiles("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget?.StartsWith(_directory, StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task A_store_is_closed_some_time_after_its_last_user_left_and_opened_anew_for_the_next()
    {
        await using var registry = Open(TimeSpan.FromMilliseconds(20));
        var first = await registry.AcquireAsync(User("alice"), CancellationToken.None);
        var second = await registry.AcquireAsync(User("alice"), CancellationToken.None);
        var mail = first.Mail;
        await first.DisposeAsync();
        await first.DisposeAsync();
        await Task.Delay(100);
        Assert.Equal(1, registry.Count);
        await second.DisposeAsync();
        while (registry.Count > 0) await Task.Delay(5);
        await using var third = await registry.AcquireAsync(User("alice"), CancellationToken.None);
        Assert.NotSame(mail, third.Mail);
    }

    [Fact]
    public async Task Stores_that_come_and_go_all_the_time_are_always_open_while_they_are_leased()
    {
        await using var registry = Open(TimeSpan.FromMilliseconds(1));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            for (var i = 0; i < 100; i++)
            {
                await using var lease = await registry.AcquireAsync(User($"user{(worker + i) % 3}"), CancellationToken.None);
                Assert.NotEmpty(lease.Mail.Store.ListMailboxes());
                if (i % 10 == 0) await Task.Delay(3);
            }
        }));
    }
}
