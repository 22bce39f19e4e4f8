using System.Text;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;
using ImapDirector.Storage.Transfer;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Xunit;

namespace ImapDirector.Storage.Tests.Transfer;

/// <summary>Two data directories with what serves them, without any network between them.</summary>
internal sealed class TwoNodes : IAsyncDisposable
{
    private TwoNodes(UserName user) => User = user;

    public UserName User { get; }

    public Half From { get; } = new();

    public Half To { get; } = new();

    /// <summary>A user with messages of every kind on the first.</summary>
    public static async Task<TwoNodes> WithMailAsync(int messages = 5)
    {
        Assert.True(UserName.TryCreate("alice@example.com", null, out var user));
        var nodes = new TwoNodes(user);
        await using var lease = await nodes.From.Mails.AcquireAsync(user, CancellationToken.None);
        for (var number = 0; number < messages; number++)
            await nodes.From.AddAsync(lease.Mail, number % 2 == 0 ? $"Subject: {number}\r\n\r\n" : new string((char)('a' + number % 26), MessageContents.MaxBodyBytesInDatabase + number + 1));
        await lease.Mail.CreateMailboxAsync(new MailboxName("Work/Plans"), null);
        return nodes;
    }

    public async ValueTask DisposeAsync()
    {
        await From.DisposeAsync();
        await To.DisposeAsync();
    }

    public sealed class Half : IAsyncDisposable
    {
        public Half() => Restart();

        public string Data { get; } = Directory.CreateTempSubdirectory("imapdirector-").FullName;

        public UserMailRegistry Mails { get; private set; } = null!;

        public MovedStores Moved { get; private set; } = null!;

        public UserTransfers Transfers { get; private set; } = null!;

        public void Restart()
        {
            Mails = new UserMailRegistry(Data, new StorageMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())));
            Moved = new MovedStores(Data, TimeProvider.System);
            Transfers = new UserTransfers(Data, Mails, Moved, TimeSpan.FromDays(7), TimeProvider.System, NullLogger.Instance);
        }

        public async Task StopAsync()
        {
            await Transfers.DisposeAsync();
            await Mails.DisposeAsync();
        }

        public async Task AddAsync(UserMail mail, string text)
        {
            await using var spool = new MessageSpool(Data);
            await spool.WriteAsync(Encoding.ASCII.GetBytes(text), CancellationToken.None);
            await mail.AppendAsync(MailboxName.Inbox, [new NewMessage(spool, FlagList.Empty, DateTimeOffset.UnixEpoch)], CancellationToken.None);
        }

        public string StoreOf(UserName user) => UserStorePath.Of(Data, user);

        public StoreMark? Mark(UserName user) => StoreMark.Of(Data, user);

        public string Fingerprint(UserName user) => StoreFingerprint.Of(StoreOf(user), CancellationToken.None).Digest;

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            Directory.Delete(Data, recursive: true);
        }
    }
}
