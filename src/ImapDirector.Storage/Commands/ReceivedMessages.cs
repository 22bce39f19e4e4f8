using System.Buffers;
using System.Text;
using System.Text.Unicode;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>The messages of an APPEND or REPLACE, received one after the other and kept until they are stored.</summary>
/// <param name="session">The session.</param>
/// <param name="target">Where they are to go; flags that the session may not set there are left out.</param>
/// <param name="limits">How much there may be.</param>
internal sealed class ReceivedMessages(MailSession session, MailboxAccess target, AppendLimits limits) : IAsyncDisposable
{
    private static readonly CommandResult Empty = CommandResult.No("CANNOT", "The message is empty.");

    private static readonly CommandResult TooMuch = CommandResult.No("LIMIT", "Too much for one command.");

    private readonly List<NewMessage> _messages = [];
    private readonly SpoolGroup _spools = new(session.SpoolDirectory);
    private int _parts;
    private bool _hasNul;
    private Exception? _failure;

    public IReadOnlyList<NewMessage> All => _messages;

    /// <summary>Receives them all.</summary>
    /// <param name="first">Up to the first literal.</param>
    /// <returns><c>null</c> when all are here; else the command's answer.</returns>
    public async ValueTask<CommandResult?> ReceiveAsync(AppendStretch first)
    {
        // Whoever has announced a message takes as long as they like to send it.
        session.Turns.Pause();
        session.BeginWait();
        for (var stretch = first; ;)
        {
            foreach (var step in stretch.Steps)
            {
                // A literal that has been read is behind us; one that has not is turned down.
                var announced = step is LiteralStep { Use: LiteralUse.Url } ? null : stretch.Announced;
                if (await TakeAsync(step, stretch.Place) is { } fault) return await RefuseAsync(announced, fault);
            }
            if (stretch.Place == AppendPlace.Complete) return null;
            var rest = await session.Reader.EndLiteralCommandAsync(session.ClientToken);
            if (rest.Kind == FrameKind.EndOfStream) throw new SessionEndedException(SessionEnd.Disconnected);
            if (rest.Kind == FrameKind.LineTooLong) return CommandResult.Bad("Too long a line.");
            if (rest.Kind != FrameKind.Command) throw new SessionEndedException(SessionEnd.Misbehaved);
            if (!ImapCommandParser.TryParseRest(rest.Bytes, stretch.Place, session.ParseOptions, out var next, out var error)) return CommandResult.Bad(error.Reason);
            stretch = next;
            if (_failure is not null)
            {
                await RefuseAsync(stretch.Announced, default);
                throw NotSpooled(_failure);
            }
            // What FETCH BODY could not give back unharmed is not taken (RFC 3516 section 4.4).
            if (_hasNul) return await RefuseAsync(stretch.Announced, CommandResult.UnknownEncoding);
        }
    }

    /// <summary>Turns a message down whose literal has been announced, if one has, and all that may follow it.</summary>
    public async ValueTask<CommandResult> RefuseAsync(LiteralHeader? announced, CommandResult why)
    {
        session.Turns.Pause();
        session.BeginWait();
        if (announced is { } literal && !await session.Reader.SkipLiteralAsync(literal, session.ClientToken)) throw new SessionEndedException(SessionEnd.Misbehaved);
        return why;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var message in _messages) await message.Content.DisposeAsync();
        await _spools.DisposeAsync();
    }

    private async ValueTask<CommandResult?> TakeAsync(AppendStep step, AppendPlace behind)
    {
        switch (step)
        {
            case StartOfMessage start:
                return await BeginAsync(start);
            case UrlStep url:
                return await AddUrlAsync(url.Url);
            case LiteralStep { Use: LiteralUse.Url } literal:
                return await AddUrlAsync(literal.Header);
            case LiteralStep literal:
                if (FindFault(literal.Header.Length) is { } fault) return fault;
                // Nothing else belongs to that message.
                if (literal.Header.Length == 0 && behind is AppendPlace.BehindMessage or AppendPlace.InUtf8) return Empty;
                await AddAsync(literal.Header, (bytes, cancellationToken) => KeepAsync(bytes, literal.Header.Binary, cancellationToken));
                return null;
            default:
                return _messages[^1].Content.Length == 0 ? Empty : null;
        }
    }

    private async ValueTask<CommandResult?> BeginAsync(StartOfMessage start)
    {
        if (target.Refuses(MailboxRights.Insert, CommandResult.TryCreate) is { } refused) return refused;
        if (target.Mail.FindStatus(target.Name) is null) return CommandResult.TryCreate;
        if (_messages.Count == limits.Messages) return TooMuch;
        var permitted = new PermittedFlags(target.Rights);
        // Together with those of the messages before it, which are not stored yet.
        var keywords = _messages.SelectMany(static earlier => earlier.Flags.Keywords).Concat(start.Flags.Keywords).Distinct(StringComparer.OrdinalIgnoreCase);
        var flags = start.Flags with { Keywords = [.. keywords] };
        if (!await target.Mail.HasRoomForKeywordsAsync(target.Name, permitted.Of(flags))) return CommandResult.TooManyKeywords;
        _messages.Add(new NewMessage(new MessageSpool(_spools), permitted.Of(start.Flags), start.Date ?? DateTimeOffset.UtcNow));
        return null;
    }

    /// <summary>Why so many more bytes cannot be added to the message that has begun.</summary>
    private CommandResult? FindFault(long length)
    {
        var message = _messages[^1].Content.Length + length;
        if (message > session.Options.MaxMessageBytes) return CommandResult.No("TOOBIG", "The message is too big.");
        var all = _messages.Sum(static earlier => earlier.Content.Length) + length;
        if (++_parts > limits.Parts || all > limits.Bytes) return TooMuch;
        var store = target.Mail.Store;
        return store.Quota.IsSet && store.Quota.IsBelow(store.Usage().With(all, _messages.Count)) ? CommandResult.OverQuota : null;
    }

    /// <summary>Reads an announced literal.</summary>
    private async ValueTask AddAsync(LiteralHeader literal, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> sink)
    {
        var complete = await session.Reader.CopyLiteralAsync(literal, (bytes, cancellationToken) =>
        {
            // The idle time-out counts from the last bytes that came, not from the first.
            session.BeginWait();
            return sink(bytes, cancellationToken);
        }, session.ClientToken);
        if (!complete) throw new SessionEndedException(SessionEnd.Disconnected);
        session.AcknowledgeNow();
    }

    private async ValueTask<CommandResult?> AddUrlAsync(LiteralHeader literal)
    {
        if (literal.Length > MessageUrl.MaxBytes) return await RefuseAsync(literal, CommandResult.No("TOOBIG", "The URL is too long."));
        var bytes = new ArrayBufferWriter<byte>(Math.Max(1, (int)literal.Length));
        await AddAsync(literal, (piece, _) =>
        {
            bytes.Write(piece.Span);
            return ValueTask.CompletedTask;
        });
        return await AddUrlAsync(Utf8.IsValid(bytes.WrittenSpan) ? Encoding.UTF8.GetString(bytes.WrittenSpan) : Encoding.Latin1.GetString(bytes.WrittenSpan));
    }

    private async ValueTask<CommandResult?> AddUrlAsync(string url)
    {
        try
        {
            await session.Turns.NextAsync();
            await using var content = await UrlContent.FindAsync(session, url);
            if (content is null) return UrlContent.Bad(url);
            if (FindFault(content.Length) is { } fault) return fault;
            await content.CopyAsync((bytes, cancellationToken) => KeepAsync(bytes, mayHaveNul: false, cancellationToken), CancellationToken.None);
            if (_failure is not null) throw NotSpooled(_failure);
            return null;
        }
        finally
        {
            // What follows may have to be waited for.
            session.Turns.Pause();
        }
    }

    private static StoreException NotSpooled(Exception why) => new($"The message cannot be spooled: {why.GetType().Name}.", why);

    /// <summary>Adds bytes to the message that has begun. When the disk refuses, that is the disk's trouble, and the rest is read to its end all the same.</summary>
    private async ValueTask KeepAsync(ReadOnlyMemory<byte> bytes, bool mayHaveNul, CancellationToken cancellationToken)
    {
        _hasNul |= mayHaveNul && bytes.Span.Contains((byte)0);
        if (_failure is not null) return;
        try
        {
            await _messages[^1].Content.WriteAsync(bytes, cancellationToken);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            _failure = refused;
        }
    }
}

/// <summary>How much one APPEND may bring.</summary>
/// <param name="Messages">Messages.</param>
/// <param name="Parts">Literals and URLs of all of them together.</param>
/// <param name="Bytes">Bytes of all of them together.</param>
internal readonly record struct AppendLimits(int Messages, int Parts, long Bytes);
