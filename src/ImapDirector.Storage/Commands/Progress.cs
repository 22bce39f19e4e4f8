using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>Tells a client that waits how far its command has come (RFC 9585), so that it does not take the connection for dead; and finds out whether it still waits.</summary>
/// <param name="session">The session.</param>
/// <param name="tag">The command's.</param>
/// <param name="goal">How many messages there are to look at; <c>null</c> where nobody knows yet.</param>
/// <param name="deadline">Ends the command.</param>
internal sealed class Progress(MailSession session, string tag, int? goal, CancellationTokenSource deadline)
{
    // A search that nobody waits for goes on for about twice as long.
    private const int LookMilliseconds = 250;

    private readonly long _interval = (long)session.Options.ProgressInterval.TotalMilliseconds;
    private long _next = Environment.TickCount64 + (long)session.Options.ProgressInterval.TotalMilliseconds;
    private long _nextLook = Environment.TickCount64 + LookMilliseconds;
    // The sooner of the two.
    private long _due = Environment.TickCount64 + Math.Min(LookMilliseconds, (long)session.Options.ProgressInterval.TotalMilliseconds);

    /// <summary>Messages looked at so far.</summary>
    public int Done { get; set; }

    /// <summary>Fires when the command has taken too long, or nobody waits for it any more.</summary>
    public CancellationToken Deadline => deadline.Token;

    /// <summary>Waits for work that is done elsewhere, and tells meanwhile that the command is still at it.</summary>
    public async Task<T> WhileAsync<T>(Task<T> work)
    {
        try
        {
            session.Turns.End();
            while (!work.IsCompleted)
            {
                using var done = new CancellationTokenSource();
                var due = Task.Delay((int)Math.Clamp(_due - Environment.TickCount64, 1, int.MaxValue), done.Token);
                if (await Task.WhenAny(work, due) == work) await done.CancelAsync();
                else await TellAsync();
            }
        }
        catch
        {
            // The client is gone.
            await deadline.CancelAsync();
            throw;
        }
        finally
        {
            // The work still is this command's: it ends before the command does.
            await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return await work;
    }

    /// <summary>Tells it where that is due.</summary>
    /// <exception cref="SessionEndedException">The client is gone.</exception>
    public ValueTask TellAsync()
    {
        var now = Environment.TickCount64;
        if (now < _due) return ValueTask.CompletedTask;
        var tells = now >= _next && Done > 0;
        if (now >= _next) _next = now + _interval;
        if (now >= _nextLook)
        {
            _nextLook = now + LookMilliseconds;
            tells |= IsClosing();
        }
        _due = Math.Min(_next, _nextLook);
        return tells ? WriteAsync() : ValueTask.CompletedTask;
    }

    /// <summary>Whoever sends nothing more may still be reading. Where nobody is, what is written to them comes back as a reset, which the next look sees.</summary>
    private bool IsClosing()
    {
        var end = session.FindClientEnd();
        return end == ClientEnd.Gone ? throw new SessionEndedException(SessionEnd.Disconnected) : end == ClientEnd.Closing;
    }

    private ValueTask WriteAsync()
    {
        var output = session.Output;
        output.Raw("* OK [INPROGRESS ("u8);
        // A bracket would end the response code for many clients.
        if (tag.Contains(']', StringComparison.Ordinal))
        {
            output.Raw("NIL"u8);
        }
        else
        {
            output.Raw("\""u8);
            output.Raw(Encoding.ASCII.GetBytes(tag));
            output.Raw("\""u8);
        }
        output.Raw(" "u8);
        output.Number((ulong)Done);
        output.Raw(" "u8);
        if (goal is { } known) output.Number((ulong)known);
        else output.Raw("NIL"u8);
        output.Raw(")] Still at work.\r\n"u8);
        return output.FlushAsync();
    }
}
