using ImapDirector.Protocol.Lmtp;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Network.Lmtp;

/// <summary>Asks the handler, each time within a limit. Whatever goes wrong behind it is logged and becomes a 451, so that it costs no other recipient and
/// no other message anything (limits L6).</summary>
internal sealed partial class LmtpHandlerCalls(ILmtpHandler handler, LmtpServerOptions options, ILogger logger)
{
    /// <summary>Whether one more recipient is taken.</summary>
    public async ValueTask<LmtpReply> AddRecipientAsync(LmtpTransaction transaction, LmtpRecipient recipient)
    {
        using var limit = new CancellationTokenSource(options.IdleTimeout);
        try
        {
            var reply = await handler.AddRecipientAsync(transaction, recipient, limit.Token);
            return IsAnswer(reply) ? reply : throw new InvalidOperationException("The handler's reply is neither yes nor no.");
        }
        catch (Exception fault)
        {
            Log.HandlerFailed(logger, transaction.ConnectionId, fault);
            return LmtpReplies.Fault;
        }
    }

    /// <summary>Refuses the message, or has it delivered.</summary>
    /// <returns>One reply for each recipient, in their order.</returns>
    public async ValueTask<IReadOnlyList<LmtpReply>> DeliverAsync(LmtpTransaction transaction, IncomingMessage message, LmtpDataEnd dataEnd)
    {
        LmtpReply? refusal = null;
        if (message.IsTooLarge) refusal = LmtpReplies.TooLarge;
        else if (dataEnd == LmtpDataEnd.BareLineEnd) refusal = LmtpReplies.BareLineEnd;
        else if (message.Failure is { } failure)
        {
            Log.SpoolFailed(logger, transaction.ConnectionId, failure.Message);
            refusal = LmtpReplies.NoSpace;
        }
        if (refusal is { } same)
        {
            Log.MessageRefused(logger, transaction.ConnectionId, same.Code, same.Enhanced, message.Received);
            return [.. Enumerable.Repeat(same, transaction.Recipients.Count)];
        }
        var recipients = transaction.Recipients.Count;
        using var limit = new CancellationTokenSource(options.DataTimeout);
        try
        {
            var replies = await handler.DeliverAsync(transaction, message.Spool, limit.Token);
            return replies.Count == recipients && replies.All(IsAnswer) ? replies
                : throw new InvalidOperationException("The handler did not answer for each recipient.");
        }
        catch (Exception fault)
        {
            Log.HandlerFailed(logger, transaction.ConnectionId, fault);
            return [.. Enumerable.Repeat(LmtpReplies.Fault, recipients)];
        }
    }

    private static bool IsAnswer(LmtpReply reply) => reply.Code is (>= 200 and < 300) or (>= 400 and < 600);

    private static partial class Log
    {
        [LoggerMessage(2103, LogLevel.Error, "{ConnectionId} the delivery failed, its recipients are answered 451")]
        public static partial void HandlerFailed(ILogger logger, string connectionId, Exception exception);

        [LoggerMessage(2104, LogLevel.Error, "{ConnectionId} the message cannot be spooled: {Reason}")]
        public static partial void SpoolFailed(ILogger logger, string connectionId, string reason);

        [LoggerMessage(2105, LogLevel.Information, "{ConnectionId} message refused: {Code} {Enhanced}, {Bytes} bytes")]
        public static partial void MessageRefused(ILogger logger, string connectionId, int code, string enhanced, long bytes);
    }
}
