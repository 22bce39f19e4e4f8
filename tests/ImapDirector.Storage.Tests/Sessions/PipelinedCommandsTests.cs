using System.Net;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Tests.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>Many short commands that come at once are as long a piece of work as a long one (limits N15).</summary>
public sealed class PipelinedCommandsTests : IAsyncDisposable
{
    // No processor answers so many in the moment that is free.
    private const int Commands = 100_000;

    private readonly StorageMetrics _metrics = new(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()));
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ProcessTurns _all = new();
    private readonly HeavyWork _heavy = new();

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        _all.Dispose();
        _heavy.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("")]
    [InlineData("n NOTIFY SET (SELECTED (MessageNew MessageExpunge))\r\n")]
    public async Task They_wait_for_a_turn_when_their_moment_is_over_and_give_it_back(string before)
    {
        await using var user = await StoreFixture.OpenAsync();
        await using var mail = new UserMail(user.Store, _metrics);
        _listener.Start();
        using var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)_listener.LocalEndpoint);
        await using var connection = new Connection(await _listener.AcceptSocketAsync());
        var options = new StorageNodeOptions { DataDirectory = user.Directory.FullName, Imap = new IPEndPoint(IPAddress.Loopback, 0), Lmtp = new IPEndPoint(IPAddress.Loopback, 0) };
        var services = new SessionServices(options, null, null!, null, user.Directory.FullName, _heavy, _all, _metrics, NullLogger.Instance);
        using var output = new ResponseStream(connection, TimeSpan.FromMinutes(1));
        using var patience = new SessionPatience(CancellationToken.None);
        await using var session = new MailSession(connection, output, patience, services, mail);
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);

        // Another session of the user has its only turn.
        for (var i = mail.Turns.CurrentCount; i > 0; i--) await mail.Turns.WaitAsync();
        var running = session.RunAsync();
        var sending = client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(before + new StringBuilder().Insert(0, "x NOOP\r\n", Commands))).AsTask();
        var answers = 0;
        Task<string?> reading;
        while ((reading = ReadAsync()) == await Task.WhenAny(reading, Task.Delay(TimeSpan.FromSeconds(1)))) answers++;
        Assert.True(answers < Commands);

        mail.Turns.Release();
        for (answers += await reading is null ? 0 : 1; answers < Commands; answers++) await ReadAsync();
        await sending;
        // It waits for the client now, and leaves its turn to others.
        Assert.True(await mail.Turns.WaitAsync(TimeSpan.FromSeconds(30)));
        client.Close();
        Assert.Equal(SessionEnd.Disconnected, await running.WaitAsync(TimeSpan.FromSeconds(30)));

        async Task<string?> ReadAsync()
        {
            string? line;
            do line = await reader.ReadLineAsync();
            while (line?.StartsWith("x OK", StringComparison.Ordinal) == false);
            return line;
        }
    }
}
