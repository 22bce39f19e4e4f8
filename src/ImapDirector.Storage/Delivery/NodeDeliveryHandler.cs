using ImapDirector.Network;
using ImapDirector.Network.Lmtp;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Storage.Delivery;

/// <summary>Puts messages into INBOX. A recipient is answered 250 when the message is on disk, and not before; what goes wrong with one is that one's alone.</summary>
/// <param name="nodeName">What the node calls itself in trace headers.</param>
/// <param name="mails">The users' mail.</param>
/// <param name="spoolDirectory">Where large messages wait.</param>
/// <param name="metrics">Where deliveries are counted.</param>
/// <param name="time">Says when a message arrived.</param>
/// <param name="logger">Where its lines go.</param>
internal sealed partial class NodeDeliveryHandler(string nodeName, UserMailRegistry mails, string spoolDirectory, StorageMetrics metrics,
    TimeProvider time, ILogger<NodeDeliveryHandler> logger) : ILmtpHandler
{
    // Each delivery waits for the disk most of its time; more at once would let one message with many recipients take the disk from everybody.
    private const int MaxAtOnce = 8;
    private const int CopyBytes = 64 * 1024;

    private static readonly LmtpReply RecipientOk = new(250, "2.1.5", "Recipient ok");
    private static readonly LmtpReply NoSuchUser = new(550, "5.1.1", "No such user here");
    private static readonly LmtpReply Stored = new(250, "2.0.0", "Stored");
    private static readonly LmtpReply Failed = new(451, "4.3.0", "The message could not be stored, try again later");

    /// <inheritdoc />
    public ValueTask<LmtpReply> AddRecipientAsync(LmtpTransaction transaction, LmtpRecipient recipient, CancellationToken cancellationToken)
    {
        if (TryFindUser(recipient, out _)) return ValueTask.FromResult(RecipientOk);
        metrics.Deliveries.WithLabels("refused").Inc();
        Log.RecipientRefused(logger, transaction.ConnectionId);
        return ValueTask.FromResult(NoSuchUser);
    }

    /// <inheritdoc />
    public async ValueTask<IReadOnlyList<LmtpReply>> DeliverAsync(LmtpTransaction transaction, MessageSpool message, CancellationToken cancellationToken)
    {
        // Two spellings of one user (a subaddress, say) are one delivery, answered twice.
        var users = transaction.Recipients.ConvertAll(static recipient => TryFindUser(recipient, out var user) ? user : default);
        var distinct = users.Where(static user => user != default).Distinct().ToArray();
        var now = time.GetUtcNow();
        var isStored = new bool[distinct.Length];
        var width = new ParallelOptions { MaxDegreeOfParallelism = MaxAtOnce };
        await Parallel.ForAsync(0, distinct.Length, width, async (i, _) =>
            isStored[i] = await TryStoreAsync(transaction, message, distinct[i], now, cancellationToken));

        var stored = distinct.Zip(isStored).Where(static delivery => delivery.Second).Select(static delivery => delivery.First).ToHashSet();
        return users.ConvertAll(user =>
        {
            var reply = user == default ? NoSuchUser : stored.Contains(user) ? Stored : Failed;
            metrics.Deliveries.WithLabels(reply.IsSuccess ? "stored" : reply.Code < 500 ? "failed" : "refused").Inc();
            return reply;
        });
    }

    private async ValueTask<bool> TryStoreAsync(LmtpTransaction transaction, MessageSpool message, UserName user, DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            await using var traced = new MessageSpool(spoolDirectory);
            await traced.WriteAsync(TraceHeader.Write(transaction, nodeName, user, now), cancellationToken);
            await CopyAsync(message, traced, cancellationToken);
            await using var lease = await mails.AcquireAsync(user, cancellationToken);
            if (await lease.Mail.AppendAsync(MailboxName.Inbox, [new NewMessage(traced, FlagList.Empty, now)], cancellationToken) is not { } appended)
            {
                Log.NoInbox(logger, transaction.ConnectionId, user.Value);
                return false;
            }
            Log.Stored(logger, transaction.ConnectionId, user.Value, appended.Messages[0].Uid, traced.Length);
            return true;
        }
        catch (Exception failure)
        {
            // Whatever it is, it may be this user's store alone: the other recipients get their message.
            Log.Failed(logger, transaction.ConnectionId, user.Value, failure);
            return false;
        }
    }

    private static async ValueTask CopyAsync(MessageSpool from, MessageSpool to, CancellationToken cancellationToken)
    {
        await using var body = from.OpenRead();
        var buffer = new byte[Math.Min(CopyBytes, Math.Max(from.Length, 1))];
        int read;
        while ((read = await body.ReadAsync(buffer, cancellationToken)) > 0) await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
    }

    private static bool TryFindUser(LmtpRecipient recipient, out UserName user) => UserName.TryCreate(recipient.Address, defaultDomain: null, out user);

    private static partial class Log
    {
        [LoggerMessage(1101, LogLevel.Information, "{ConnectionId} recipient refused: no user's name")]
        public static partial void RecipientRefused(ILogger logger, string connectionId);

        [LoggerMessage(1102, LogLevel.Information, "{ConnectionId} stored for {User}: UID {Uid}, {Bytes} bytes")]
        public static partial void Stored(ILogger logger, string connectionId, string user, uint uid, long bytes);

        [LoggerMessage(1103, LogLevel.Error, "{ConnectionId} not stored for {User}")]
        public static partial void Failed(ILogger logger, string connectionId, string user, Exception exception);

        [LoggerMessage(1104, LogLevel.Error, "{ConnectionId} not stored for {User}, who has no INBOX")]
        public static partial void NoInbox(ILogger logger, string connectionId, string user);
    }
}
