using System.Collections.Concurrent;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Network.Lmtp;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Storage.Delivery;

/// <summary>Puts messages into INBOX, or into the mailbox that a subaddress names where there is one (RFC 5233). A recipient is answered 250 when the message is on disk, and not before; what goes wrong with one is that one's alone.</summary>
/// <param name="options">What the node calls itself in trace headers, and what it does with duplicates.</param>
/// <param name="assertions">Judges what directors say of recipients, or <c>null</c> where they say nothing.</param>
/// <param name="mails">The users' mail.</param>
/// <param name="spoolDirectory">Where large messages wait.</param>
/// <param name="metrics">Where deliveries are counted.</param>
/// <param name="time">Says when a message arrived.</param>
/// <param name="logger">Where its lines go.</param>
internal sealed partial class NodeDeliveryHandler(StorageNodeOptions options, AssertionLogin? assertions, UserMailRegistry mails, string spoolDirectory, StorageMetrics metrics,
    TimeProvider time, ILogger<NodeDeliveryHandler> logger) : ILmtpHandler
{
    // Each delivery waits for the disk most of its time; more at once would let one message with many recipients take the disk from everybody.
    private const int MaxAtOnce = 8;
    private const int CopyBytes = 64 * 1024;

    private static readonly LmtpReply RecipientOk = new(250, "2.1.5", "Recipient ok");
    private static readonly LmtpReply NoSuchUser = new(550, "5.1.1", "No such user here");
    private static readonly LmtpReply Stored = new(250, "2.0.0", "Stored");
    private static readonly LmtpReply OverQuota = new(552, "5.2.2", "The mailbox is full");
    private static readonly LmtpReply NotAsserted = new(451, "4.7.0", "Deliveries come through a director here");
    private static readonly LmtpReply Failed = new(451, "4.3.0", "The message could not be stored, try again later");

    /// <inheritdoc />
    public ValueTask<LmtpReply> AddRecipientAsync(LmtpTransaction transaction, LmtpRecipient recipient, CancellationToken cancellationToken)
    {
        if (TryFindUser(recipient, out var user)) return ValueTask.FromResult(IsAsserted(recipient, user, transaction.ConnectionId) ? RecipientOk : NotAsserted);
        metrics.Deliveries.WithLabels("refused").Inc();
        Log.RecipientRefused(logger, transaction.ConnectionId);
        return ValueTask.FromResult(NoSuchUser);
    }

    /// <inheritdoc />
    public async ValueTask<IReadOnlyList<LmtpReply>> DeliverAsync(LmtpTransaction transaction, MessageSpool message, CancellationToken cancellationToken)
    {
        var targets = transaction.Recipients.ConvertAll(static recipient => TryFindUser(recipient, out var user) ? new Target(user, DetailOf(recipient)) : default);
        var byUser = targets.Where(static target => target != default).Distinct().GroupBy(static target => target.User).ToArray();
        var epochs = transaction.Recipients.Where(static recipient => recipient.Epoch is not null)
            .ToLookup(static recipient => TryFindUser(recipient, out var user) ? user : default, static recipient => recipient.Epoch!.Value);
        var now = time.GetUtcNow();
        var replies = new ConcurrentDictionary<Target, LmtpReply>();
        var width = new ParallelOptions { MaxDegreeOfParallelism = MaxAtOnce };
        await Parallel.ForEachAsync(byUser, width, async (user, _) => await StoreAsync(transaction, message, user.Key, epochs.Contains(user.Key) ? epochs[user.Key].Max() : null, [.. user], replies, now, cancellationToken));
        return targets.ConvertAll(target =>
        {
            var reply = target == default ? NoSuchUser : replies[target];
            metrics.Deliveries.WithLabels(reply.IsSuccess ? "stored" : reply.Code < 500 ? "failed" : "refused").Inc();
            return reply;
        });
    }

    /// <summary>Whether whoever delivers may do so: a director says for whom, with which epoch. Without one only where directors may do without, too.</summary>
    private bool IsAsserted(LmtpRecipient recipient, UserName user, string connectionId)
    {
        if (recipient.Assertion is null) return options.MasterPassword is not null;
        if (assertions?.Find(Encoding.ASCII.GetBytes(recipient.Assertion), AssertionScope.Lmtp, user, connectionId) is not { } assertion) return false;
        recipient.Epoch = assertion.Epoch;
        return true;
    }

    /// <summary>Delivers to one user; two spellings of one mailbox are one delivery, answered twice.</summary>
    private async ValueTask StoreAsync(LmtpTransaction transaction, MessageSpool message, UserName user, long? epoch, Target[] targets,
        ConcurrentDictionary<Target, LmtpReply> replies, DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var target in targets) replies[target] = Failed;
        try
        {
            await using var traced = new MessageSpool(spoolDirectory);
            await traced.WriteAsync(TraceHeader.Write(transaction, options.Name, user, now), cancellationToken);
            await CopyAsync(message, traced, cancellationToken);
            await using var lease = await mails.AcquireAsync(user, epoch, cancellationToken);
            foreach (var mailbox in targets.GroupBy(target => FindMailbox(lease.Mail, target.Detail)))
            {
                var reply = await StoreAsync(transaction, traced, lease.Mail, mailbox.Key, now, cancellationToken);
                foreach (var target in mailbox) replies[target] = reply;
            }
        }
        catch (Exception failure)
        {
            if (failure is StoreException { IsFenced: true })
            {
                Log.Fenced(logger, transaction.ConnectionId, user.Value, epoch);
                return;
            }
            if (failure is StoreException failed) metrics.CountFailure(failed);
            // Whatever it is, it may be this user's store alone: the other recipients get their message.
            Log.Failed(logger, transaction.ConnectionId, user.Value, failure);
        }
    }

    private async ValueTask<LmtpReply> StoreAsync(LmtpTransaction transaction, MessageSpool traced, UserMail mail, MailboxName mailbox, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        var user = mail.Store.User.Value;
        var delivery = new NewMessage(traced, FlagList.Empty, now) { DuplicateWindow = options.DuplicateWindow };
        try
        {
            if (await mail.AppendAsync(mailbox, [delivery], cancellationToken) is not { } appended)
            {
                Log.NoInbox(logger, transaction.ConnectionId, user);
                return Failed;
            }
            if (appended.Messages.Count == 0) Log.Duplicate(logger, transaction.ConnectionId, user);
            else Log.Stored(logger, transaction.ConnectionId, user, appended.Messages[0].Uid, traced.Length);
            return Stored;
        }
        catch (OverQuotaException)
        {
            Log.OverQuota(logger, transaction.ConnectionId, user);
            return OverQuota;
        }
    }

    /// <summary>The mailbox a subaddress names, in any case of letters if there is one alone; INBOX otherwise.</summary>
    private static MailboxName FindMailbox(UserMail mail, string detail)
    {
        if (detail.Length == 0 || !MailboxName.TryCreate(detail, out var named)) return MailboxName.Inbox;
        if (mail.Store.FindMailbox(named) is { Selectable: true }) return named;
        return mail.Store.FindSimilar(detail) is [var similar] ? similar : MailboxName.Inbox;
    }

    private static async ValueTask CopyAsync(MessageSpool from, MessageSpool to, CancellationToken cancellationToken)
    {
        await using var body = from.OpenRead();
        var buffer = new byte[Math.Min(CopyBytes, Math.Max(from.Length, 1))];
        int read;
        while ((read = await body.ReadAsync(buffer, cancellationToken)) > 0) await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
    }

    /// <summary>What stands between the first <c>+</c> of the local part and its end; empty where there is none.</summary>
    private static string DetailOf(LmtpRecipient recipient)
    {
        var at = recipient.Address.LastIndexOf('@');
        var local = at < 0 ? recipient.Address : recipient.Address[..at];
        var plus = local.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? "" : local[(plus + 1)..];
    }

    private static bool TryFindUser(LmtpRecipient recipient, out UserName user) => UserName.TryCreate(recipient.Address, defaultDomain: null, out user);

    private readonly record struct Target(UserName User, string Detail);

    private static partial class Log
    {
        [LoggerMessage(1107, LogLevel.Information, "{ConnectionId} not stored for {User} with epoch {Epoch}: it is over, or the user is elsewhere")]
        public static partial void Fenced(ILogger logger, string connectionId, string user, long? epoch);

        [LoggerMessage(1105, LogLevel.Information, "{ConnectionId} not stored for {User}: a duplicate")]
        public static partial void Duplicate(ILogger logger, string connectionId, string user);

        [LoggerMessage(1106, LogLevel.Warning, "{ConnectionId} not stored for {User}: over quota")]
        public static partial void OverQuota(ILogger logger, string connectionId, string user);

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
