using System.Text;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

/// <summary>A user's store in a directory of its own, which can be closed and opened again.</summary>
internal sealed class StoreFixture : IAsyncDisposable
{
    private StoreFixture(DirectoryInfo directory, UserName user) => (Directory, User) = (directory, user);

    public DirectoryInfo Directory { get; }

    public UserName User { get; }

    public UserStore Store { get; private set; } = null!;

    public string UserDirectory => UserStorePath.Of(Directory.FullName, User);

    public static async Task<StoreFixture> OpenAsync()
    {
        Assert.True(UserName.TryCreate("alice@example.com", null, out var user));
        var fixture = new StoreFixture(System.IO.Directory.CreateTempSubdirectory("imapdirector-"), user);
        fixture.Store = await UserStore.OpenAsync(fixture.Directory.FullName, user, CancellationToken.None);
        return fixture;
    }

    public async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        Store = await UserStore.OpenAsync(Directory.FullName, User, CancellationToken.None);
    }

    public MailboxRecord Mailbox(string name) => Store.FindMailbox(new MailboxName(name)) ?? throw new InvalidOperationException($"No mailbox {name}.");

    public MailboxRecord Inbox => Mailbox("INBOX");

    public Task<MessageRecord> AddAsync(string mailbox, string text, FlagList? flags = null) =>
        AddAsync(mailbox, Encoding.Latin1.GetBytes(text), flags);

    public async Task<MessageRecord> AddAsync(string mailbox, byte[] bytes, FlagList? flags = null, DateTimeOffset? date = null)
    {
        await using var spool = new MessageSpool(Directory.FullName);
        await spool.WriteAsync(bytes, CancellationToken.None);
        var message = new NewMessage(spool, flags ?? FlagList.Empty, date ?? DateTimeOffset.UnixEpoch);
        return (await Store.AppendAsync(Mailbox(mailbox).Id, [message], null, CancellationToken.None)).Messages[0];
    }

    /// <summary>Expunges what carries \Deleted, of those UIDs.</summary>
    public Task<ExpungedMessages> ExpungeDeletedAsync(long mailboxId, IReadOnlyCollection<uint> uids) => Store.ExpungeAsync(mailboxId,
        [.. Store.LoadMessages(mailboxId).Where(message => uids.Contains(message.Uid) && (message.Flags & SystemFlags.Deleted) != 0)], CancellationToken.None);

    public byte[] Content(MessageRecord message)
    {
        using var content = Store.Contents.Open(message.ContentId);
        var bytes = new byte[content.Length];
        content.ReadExactly(bytes);
        return bytes;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Directory.Delete(recursive: true);
    }
}
