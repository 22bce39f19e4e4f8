using System.Collections.Immutable;
using System.Globalization;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Commands;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Storage.Sessions;

/// <summary>A logged-in session: reads commands, runs them one after the other, and tells the client what changed meanwhile.</summary>
internal sealed partial class MailSession : IAsyncDisposable
{
    /// <summary>Bad commands in a row (limits N2).</summary>
    public const int MaxBadCommands = 20;

    /// <summary>Parentheses, NOT and OR in one command (limits N3).</summary>
    private const int MaxDepth = 64;

    private readonly Connection _connection;
    private readonly SessionPatience _patience;
    private readonly SessionServices _services;
    private int _bad;
    private Notices? _notices;

    public MailSession(Connection connection, ResponseStream output, SessionPatience patience, SessionServices services, UserMail mail)
    {
        _connection = connection;
        _patience = patience;
        _services = services;
        Output = output;
        Mail = mail;
        output.Turns = Turns = new WorkTurns(services.Turns, mail.Turns);
        Mailboxes = new SessionMailboxes(mail, services, Turns);
        Reader = NewReader();
    }

    /// <summary>The user's own.</summary>
    public UserMail Mail { get; }

    /// <summary>The mailboxes that the client can name.</summary>
    public SessionMailboxes Mailboxes { get; }

    public ResponseStream Output { get; }

    public ImapCommandReader Reader { get; private set; }

    /// <summary>Whether COMPRESS has been used.</summary>
    public bool IsCompressed => _connection.IsCompressed;

    public StorageNodeOptions Options => _services.Options;

    /// <summary>The session's share of the processors.</summary>
    public WorkTurns Turns { get; }

    /// <summary>Where work goes that takes much memory.</summary>
    public HeavyWork Heavy => _services.Heavy;

    public string SpoolDirectory => _services.SpoolDirectory;

    /// <summary>The view of the selected mailbox, or <c>null</c> in the authenticated state.</summary>
    public SelectedMailbox? Selected { get; private set; }

    /// <summary>What the client has switched on.</summary>
    public EnabledExtensions Enabled { get; } = new();

    /// <summary>Whether the client has said LOGOUT.</summary>
    public bool LoggedOut { get; set; }

    /// <summary>The token for waits on the client: fires at the idle time-out, counted from the last <see cref="BeginWait"/>, and at a drain.</summary>
    public CancellationToken ClientToken => _patience.Token;

    /// <summary>Lets a client go on that waits for its bytes to be acknowledged before it sends more.</summary>
    public void AcknowledgeNow() => PromptAcknowledgement.Send(_connection.Socket);

    /// <summary>What is known of the client while a command runs and nobody reads.</summary>
    public ClientEnd FindClientEnd() => ClientEnds.Find(_connection.Socket);

    /// <summary>How the session reads names now.</summary>
    public ParseOptions ParseOptions => new(Enabled.Utf8Names, MaxDepth);

    /// <summary>Gives up a wait for the client, because the session ends.</summary>
    public async ValueTask AbandonAsync(Task wait)
    {
        _patience.Cancel();
        await wait.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The client has the whole idle time-out again.</summary>
    public void BeginWait() => _patience.Begin(Options.IdleTimeout);

    public async Task<SessionEnd> RunAsync()
    {
        try
        {
            return await AnswerAllAsync();
        }
        finally
        {
            Turns.Pause();
        }
    }

    private async Task<SessionEnd> AnswerAllAsync()
    {
        while (true)
        {
            BeginWait();
            CommandFrame frame;
            try
            {
                if (_notices is not null) await TellUntilInputAsync();
                var reading = Reader.ReadAsync(ClientToken);
                // Commands that have come already are one piece of work, however short each of them is.
                if (reading.IsCompleted)
                {
                    frame = await reading;
                }
                else
                {
                    Turns.End();
                    frame = await reading;
                    Turns.Begin();
                }
                // A command may take longer than a client may be silent.
                _patience.Pause();
            }
            catch (OperationCanceledException) when (ClientToken.IsCancellationRequested)
            {
                return _patience.End;
            }
            if (frame.Kind == FrameKind.EndOfStream) return SessionEnd.Disconnected;
            if (frame.Kind == FrameKind.Flood) return SessionEnd.Misbehaved;
            await Turns.NextAsync();
            if (await AnswerAsync(frame) is { } end) return end;
            if (LoggedOut) return SessionEnd.LoggedOut;
            if (_bad >= MaxBadCommands) return SessionEnd.Misbehaved;
        }
    }

    /// <summary>Selects a mailbox; none may be selected. What may be done with it is the selection's from now on.</summary>
    /// <returns><c>null</c> when there is no such mailbox.</returns>
    public async ValueTask<SelectedMailbox?> SelectAsync(MailboxAccess access, bool readOnly)
    {
        var cursor = new MailboxCursor(readOnly);
        Turns.Pause();
        try
        {
            if (await access.Mail.OpenAsync(access.Name, cursor) is var (mailbox, uids))
                return Selected = new SelectedMailbox(mailbox, access, cursor, uids, Enabled) { Wanted = _notices?.Selected };
            return null;
        }
        finally
        {
            if (Selected is null) await access.DisposeAsync();
        }
    }

    /// <summary>The client has used CONDSTORE (RFC 7162 section 3.1): from now on it is told of mod-sequences, beginning with that of the mailbox it has selected.</summary>
    public void EnableCondStore()
    {
        if (Enabled.CondStore) return;
        Enabled.CondStore = true;
        Selected?.WriteHighestModSeq(Output);
    }

    /// <summary>Tells the client what has happened, as far as it may be told now.</summary>
    /// <param name="mayExpunge">Whether messages may lose their numbers.</param>
    /// <returns><c>false</c> when the selected mailbox was deleted, or may not be read any more: the session has to end.</returns>
    public async ValueTask<bool> TellAsync(bool mayExpunge)
    {
        if (Selected is { } selected)
        {
            if (!await selected.TellAsync(Output, mayExpunge)) return false;
            foreach (var (items, uids) in selected.News) await FetchHandler.TellAsync(this, selected, items, uids);
            selected.News.Clear();
        }
        await TellOthersAsync();
        return true;
    }

    /// <summary>Tells the client what happens, as it happens.</summary>
    /// <param name="done">Ends it.</param>
    /// <param name="everything">Whether it is told all of the selected mailbox, and not only what NOTIFY says.</param>
    /// <exception cref="SessionEndedException">The selected mailbox was deleted, or the client takes nothing.</exception>
    public async Task TellUntilAsync(Task done, bool everything)
    {
        while (true)
        {
            var tellsSelected = everything || _notices is { TellsSelected: true };
            // Taken before it is looked at what there is, so that nothing is missed.
            var inSelected = tellsSelected && Selected is { } selected ? selected.WaitForChangeAsync() : null;
            var elsewhere = _notices?.WaitAsync();
            await Turns.NextAsync();
            if (tellsSelected && !await TellAsync(everything || _notices!.Selected!.Filter.Kind == MailboxFilterKind.Selected))
                throw new SessionEndedException(SessionEnd.MailboxDeleted);
            if (!tellsSelected) await TellOthersAsync();
            await Output.FlushAsync();
            if (done.IsCompleted) return;
            Turns.End();
            var isDone = await Task.WhenAny([done, .. ((Task?[])[inSelected, elsewhere]).OfType<Task>()]) == done;
            Turns.Begin();
            if (isDone) return;
        }
    }

    /// <summary>NOTIFY (RFC 5465): what is to be told from now on, in place of what was before.</summary>
    /// <returns><c>null</c> where nothing is.</returns>
    public Notices? Notify(ImmutableArray<NotifyGroup> groups)
    {
        _notices?.End();
        _notices = groups.IsEmpty ? null : new Notices(this, groups);
        if (Selected is { } selected) selected.Wanted = _notices?.Selected;
        return _notices;
    }

    private async ValueTask TellOthersAsync()
    {
        try
        {
            if (_notices is null || await _notices.TellAsync()) return;
            Notify([]);
            Output.Status("*", ImapStatus.Ok, "NOTIFICATIONOVERFLOW", "Too much has happened: ask for it anew.");
        }
        catch (StoreException failed)
        {
            _services.Metrics.CountFailure(failed);
            Log.CommandFailed(_services.Logger, _connection.Id, "NOTIFY", failed);
            Notify([]);
            Output.Status("*", ImapStatus.Ok, "NOTIFICATIONOVERFLOW", "What happens cannot be told any more.");
        }
    }

    /// <summary>Tells the client what happens until it sends something, of which nothing is taken yet.</summary>
    private async Task TellUntilInputAsync()
    {
        var input = _connection.Input.ReadAsync(ClientToken).AsTask();
        try
        {
            await TellUntilAsync(input, everything: false);
        }
        catch
        {
            await AbandonAsync(input);
            throw;
        }
        _connection.Input.AdvanceTo((await input).Buffer.Start);
    }

    /// <summary>Back to the authenticated state.</summary>
    public async ValueTask DeselectAsync()
    {
        if (Selected is not { } selected) return;
        Selected = null;
        Turns.Pause();
        await using (selected.Access) await selected.Mail.CloseAsync(selected.Shared, selected.Cursor);
    }

    public async ValueTask DisposeAsync()
    {
        _notices?.End();
        try
        {
            await DeselectAsync();
        }
        catch (StoreException failed)
        {
            Log.CommandFailed(_services.Logger, _connection.Id, "CLOSE", failed);
        }
    }

    private async ValueTask<SessionEnd?> AnswerAsync(CommandFrame frame)
    {
        var (tag, name, mayExpunge) = (frame.Tag, "unknown", true);
        CommandResult result;
        if (frame.Kind is FrameKind.LineTooLong)
        {
            result = CommandResult.Bad("Too long a line.");
        }
        else if (frame.Kind is FrameKind.LiteralTooBig)
        {
            result = CommandResult.No("TOOBIG", "Too big a literal.");
        }
        else if (!ImapCommandParser.TryParse(frame.Bytes, ParseOptions, out var command, out var error))
        {
            tag = error.Tag;
            result = error.Kind switch
            {
                ParseErrorKind.BadCharset => CommandResult.No("BADCHARSET (US-ASCII UTF-8)", error.Reason),
                ParseErrorKind.Refused => CommandResult.No("CANNOT", error.Reason),
                _ => CommandResult.Bad(error.Reason),
            };
        }
        else
        {
            // Message numbers in these must not change before their answer is complete (RFC 3501 section 7.4.1).
            mayExpunge = command is not (FetchCommand { ByUid: false } or StoreCommand { ByUid: false } or SearchCommand { ByUid: false });
            (tag, name) = (command.Tag, command.Name);
            Reader.ForgetFrame();
            // Whoever may not read it any more is treated as if it were deleted.
            if (Selected is { MayRead: false } && command is not LogoutCommand) return SessionEnd.MailboxDeleted;
            result = await RunAsync(command);
        }
        _bad = result.Status == ImapStatus.Bad ? _bad + 1 : 0;
        _services.Metrics.Commands.WithLabels(name, result.Label).Inc();

        if (!LoggedOut && !await TellAsync(mayExpunge)) return SessionEnd.MailboxDeleted;
        // Only now has the client been told of everything up to there.
        var code = result.TellsHighestModSeq && Selected is { } now ? string.Create(CultureInfo.InvariantCulture, $"HIGHESTMODSEQ {now.HighestModSeq}") : result.Code;
        Output.Status(tag ?? "*", result.Status, code, result.Text);
        await Output.FlushAsync();
        if (result.StartsCompression)
        {
            _connection.StartDeflate();
            Reader = NewReader();
        }
        return null;
    }

    private ImapCommandReader NewReader() => new(_connection.Input, CommandLimits.AfterLogin, _ =>
    {
        Output.Raw("+ OK\r\n"u8);
        return Output.FlushAsync();
    });

    private async ValueTask<CommandResult> RunAsync(ImapCommand command)
    {
        try
        {
            return await CommandDispatcher.RunAsync(this, command);
        }
        catch (MailboxGoneException)
        {
            return CommandResult.TryCreate;
        }
        catch (OverQuotaException)
        {
            return CommandResult.OverQuota;
        }
        catch (StoreException fenced) when (Mail.Fenced.IsCancellationRequested && !Output.InLiteral)
        {
            throw new SessionEndedException(SessionEnd.Fenced, fenced);
        }
        catch (StoreException failed)
        {
            _services.Metrics.CountFailure(failed);
            Log.CommandFailed(_services.Logger, _connection.Id, command.Name, failed);
            // The client counts the bytes of the literal: whatever we say now would be part of it.
            if (Output.InLiteral)
            {
                _connection.Abort();
                throw new SessionEndedException(SessionEnd.StoreFailed, failed);
            }
            return failed.IsDamage ? CommandResult.No("CORRUPTION", "The mail is damaged.") : CommandResult.No("UNAVAILABLE", "The mail cannot be reached now.");
        }
        catch (OperationCanceledException) when (ClientToken.IsCancellationRequested)
        {
            throw new SessionEndedException(_patience.End);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1021, LogLevel.Error, "{ConnectionId}: {Command} failed")]
        public static partial void CommandFailed(ILogger logger, string connectionId, string command, Exception exception);
    }
}
