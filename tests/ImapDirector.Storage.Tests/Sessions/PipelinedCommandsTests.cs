using System.Net;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;
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
        await using var pipeline = await PipelineAsync();
        await pipeline.SendAsync(before, "");
        // It waits for the client now, and leaves its turn to others.
        Assert.True(await pipeline.Mail.Turns.WaitAsync(TimeSpan.FromSeconds(30)));
        pipeline.Leave();
        Assert.Equal(SessionEnd.Disconnected, await pipeline.Running.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Theory]
    [InlineData("l APPEND INBOX {3}\r\n")]
    [InlineData("l APPEND INBOX {3+}\r\n")]
    [InlineData("l UID REPLACE 1 INBOX {3+}\r\n")]
    public async Task Behind_them_a_client_that_does_not_send_its_message_keeps_no_turn(string last)
    {
        await using var pipeline = await PipelineAsync();
        await pipeline.SendAsync("", last);
        await Task.Delay(TimeSpan.FromSeconds(1));
        Assert.True(await pipeline.Mail.Turns.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Theory]
    [InlineData("", "l SELECT INBOX\r\n")]
    [InlineData("s SELECT INBOX\r\n", "l CLOSE\r\n")]
    [InlineData("", "l APPEND INBOX (word) {3+}\r\nabc\r\n")]
    [InlineData("", "l RESETKEY\r\n")]
    public async Task Behind_them_a_command_that_waits_for_another_s_change_keeps_no_turn(string before, string last)
    {
        await using var pipeline = await PipelineAsync();
        Assert.True(AccessIdentifier.TryCreate("bob@example.com", out var bob));
        var inbox = pipeline.Mail.Store.FindMailbox(MailboxName.Inbox)!.Id;
        using var begun = new ManualResetEventSlim();
        using var end = new ManualResetEventSlim();
        var change = Task.CompletedTask;
        try
        {
            await pipeline.SendAsync(before, last, () =>
            {
                change = Task.Run(() => pipeline.Mail.ChangeAccessAsync(inbox, bob, rights =>
                {
                    begun.Set();
                    end.Wait();
                    return rights;
                }));
                Assert.True(begun.Wait(TimeSpan.FromSeconds(30)));
            });
            await Task.Delay(TimeSpan.FromSeconds(1));
            Assert.True(await pipeline.Mail.Turns.WaitAsync(TimeSpan.FromSeconds(30)));
        }
        finally
        {
            end.Set();
            await change;
        }
        while (!(await pipeline.ReadLineAsync())!.StartsWith("l OK", StringComparison.Ordinal))
        {
        }
    }

    private async Task<Pipeline> PipelineAsync()
    {
        var user = await StoreFixture.OpenAsync();
        var mail = new UserMail(user.Store, _metrics);
        _listener.Start();
        var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)_listener.LocalEndpoint);
        var connection = new Connection(await _listener.AcceptSocketAsync());
        var options = new StorageNodeOptions { DataDirectory = user.Directory.FullName, Imap = new IPEndPoint(IPAddress.Loopback, 0), Lmtp = new IPEndPoint(IPAddress.Loopback, 0) };
        return new Pipeline(user, mail, client, connection, new SessionServices(options, null, null!, null, user.Directory.FullName, _heavy, _all, _metrics, NullLogger.Instance));
    }

    /// <summary>A session whose client sends everything at once, while another session of the user has its only turn.</summary>
    private sealed class Pipeline : IAsyncDisposable
    {
        private readonly StoreFixture _user;
        private readonly TcpClient _client;
        private readonly Connection _connection;
        private readonly StreamReader _reader;
        private readonly ResponseStream _output;
        private readonly SessionPatience _patience = new(CancellationToken.None);
        private readonly MailSession _session;
        private readonly int _turns;

        public Pipeline(StoreFixture user, UserMail mail, TcpClient client, Connection connection, SessionServices services)
        {
            (_user, Mail, _client, _connection, _turns) = (user, mail, client, connection, mail.Turns.CurrentCount);
            _reader = new StreamReader(client.GetStream(), Encoding.ASCII);
            _output = new ResponseStream(connection, TimeSpan.FromMinutes(1));
            _session = new MailSession(connection, _output, _patience, services, mail);
            Running = _session.RunAsync();
        }

        public UserMail Mail { get; }

        public Task<SessionEnd> Running { get; }

        public Task<string?> ReadLineAsync() => _reader.ReadLineAsync();

        public void Leave() => _client.Close();

        /// <summary>Sends them, and returns when the short ones are answered.</summary>
        /// <param name="before">What is answered before them.</param>
        /// <param name="last">What is sent with them, behind them.</param>
        /// <param name="meanwhile">Called before they are answered.</param>
        public async Task SendAsync(string before, string last, Action? meanwhile = null)
        {
            await WriteAsync(before + "b NOOP\r\n");
            while (await ReadLineAsync() is { } line && !line.StartsWith("b OK", StringComparison.Ordinal))
            {
            }
            meanwhile?.Invoke();
            // The session's own too, which it may have needed for what is answered, and gives back only behind that.
            for (var i = 0; i < _turns; i++) Assert.True(await Mail.Turns.WaitAsync(TimeSpan.FromSeconds(30)));
            var (answers, rounds, commands) = (0, 0, 0);
            Task<string?> reading;
            Task sending;
            do
            {
                // Where this machine sends them more slowly than they are answered, each is waited for: the more there are, the less likely that is.
                Assert.True(++rounds < 20);
                commands += Commands;
                (answers, sending) = (0, WriteAsync(new StringBuilder().Insert(0, "x NOOP\r\n", commands).ToString()));
                while ((reading = ReadAnswerAsync()) == await Task.WhenAny(reading, Task.Delay(TimeSpan.FromSeconds(1))) && ++answers < commands)
                {
                }
            }
            while (answers == commands);
            sending = SendBehindAsync(sending, last);
            Mail.Turns.Release();
            for (answers += await reading is null ? 0 : 1; answers < commands; answers++) await ReadAnswerAsync();
            await sending;
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await ((Task)Running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _session.DisposeAsync();
            _reader.Dispose();
            _output.Dispose();
            _patience.Dispose();
            await _connection.DisposeAsync();
            await Mail.DisposeAsync();
            await _user.DisposeAsync();
        }

        private async Task WriteAsync(string text) => await _client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text));

        private async Task SendBehindAsync(Task sending, string text)
        {
            await sending;
            await WriteAsync(text);
        }

        private async Task<string?> ReadAnswerAsync()
        {
            string? line;
            do line = await ReadLineAsync();
            while (line?.StartsWith("x OK", StringComparison.Ordinal) == false);
            return line;
        }
    }
}
