using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ImapDirector.Protocol.Lmtp;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Network.Lmtp;

/// <summary>One LMTP connection (RFC 2033), from the greeting to QUIT.</summary>
/// <param name="connection">The connection; whoever accepted it disposes it.</param>
/// <param name="handler">What stands behind it.</param>
/// <param name="options">Its settings.</param>
/// <param name="logger">Where its lines go.</param>
public sealed partial class LmtpServerSession(Connection connection, ILmtpHandler handler, LmtpServerOptions options, ILogger logger)
{
    /// <summary>The most recipients of one message (limits L3).</summary>
    public const int MaxRecipients = 1000;

    /// <summary>The bad command that is one too many (limits L2).</summary>
    public const int MaxBadCommands = 10;

    /// <summary>Refused senders and recipients that are answered at once (limits L3).</summary>
    public const int MaxPromptRefusals = 20;

    /// <summary>Of a piece that is larger than a message may be so much is read to go on behind it, as a multiple of that; with more the connection ends.</summary>
    private const int MostSkipped = 4;

    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(1);

    private readonly LmtpLineReader _lines = new(connection.Input);
    private readonly LmtpHandlerCalls _calls = new(handler, options, logger);
    private string? _peerName;
    private LmtpTransaction? _transaction;
    private ChunkedMessage? _chunks;
    private int _badCommands;
    private int _refusals;
    private int _messages;
    private int _delivered;

    /// <summary>Serves the connection until it ends; never throws for what the peer did. When <paramref name="drain"/> fires, a delivery that
    /// has begun is finished and the peer is told <c>421</c>.</summary>
    public async Task RunAsync(CancellationToken drain)
    {
        // Whoever may submit is known by address: its connections must not give way to strangers' in the middle of a delivery.
        connection.Permit?.Authenticated();
        var end = LmtpSessionEnd.Fault;
        try
        {
            end = await ServeAsync(drain);
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException)
        {
            end = LmtpSessionEnd.Lost;
        }
        catch (Exception fault)
        {
            Log.Fault(logger, connection.Id, fault);
        }
        await ForgetAsync();
        Log.Ended(logger, connection.Id, connection.RemoteEndPoint, _messages, _delivered, end);
    }

    private async Task<LmtpSessionEnd> ServeAsync(CancellationToken drain)
    {
        Reply(new LmtpReply(220, "", $"{options.ServerName} LMTP ready"));
        while (true)
        {
            try
            {
                var line = await NextLineAsync(drain);
                if (line.Kind == LmtpLineKind.EndOfStream) return LmtpSessionEnd.Closed;
                if (await AnswerAsync(line, drain) is { } end) return end;
            }
            catch (OperationCanceledException)
            {
                return drain.IsCancellationRequested
                    ? await FarewellAsync(LmtpReplies.Draining, LmtpSessionEnd.Drained)
                    : await FarewellAsync(LmtpReplies.TooSlow, LmtpSessionEnd.TooSlow);
            }
            if (_badCommands >= MaxBadCommands) return await FarewellAsync(LmtpReplies.TooManyBadCommands, LmtpSessionEnd.Misbehaved);
        }
    }

    // Replies to commands that came together leave together (RFC 2920 section 3.2).
    private async ValueTask<LmtpLine> NextLineAsync(CancellationToken drain)
    {
        drain.ThrowIfCancellationRequested();
        if (_lines.TryRead(out var line)) return line;
        await FlushAsync();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(drain);
        limit.CancelAfter(options.IdleTimeout);
        return await _lines.ReadAsync(limit.Token);
    }

    // A drain does not cut replies: the peer would not know what became of its message.
    private async ValueTask FlushAsync()
    {
        using var limit = new CancellationTokenSource(options.IdleTimeout);
        await connection.Output.FlushAsync(limit.Token);
    }

    /// <summary>Answers one line.</summary>
    /// <returns>How the session ended with it; <c>null</c> when it goes on.</returns>
    private async ValueTask<LmtpSessionEnd?> AnswerAsync(LmtpLine line, CancellationToken drain)
    {
        if (line.Kind == LmtpLineKind.TooLong)
        {
            Refuse(LmtpReplies.LineTooLong);
            return null;
        }
        if (!LmtpCommandParser.TryParse(line.Bytes.Span, out var command, out var error))
        {
            if (LmtpReplies.IsBadCommand(error)) Refuse(LmtpReplies.Of(error));
            else await RefuseAddressAsync(LmtpReplies.Of(error), drain);
            return null;
        }
        switch (command)
        {
            case LhloCommand lhlo:
                await ForgetAsync();
                Introduce(lhlo);
                break;
            case MailCommand mail:
                Begin(mail);
                break;
            case BdatCommand bdat:
                return await ReceiveChunkAsync(bdat);
            case RcptCommand or DataCommand when _chunks is not null:
                Reply(LmtpReplies.MessageBegun);
                break;
            case RcptCommand rcpt:
                await AddRecipientAsync(rcpt, drain);
                break;
            case DataCommand when _transaction is { Recipients.Count: > 0 } transaction:
                _transaction = null;
                return await ReceiveAsync(transaction);
            case DataCommand:
                Reply(_transaction is null ? LmtpReplies.MailFirst : LmtpReplies.NoRecipients);
                break;
            case RsetCommand:
                await ForgetAsync();
                Reply(LmtpReplies.Reset);
                break;
            case VrfyCommand:
                Reply(LmtpReplies.CannotVerify);
                break;
            case QuitCommand:
                return await FarewellAsync(LmtpReplies.Bye, LmtpSessionEnd.Quit);
            default:
                Reply(LmtpReplies.Reset);
                break;
        }
        return null;
    }

    private void Introduce(LhloCommand lhlo)
    {
        _peerName = lhlo.Name;
        string[] lines = [options.ServerName, "PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "CHUNKING", "SMTPUTF8",
            .. options.TakesAssertions ? (string[])["XASSERTION"] : [], string.Create(CultureInfo.InvariantCulture, $"SIZE {options.MaxMessageBytes}")];
        for (var i = 0; i < lines.Length; i++) connection.Output.LmtpReply(250, "", lines[i], isLast: i == lines.Length - 1);
    }

    private void Begin(MailCommand mail)
    {
        if (_peerName is null)
        {
            Refuse(LmtpReplies.HelloFirst);
            return;
        }
        if (_transaction is not null)
        {
            Refuse(LmtpReplies.MailTwice);
            return;
        }
        if (mail.Size > options.MaxMessageBytes)
        {
            Reply(LmtpReplies.TooLarge);
            return;
        }
        _transaction = new LmtpTransaction
        {
            ConnectionId = connection.Id,
            Peer = connection.RemoteEndPoint,
            PeerName = _peerName,
            ReversePath = mail.ReversePath,
            IsUtf8 = mail.IsUtf8,
            Is8Bit = mail.Is8Bit,
        };
        Reply(LmtpReplies.SenderOk);
    }

    private async ValueTask AddRecipientAsync(RcptCommand rcpt, CancellationToken drain)
    {
        if (_transaction is not { } transaction)
        {
            // No bad command: a client that pipelines has sent it before it knew that MAIL was refused.
            Reply(LmtpReplies.MailFirst);
            return;
        }
        if (transaction.Recipients.Count >= MaxRecipients)
        {
            Reply(LmtpReplies.TooManyRecipients);
            return;
        }
        if (rcpt.Assertion is not null && !options.TakesAssertions)
        {
            await RefuseAddressAsync(LmtpReplies.Of(LmtpSyntaxError.UnknownParameter), drain);
            return;
        }
        var recipient = new LmtpRecipient(rcpt.Address, rcpt.Assertion);
        var reply = rcpt.IsUtf8 && !transaction.IsUtf8 ? LmtpReplies.RecipientNeedsUtf8 : await _calls.AddRecipientAsync(transaction, recipient);
        if (reply.IsSuccess) transaction.Recipients.Add(recipient);
        if (reply.Code >= 500) await RefuseAddressAsync(reply, drain);
        else Reply(reply);
    }

    private async ValueTask<LmtpSessionEnd?> ReceiveAsync(LmtpTransaction transaction)
    {
        await using var message = new IncomingMessage(options);
        // No drain from here to the last reply: a message that is on its way is taken.
        LmtpDataEnd dataEnd;
        using (var limit = new CancellationTokenSource(options.DataTimeout))
        {
            Reply(LmtpReplies.GoAhead);
            try
            {
                await connection.Output.FlushAsync(limit.Token);
                dataEnd = await LmtpDataReader.CopyAsync(connection.Input, message.AddAsync, limit.Token);
            }
            catch (OperationCanceledException)
            {
                return await FarewellAsync(LmtpReplies.TooSlow, LmtpSessionEnd.TooSlow);
            }
        }
        if (dataEnd == LmtpDataEnd.EndOfStream) return LmtpSessionEnd.Lost;
        await DeliverAsync(transaction, message, dataEnd);
        return null;
    }

    /// <summary>A piece of a message. Also one that is refused, at once where it is too large, is read to its end: what follows it is a command again.</summary>
    private async ValueTask<LmtpSessionEnd?> ReceiveChunkAsync(BdatCommand chunk)
    {
        // Nobody who has read our SIZE sends so much, and to read it would take as long as a delivery may.
        if (chunk.Size / MostSkipped > options.MaxMessageBytes) return await FarewellAsync(LmtpReplies.TooLarge, LmtpSessionEnd.Misbehaved);
        var transaction = _transaction is { Recipients.Count: > 0 } begun ? begun : null;
        if (transaction is not null) _chunks ??= new ChunkedMessage(options);
        var isRefused = transaction is not null && !_chunks!.Message.MayTake(chunk.Size);
        if (isRefused) await AnswerChunkAsync(transaction, chunk);
        using (var limit = new CancellationTokenSource(options.DataTimeout))
        {
            try
            {
                await connection.Output.FlushAsync(limit.Token);
                if (!await LmtpChunkReader.CopyAsync(connection.Input, chunk.Size, _chunks is null ? Discard : _chunks.AddAsync, limit.Token)) return LmtpSessionEnd.Lost;
            }
            catch (OperationCanceledException)
            {
                return await FarewellAsync(LmtpReplies.TooSlow, LmtpSessionEnd.TooSlow);
            }
        }
        if (!isRefused) await AnswerChunkAsync(transaction, chunk);
        return null;

        static ValueTask Discard(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }

    private async ValueTask AnswerChunkAsync(LmtpTransaction? transaction, BdatCommand chunk)
    {
        if (transaction is null || _chunks is not { } chunks)
        {
            Reply(_transaction is null ? LmtpReplies.MailFirst : LmtpReplies.NoRecipients);
            return;
        }
        if (!chunk.IsLast)
        {
            Reply(chunks.Message.IsTooLarge ? LmtpReplies.TooLarge : LmtpReplies.Reset);
            return;
        }
        (_transaction, _chunks) = (null, null);
        await using (chunks) await DeliverAsync(transaction, chunks.Message, chunks.HasBareLineEnd ? LmtpDataEnd.BareLineEnd : LmtpDataEnd.Complete);
    }

    private async ValueTask DeliverAsync(LmtpTransaction transaction, IncomingMessage message, LmtpDataEnd dataEnd)
    {
        _messages++;
        var replies = await _calls.DeliverAsync(transaction, message, dataEnd);
        foreach (var reply in replies) Reply(reply);
        await FlushAsync();
        var delivered = replies.Count(static reply => reply.IsSuccess);
        _delivered += delivered;
        // Who delivers mail is no prowler: a connection that is kept for long may have odd addresses now and then.
        if (delivered > 0) (_badCommands, _refusals) = (0, 0);
    }

    private async ValueTask ForgetAsync()
    {
        _transaction = null;
        if (_chunks is { } chunks) await chunks.DisposeAsync();
        _chunks = null;
    }

    private void Reply(LmtpReply reply) => connection.Output.LmtpReply(reply.Code, reply.Enhanced, reply.Text);

    private void Refuse(LmtpReply reply)
    {
        _badCommands++;
        Reply(reply);
    }

    // An address came to the client from somebody else, so it does not count against the client; but whoever tries out names gets slow answers.
    private async ValueTask RefuseAddressAsync(LmtpReply reply, CancellationToken drain)
    {
        if (++_refusals > MaxPromptRefusals)
        {
            await FlushAsync();
            await Task.Delay(options.RefusalDelay, drain);
        }
        Reply(reply);
    }

    private async ValueTask<LmtpSessionEnd> FarewellAsync(LmtpReply reply, LmtpSessionEnd end)
    {
        using var limit = new CancellationTokenSource(FarewellTimeout);
        Reply(reply);
        try
        {
            await connection.Output.FlushAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // It does not listen any more, and the reason stands without it.
        }
        return end;
    }

    private static partial class Log
    {
        [LoggerMessage(2101, LogLevel.Information, "{ConnectionId} LMTP from {Peer} ended: {Messages} messages, {Delivered} recipients delivered, {Reason}")]
        public static partial void Ended(ILogger logger, string connectionId, IPEndPoint peer, int messages, int delivered, LmtpSessionEnd reason);

        [LoggerMessage(2102, LogLevel.Error, "{ConnectionId} a fault ended the LMTP session")]
        public static partial void Fault(ILogger logger, string connectionId, Exception exception);
    }
}
