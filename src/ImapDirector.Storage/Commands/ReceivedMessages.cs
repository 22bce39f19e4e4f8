using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>The messages of an APPEND or REPLACE, received one after the other and kept until they are stored.</summary>
internal sealed class ReceivedMessages(MailSession session) : IAsyncDisposable
{
    private readonly List<NewMessage> _messages = [];

    public IReadOnlyList<NewMessage> All => _messages;

    /// <summary>Receives them all.</summary>
    /// <param name="target">Where they are to go; flags that the session may not set there are left out.</param>
    /// <param name="first">The first one, whose literal has been announced.</param>
    /// <param name="maxMessages">How many there may be.</param>
    /// <param name="maxBytes">How long they may be together.</param>
    /// <returns><c>null</c> when all are here; else the command's answer.</returns>
    public async ValueTask<CommandResult?> ReceiveAsync(MailboxAccess target, AppendMessage first, int maxMessages, long maxBytes)
    {
        session.BeginWait();
        var bytes = 0L;
        for (AppendMessage? next = first; next is { } message;)
        {
            bytes += message.Literal.Length;
            if (await FindFaultAsync(target, message, bytes > maxBytes || _messages.Count == maxMessages) is { } fault) return await RefuseAsync(message, fault);
            var (hasNul, failure) = await ReceiveAsync(message, new PermittedFlags(target.Rights));
            var rest = await session.Reader.EndLiteralCommandAsync(session.ClientToken);
            if (rest.Kind == FrameKind.EndOfStream) throw new SessionEndedException(SessionEnd.Disconnected);
            if (rest.Kind != FrameKind.Command) throw new SessionEndedException(SessionEnd.Misbehaved);
            if (!ImapCommandParser.TryParseRest(rest.Bytes, message.Utf8, session.ParseOptions, out next, out var error)) return CommandResult.Bad(error.Reason);
            if (failure is not null)
            {
                if (next is { } skipped) await RefuseAsync(skipped, default);
                throw new StoreException($"The message cannot be spooled: {failure.GetType().Name}.", failure);
            }
            // What FETCH BODY could not give back unharmed is not taken (RFC 3516 section 4.4).
            if (hasNul) return next is { } following ? await RefuseAsync(following, CommandResult.UnknownEncoding) : CommandResult.UnknownEncoding;
        }
        return null;
    }

    /// <summary>Turns a message down whose literal has been announced, and all that may follow it.</summary>
    public async ValueTask<CommandResult> RefuseAsync(AppendMessage message, CommandResult why)
    {
        session.BeginWait();
        if (!await session.Reader.SkipLiteralAsync(message.Literal, session.ClientToken)) throw new SessionEndedException(SessionEnd.Misbehaved);
        return why;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var message in _messages) await message.Content.DisposeAsync();
    }

    /// <returns>Whether there is a NUL in it, and why it could not be kept: that is the disk's trouble, so it is read to its end all the same.</returns>
    private async ValueTask<(bool HasNul, Exception? Failure)> ReceiveAsync(AppendMessage message, PermittedFlags permitted)
    {
        var hasNul = false;
        Exception? failure = null;
        var spool = new MessageSpool(session.SpoolDirectory);
        _messages.Add(new NewMessage(spool, permitted.Of(message.Flags), message.Date ?? DateTimeOffset.UtcNow));
        var complete = await session.Reader.CopyLiteralAsync(message.Literal, async (bytes, cancellationToken) =>
        {
            // The idle time-out counts from the last bytes that came, not from the first.
            session.BeginWait();
            hasNul |= message.Literal.Binary && bytes.Span.Contains((byte)0);
            if (failure is not null) return;
            try
            {
                await spool.WriteAsync(bytes, cancellationToken);
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                failure = refused;
            }
        }, session.ClientToken);
        if (!complete) throw new SessionEndedException(SessionEnd.Disconnected);
        session.AcknowledgeNow();
        return (hasNul, failure);
    }

    private async ValueTask<CommandResult?> FindFaultAsync(MailboxAccess target, AppendMessage message, bool isTooMuch)
    {
        if (target.Refuses(MailboxRights.Insert, CommandResult.TryCreate) is { } refused) return refused;
        if (target.Mail.FindStatus(target.Name) is null) return CommandResult.TryCreate;
        if (message.Literal.Length > session.Options.MaxMessageBytes) return CommandResult.No("TOOBIG", "The message is too big.");
        if (isTooMuch) return CommandResult.No("LIMIT", "Too much for one command.");
        var store = target.Mail.Store;
        if (store.Quota.IsSet && store.Quota.IsBelow(store.Usage().With(_messages.Sum(static earlier => earlier.Content.Length) + message.Literal.Length, _messages.Count + 1)))
            return CommandResult.OverQuota;
        if (message.Literal.Length == 0) return CommandResult.No("CANNOT", "The message is empty.");
        // Together with those of the messages before it, which are not stored yet.
        var keywords = _messages.SelectMany(static earlier => earlier.Flags.Keywords).Concat(message.Flags.Keywords).Distinct(StringComparer.OrdinalIgnoreCase);
        var flags = message.Flags with { Keywords = [.. keywords] };
        return await target.Mail.HasRoomForKeywordsAsync(target.Name, new PermittedFlags(target.Rights).Of(flags), CancellationToken.None) ? null : CommandResult.TooManyKeywords;
    }
}
