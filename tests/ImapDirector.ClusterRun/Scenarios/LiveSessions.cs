using System.Collections.Concurrent;
using System.Net.Sockets;
using ImapDirector.ClusterRun.Clients;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun.Scenarios;

/// <summary>Sessions that stay, in IDLE, and say something every few seconds.</summary>
/// <param name="cluster">Where.</param>
/// <param name="journal">What they saw.</param>
/// <param name="comeBack">Whether one that has ended is followed by another.</param>
internal sealed class LiveSessions(TestCluster cluster, Journal journal, bool comeBack) : IAsyncDisposable
{
    private const int LoginsAtOnce = 8;
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(3), BeforeAnotherTry = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<string, (MailClient Client, LoginRecord Login)> _open = [];
    private readonly ConcurrentBag<TimeSpan> _gaps = [];
    private int _answered;
    private int _lost;

    public int Count => _open.Count;

    /// <summary>How many commands were answered.</summary>
    public int Answered => _answered;

    /// <summary>How many sessions ended.</summary>
    public int Lost => _lost;

    /// <summary>For how long users were without a session, each time that they were.</summary>
    public IReadOnlyCollection<TimeSpan> Gaps => _gaps;

    /// <summary>Opens one for each user, at all directors in turn.</summary>
    public Task OpenAsync(IEnumerable<string> users, CancellationToken stop) =>
        Parallel.ForEachAsync(users.Index(), new ParallelOptions { MaxDegreeOfParallelism = LoginsAtOnce, CancellationToken = stop }, async (user, _) => await OpenAsync(user.Item, user.Index));

    /// <summary>Uses them until it is told to stop.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(_open.Keys.Select(user => RunAsync(user, stop)));

    public async ValueTask DisposeAsync()
    {
        foreach (var session in _open.Values) await session.Client.DisposeAsync();
    }

    private async Task<bool> OpenAsync(string user, int director)
    {
        if (await SessionLoop.LogInAsync(cluster, journal, user, director % cluster.Directors.Count) is not { } open) return false;
        _open[user] = open;
        return true;
    }

    private async Task RunAsync(string user, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await WorkAsync(user, stop);
            if (stop.IsCancellationRequested) return;
            var ended = DateTime.UtcNow;
            Interlocked.Increment(ref _lost);
            if (!comeBack) return;
            for (var director = Random.Shared.Next(); !await OpenAsync(user, director); director = Random.Shared.Next())
            {
                await Task.Delay(BeforeAnotherTry, CancellationToken.None);
                if (stop.IsCancellationRequested) return;
            }
            _gaps.Add(_open[user].Login.To - ended);
        }
    }

    private async Task WorkAsync(string user, CancellationToken stop)
    {
        var (client, login) = _open[user];
        var last = login.To;
        try
        {
            var isOpen = (await client.AskAsync("SELECT INBOX")).IsOk;
            while (isOpen && !stop.IsCancellationRequested)
            {
                var (said, isOk) = await IdleAsync(client, stop);
                isOpen = isOk;
                if (!isOk) continue;
                last = said;
                Interlocked.Increment(ref _answered);
            }
        }
        catch (Exception gone) when (gone is IOException or SocketException or OperationCanceledException)
        {
            // It has ended.
        }
        journal.Sessions.Add(new SessionRecord(user, login.Client, login.To, last, ""));
        await client.DisposeAsync();
    }

    /// <summary>Waits in IDLE, where the end of a session is noticed at once.</summary>
    /// <returns>When DONE was said, and whether it was answered with OK.</returns>
    private static async Task<(DateTime Said, bool IsOk)> IdleAsync(MailClient client, CancellationToken stop)
    {
        var tag = await client.SendAsync("IDLE");
        var time = Task.Delay(IdleTime, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        var said = (DateTime?)null;
        while (true)
        {
            var line = client.ReadAnswerAsync(null);
            if (said is null && await Task.WhenAny(line, time) == time)
            {
                said = DateTime.UtcNow;
                await client.SendRawAsync("DONE\r\n");
            }
            var text = (await line).Lines[0];
            if (text.StartsWith("* BYE", StringComparison.Ordinal)) return (default, false);
            if (text.StartsWith(tag + " ", StringComparison.Ordinal)) return (said ?? default, said is not null && text.StartsWith(tag + " OK", StringComparison.Ordinal));
        }
    }
}
