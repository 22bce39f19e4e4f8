using System.Net.Sockets;
using ImapDirector.Director.Relay;
using ImapDirector.Director.Tests.Login;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

/// <summary>A relay between two real connections, whose far ends are the test's.</summary>
internal sealed class RelayUnderTest : IAsyncDisposable
{
    private readonly ConnectionPair _client;
    private readonly ConnectionPair _node;
    private readonly RelayWatch _watch;
    private readonly RelayLoops _loops;
    private readonly SessionRelay _relay;
    private readonly RelayEnd _end;

    private RelayUnderTest(ConnectionPair client, ConnectionPair node, RelayWatch watch, RelayLoops loops, Func<TimeSpan>? keepClient, bool kickFirst)
    {
        (_client, _node, _watch, _loops, _end) = (client, node, watch, loops, new RelayEnd(keepClient));
        _relay = SessionRelay.Create(client.Server, node.Server, _watch, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), _end);
        if (kickFirst) _relay.Kick();
        _relay.Begin();
    }

    public ImapConversation Client => _client.Client;

    public ImapConversation Node => _node.Client;

    public SessionRelay Relay => _relay;

    public RelayWatch Watch => _watch;

    /// <summary>How it ended; waits for it.</summary>
    public Task<SessionEnd> EndAsync() => _end.WaitAsync();

    /// <summary>What whoever runs a relay does when it has ended.</summary>
    public async Task CloseBehindAsync()
    {
        await EndAsync();
        await _client.Server.DisposeAsync();
        await _node.Server.DisposeAsync();
    }

    /// <summary>Writes to the client, past the relay, until the system takes no more.</summary>
    /// <returns>How many bytes.</returns>
    public Task<int> FillClientAsync() => FillAsync(_client.Server.Socket);

    /// <summary>As above, of any socket.</summary>
    public static async Task<int> FillAsync(Socket socket)
    {
        var (filler, filled) = (new byte[64 * 1024], 0);
        var wasBlocking = socket.Blocking;
        socket.Blocking = false;
        var (size, refusals) = (filler.Length, 0);
        while (refusals < 5)
        {
            var count = socket.Send(filler, 0, size, SocketFlags.None, out var error);
            filled += count;
            // Room that somebody has made meanwhile is filled as fast as the first.
            if (error == SocketError.Success)
            {
                (size, refusals) = (filler.Length, 0);
                continue;
            }
            Assert.Equal(SocketError.WouldBlock, error);
            if (size == 1)
            {
                refusals++;
                await Task.Delay(20);
            }
            size = 1;
        }
        socket.Blocking = wasBlocking;
        return filled;
    }

    /// <summary>What a listener does with the connections that are left when it goes.</summary>
    public void AbortElsewhere() => _client.Server.Abort();

    /// <summary>Does something of which the relay's first thread hears all at once.</summary>
    public async Task WhileLoopStandsStillAsync(Func<Task> work)
    {
        var (isStanding, isDone) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        _loops.All[0].Post(() =>
        {
            isStanding.SetResult();
            isDone.Task.Wait();
        });
        await isStanding.Task;
        try
        {
            await work();
        }
        finally
        {
            isDone.SetResult();
        }
    }

    /// <summary>The relay's threads end.</summary>
    public void EndThreads() => _loops.Dispose();

    public void Kick() => _relay.Kick();

    /// <param name="threads">Threads of the relay; with none bytes come through streams.</param>
    /// <param name="isSecure">Whether the client comes with TLS.</param>
    /// <param name="isDirect">Whether that is OpenSSL's directly.</param>
    /// <param name="idleTimeout">How long both may be silent.</param>
    /// <param name="lastPatience">How long one may take nothing in the end; usually longer than a busy machine lets a thread stand still.</param>
    /// <param name="prepare">What happens on the connections before the relay begins.</param>
    /// <param name="keepClient">How long the client is kept when the node has ended the session.</param>
    /// <param name="kickFirst">Whether it is kicked before it begins.</param>
    public static async Task<RelayUnderTest> StartAsync(int threads, bool isSecure = false, bool isDirect = true, TimeSpan? idleTimeout = null, TimeSpan? lastPatience = null,
        Func<ConnectionPair, ConnectionPair, Task>? prepare = null, Func<TimeSpan>? keepClient = null, bool kickFirst = false)
    {
        var loops = new RelayLoops(threads, NullLogger.Instance);
        var loop = loops.All is [var first, ..] ? first : null;
        var client = await ConnectionPair.CreateAsync(loop);
        var node = await ConnectionPair.CreateAsync(loop);
        if (isSecure)
        {
            using var certificate = TestCertificate.Create(isDirect);
            var handshake = client.Server.StartTlsServerAsync(certificate, CancellationToken.None);
            await client.Client.SecureAsync();
            await handshake;
        }
        if (prepare is not null) await prepare(client, node);
        return new RelayUnderTest(client, node, new RelayWatch(idleTimeout ?? TimeSpan.FromMinutes(30), lastPatience ?? TimeSpan.FromSeconds(10)), loops, keepClient, kickFirst);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Node.DisposeAsync();
        await EndAsync();
        await _client.Server.DisposeAsync();
        await _node.Server.DisposeAsync();
        await _watch.DisposeAsync();
        _loops.Dispose();
    }
}
