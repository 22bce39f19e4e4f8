using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>Tells a client that waits how far its command has come (RFC 9585), so that it does not take the connection for dead.</summary>
/// <param name="session">The session.</param>
/// <param name="tag">The command's.</param>
/// <param name="goal">How many messages there are to look at; <c>null</c> where nobody knows yet.</param>
internal sealed class Progress(MailSession session, string tag, int? goal)
{
    private readonly long _interval = (long)session.Options.ProgressInterval.TotalMilliseconds;
    private long _next = Environment.TickCount64 + (long)session.Options.ProgressInterval.TotalMilliseconds;

    /// <summary>Messages looked at so far.</summary>
    public int Done { get; set; }

    /// <summary>Waits for work that is done elsewhere, and tells meanwhile that the command is still at it.</summary>
    public async Task<T> WhileAsync<T>(Task<T> work)
    {
        try
        {
            session.Turns.End();
            while (!work.IsCompleted)
            {
                using var done = new CancellationTokenSource();
                var due = Task.Delay((int)Math.Clamp(_next - Environment.TickCount64, 1, int.MaxValue), done.Token);
                if (await Task.WhenAny(work, due) == work) await done.CancelAsync();
                else await TellAsync();
            }
        }
        finally
        {
            // Where the client is gone the work still is this command's: it ends before the command does.
            await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return await work;
    }

    /// <summary>Tells it where that is due.</summary>
    public async ValueTask TellAsync()
    {
        if (Done == 0 || Environment.TickCount64 < _next) return;
        _next = Environment.TickCount64 + _interval;
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
        await output.FlushAsync();
    }
}
