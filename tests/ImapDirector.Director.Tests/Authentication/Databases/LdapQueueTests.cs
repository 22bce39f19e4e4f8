using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using ImapDirector.Director.Authentication;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication.Databases;

/// <summary>Who waits for a connection to the directory.</summary>
public sealed class LdapQueueTests
{
    [Fact]
    public async Task Who_has_waited_longest_is_next_whoever_comes_meanwhile()
    {
        await using var directory = new SlowDirectory();
        await using var database = new LdapDatabase(new LdapDatabaseOptions { Url = directory.Url, UserDn = "uid={local}", MaxConnections = 1, Timeout = TimeSpan.FromSeconds(30) }, NullLogger<LdapDatabase>.Instance);
        var asked = new Queue<Task<DatabaseAnswer>>();
        for (var number = 0; number < 3; number++) asked.Enqueue(AskAsync(database, number));
        for (var number = 0; number < 40; number++)
        {
            Assert.Equal($"uid=user{number}", await directory.AskedAsync());
            directory.Answer();
            Assert.Equal(DatabaseAnswerKind.RightPassword, (await asked.Dequeue()).Kind);
            // There are two who wait already.
            asked.Enqueue(AskAsync(database, number + 3));
        }
        for (; asked.Count > 0; _ = await asked.Dequeue())
        {
            await directory.AskedAsync();
            directory.Answer();
        }
    }

    private static Task<DatabaseAnswer> AskAsync(LdapDatabase database, int number) => database.AskAsync(
        new DatabaseQuestion(UserName.TryCreate($"user{number}@example.com", null, out var user) ? user : throw new InvalidOperationException(), "secret"u8.ToArray(), IPAddress.Loopback), CancellationToken.None).AsTask();

    /// <summary>A directory with one connection, where every login is right once the test says so.</summary>
    private sealed class SlowDirectory : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Channel<string> _asked = Channel.CreateUnbounded<string>();
        private readonly SemaphoreSlim _answers = new(0);
        private readonly CancellationTokenSource _stopping = new();
        private readonly Task _serving;

        public SlowDirectory()
        {
            _listener.Start();
            _serving = ServeAsync();
        }

        public Uri Url => new($"ldap://{_listener.LocalEndpoint}");

        /// <summary>The name of the next login.</summary>
        public async Task<string> AskedAsync() => await _asked.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));

        public void Answer() => _answers.Release();

        public async ValueTask DisposeAsync()
        {
            await _stopping.CancelAsync();
            await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _listener.Dispose();
            _stopping.Dispose();
            _answers.Dispose();
        }

        private async Task ServeAsync()
        {
            using var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
            var message = new byte[256];
            while (true)
            {
                // LDAPMessage (RFC 4511 section 4.1.1) with a bind request, all of it short: 30 … 02 01 id 60 … 02 01 03 04 length name …
                await client.GetStream().ReadExactlyAsync(message.AsMemory(0, 2), _stopping.Token);
                await client.GetStream().ReadExactlyAsync(message.AsMemory(2, message[1]), _stopping.Token);
                await _asked.Writer.WriteAsync(Encoding.ASCII.GetString(message, 12, message[11]), _stopping.Token);
                await _answers.WaitAsync(_stopping.Token);
                await client.GetStream().WriteAsync(new byte[] { 0x30, 12, 0x02, 1, message[4], 0x61, 7, 0x0a, 1, 0, 0x04, 0, 0x04, 0 }, _stopping.Token);
            }
        }
    }
}
