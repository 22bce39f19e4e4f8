using System.Net.Sockets;
using ImapDirector.ClusterRun.Clients;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Scenarios;

/// <summary>Sessions that stay, and say something every second.</summary>
internal sealed class LiveSessions : IAsyncDisposable
{
    private readonly List<(string User, MailClient Client)> _open = [];
    private int _answered;
    private int _lost;

    public int Count => _open.Count;

    /// <summary>How many commands were answered.</summary>
    public int Answered => _answered;

    /// <summary>How many sessions ended.</summary>
    public int Lost => _lost;

    /// <summary>Opens one for each user, at all directors in turn.</summary>
    public static async Task<LiveSessions> OpenAsync(TestCluster cluster, Journal journal, IEnumerable<string> users)
    {
        var sessions = new LiveSessions();
        foreach (var user in users)
            if (await SessionLoop.LogInAsync(cluster, journal, user, sessions._open.Count % cluster.Directors.Count) is { } open) sessions._open.Add((user, open.Client));
        return sessions;
    }

    /// <summary>Uses them until it is told to stop.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(_open.Select(async session =>
    {
        try
        {
            if (!(await session.Client.AskAsync("SELECT INBOX")).IsOk) return;
            while (!stop.IsCancellationRequested)
            {
                await session.Client.AskAsync("NOOP");
                Interlocked.Increment(ref _answered);
                await Task.Delay(1000, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
        {
            Interlocked.Increment(ref _lost);
        }
    }));

    public async ValueTask DisposeAsync()
    {
        foreach (var session in _open) await session.Client.DisposeAsync();
    }
}
