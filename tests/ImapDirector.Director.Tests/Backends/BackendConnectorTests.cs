using System.Net;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Protocol.Sasl;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

public sealed class BackendConnectorTests
{
    private static readonly BackendUser Alice = new(TestDirector.User("alice@example.com"), "pass word"u8.ToArray()) { Epoch = 7 };
    private static readonly ForwardedClient Client = new("Session-1", new IPEndPoint(IPAddress.Parse("192.0.2.7"), 40001), new IPEndPoint(IPAddress.Parse("198.51.100.1"), 993), IsSecure: true);

    [Fact]
    public async Task The_node_hears_of_the_client_and_is_logged_in_as_the_user()
    {
        await using var node = FakeImapNode.Ready();

        var login = await LogInAsync(node.Backend);

        Assert.Equal(BackendFailure.None, login.Failure);
        Assert.Equal("IMAP4rev1 IDLE UIDPLUS", login.Session!.Capabilities);
        Assert.Equal("alice@example.com\0director\0node secret", node.Session.Credentials);
        Assert.Equal(
            "D1 ID ('x-originating-ip' '192.0.2.7' 'x-originating-port' '40001' 'x-connected-ip' '198.51.100.1' 'x-connected-port' '993' ".Replace('\'', '"') +
            "'x-session-id' 'Session-1' 'x-proxy-ttl' '4' 'x-client-transport' 'TLS')\r\n".Replace('\'', '"') +
            $"D2 AUTHENTICATE PLAIN {Convert.ToBase64String(Encoding.UTF8.GetBytes("alice@example.com\0director\0node secret"))}\r\n", node.Session.Heard);
        await login.Session.Connection.DisposeAsync();
    }

    [Fact]
    public async Task A_bundled_node_is_given_an_assertion_about_this_one_login_and_no_password()
    {
        using var key = new AssertionKey();
        var verifier = new AssertionVerifier("node1", TimeSpan.FromSeconds(60), TimeProvider.System);
        await using var node = Bearer("AUTH=OAUTHBEARER");

        var login = await LogInAsync(node.Backend, key.Use);

        Assert.Equal(BackendFailure.None, login.Failure);
        await login.Session!.Connection.DisposeAsync();
        Assert.Contains(" AUTHENTICATE OAUTHBEARER ", node.Session.Heard);
        Assert.True(BearerMessage.TryParse(Encoding.ASCII.GetBytes(node.Session.Credentials!), out var identity, out var token));
        Assert.Equal("alice@example.com", Encoding.ASCII.GetString(identity));
        Assert.Equal(AssertionRefusal.None, verifier
            .Verify(token, key.Public, AssertionScope.Imap, TestDirector.User("alice@example.com"), out var assertion));
        Assert.Equal((7, "Session-1", "192.0.2.7", 30), (assertion!.Epoch, assertion.SessionId, assertion.ClientAddress!.ToString(), (int)(assertion.ExpiresAt - assertion.IssuedAt).TotalSeconds));
    }

    [Fact]
    public async Task No_two_logins_have_the_same_assertion()
    {
        using var key = new AssertionKey();
        await using var node = Bearer("AUTH=OAUTHBEARER");
        for (var i = 0; i < 2; i++) await (await LogInAsync(node.Backend, key.Use)).Session!.Connection.DisposeAsync();
        Assert.Equal(2, node.Sessions.Select(session => session.Credentials).Distinct().Count());
    }

    [Fact]
    public async Task A_bundled_node_that_asks_for_the_master_password_instead_gets_nothing()
    {
        using var key = new AssertionKey();
        await using var node = Bearer("AUTH=PLAIN");
        var login = await LogInAsync(node.Backend, key.Use);
        Assert.Equal(BackendFailure.NoMechanism, login.Failure);
        await node.Session.Closed;
        Assert.Equal("", node.Session.Heard);
    }

    [Fact]
    public async Task A_generic_node_gets_the_master_password_beside_bundled_ones()
    {
        using var key = new AssertionKey();
        await using var node = FakeImapNode.Ready();
        var login = await LogInAsync(node.Backend with { Kind = BackendKind.Generic }, key.Use);
        Assert.Equal(BackendFailure.None, login.Failure);
        Assert.Equal("alice@example.com\0director\0node secret", node.Session.Credentials);
        await login.Session!.Connection.DisposeAsync();
    }

    private static FakeImapNode Bearer(string mechanism) => new(async session =>
    {
        await session.WriteLineAsync($"* OK [CAPABILITY IMAP4rev1 SASL-IR ID {mechanism}] ready");
        await session.AnswerLoginAsync(NodeSession.LoggedIn);
        await session.ListenAsync();
    });

    [Theory]
    [InlineData("")]
    [InlineData("[CAPABILITY] ")]
    public async Task A_node_without_SASL_IR_or_ID_and_without_capabilities_is_asked_step_by_step(string code)
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync($"* OK {code}ready");
            var ask = await session.ReadLineAsync();
            await session.WriteLineAsync($"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{NodeSession.Tag(ask)} OK done");
            var authenticate = await session.ReadLineAsync();
            Assert.EndsWith("AUTHENTICATE PLAIN", authenticate);
            await session.WriteLineAsync("+ ");
            await session.ReadLineAsync();
            await session.WriteLineAsync($"{NodeSession.Tag(authenticate)} OK {code}in");
            ask = await session.ReadLineAsync();
            await session.WriteLineAsync($"* CAPABILITY IMAP4rev1 IMAP4rev2 COMPRESS=DEFLATE QUOTA LOGINDISABLED AUTH=PLAIN STARTTLS X]Y Z\"\r\n{NodeSession.Tag(ask)} OK done");
            await session.ListenAsync();
        });

        var login = await LogInAsync(node.Backend);

        Assert.Equal(BackendFailure.None, login.Failure);
        Assert.Equal("IMAP4rev1 IMAP4rev2 QUOTA", login.Session!.Capabilities);
        await login.Session.Connection.DisposeAsync();
    }

    [Fact]
    public async Task A_node_that_wants_the_users_own_password_gets_it_and_no_other()
    {
        await using var node = FakeImapNode.Ready();

        var login = await LogInAsync(node.Backend with { Login = NodeLogin.Password });

        Assert.Equal(BackendFailure.None, login.Failure);
        Assert.Equal("\0alice@example.com\0pass word", node.Session.Credentials);
        await login.Session!.Connection.DisposeAsync();
    }

    [Fact]
    public async Task Where_there_is_no_SASL_name_and_password_go_as_literals()
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync("* OK [CAPABILITY IMAP4rev1] ready");
            var login = await session.ReadLineAsync();
            Assert.EndsWith("LOGIN {17}", login);
            await session.WriteLineAsync("+ name");
            Assert.Equal("alice@example.com {9}", await session.ReadLineAsync());
            await session.WriteLineAsync("+ password");
            Assert.Equal("pass word", await session.ReadLineAsync());
            await session.WriteLineAsync($"{NodeSession.Tag(login)} {NodeSession.LoggedIn}");
            await session.ListenAsync();
        });

        var login = await LogInAsync(node.Backend with { Login = NodeLogin.Password });

        Assert.Equal(BackendFailure.None, login.Failure);
        await login.Session!.Connection.DisposeAsync();
    }

    [Theory]
    [InlineData("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready", "secret", nameof(BackendFailure.NoMechanism))]
    [InlineData(NodeSession.Greeting, "", nameof(BackendFailure.NoPassword))]
    [InlineData(NodeSession.Greeting, "sec\0ret", nameof(BackendFailure.NoPassword))]
    public async Task A_password_that_cannot_be_passed_on_is_not(string greeting, string password, string expected)
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(greeting);
            await session.ListenAsync();
        });
        var options = new DirectorOptions { Nodes = [node.Backend with { Login = NodeLogin.Password }] };

        var login = await Connector(options).LogInAsync(options.Nodes[0], Alice with { Password = Encoding.Latin1.GetBytes(password) }, Client, CancellationToken.None);

        Assert.Equal(expected, login.Failure.ToString());
        await node.Session.Closed;
        Assert.Empty(node.Session.Heard);
    }

    [Fact]
    public async Task A_node_that_will_not_hear_about_the_client_serves_it_all_the_same()
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await session.WriteLineAsync($"{NodeSession.Tag(await session.ReadLineAsync())} BAD what?");
            await session.WriteLineAsync($"{NodeSession.Tag(await session.ReadLineAsync())} {NodeSession.LoggedIn}");
            await session.ListenAsync();
        });

        var login = await LogInAsync(node.Backend);

        Assert.Equal(BackendFailure.None, login.Failure);
        await login.Session!.Connection.DisposeAsync();
    }

    [Fact]
    public async Task What_the_node_says_behind_its_OK_stays_for_the_relay()
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await session.AnswerLoginAsync(NodeSession.LoggedIn + "\r\n* 1 EXISTS");
            await session.ListenAsync();
        });

        var login = await LogInAsync(node.Backend);

        var rest = await login.Session!.Connection.Input.ReadAsync();
        Assert.Equal("* 1 EXISTS\r\n", Encoding.ASCII.GetString(rest.Buffer));
        await login.Session.Connection.DisposeAsync();
    }

    public static TheoryData<string, Func<NodeSession, Task>> Failures => new()
    {
        { nameof(BackendFailure.Closed), _ => Task.CompletedTask },
        { nameof(BackendFailure.Closed), session => session.WriteAsync("* OK half a li") },
        { nameof(BackendFailure.Bye), session => session.WriteLineAsync("* BYE not today") },
        { nameof(BackendFailure.Nonsense), session => session.WriteLineAsync("* PREAUTH [CAPABILITY IMAP4rev1] you are root") },
        { nameof(BackendFailure.Nonsense), session => session.WriteLineAsync("220 mail ESMTP") },
        { nameof(BackendFailure.Nonsense), session => session.WriteLineAsync("* NO") },
        { nameof(BackendFailure.Nonsense), session => session.WriteLineAsync("D1 OK before anything was asked") },
        { nameof(BackendFailure.Nonsense), session => session.WriteAsync("* OK bare line feed\n") },
        { nameof(BackendFailure.Nonsense), session => session.WriteAsync("* OK a NUL \0 in it\r\n") },
        { nameof(BackendFailure.Nonsense), session => session.WriteAsync("\r\n") },
        { nameof(BackendFailure.Nonsense), session => session.WriteAsync("\u00ff\u00fe\u0016\u0003\u0001\r\n") },
        { nameof(BackendFailure.LineTooLong), session => session.WriteLineAsync("* OK " + new string('x', 4096)) },
        { nameof(BackendFailure.LineTooLong), session => FloodAsync(session, "") },
        { nameof(BackendFailure.LineTooLong), session => GreetedAsync(session, "* OK " + new string('x', 4096)) },
        { nameof(BackendFailure.TooManyLines), session => FloodAsync(session, "* OK\r\n") },
        { nameof(BackendFailure.TooManyLines), session => GreetedAsync(session, string.Concat(Enumerable.Repeat("* 1 EXISTS\r\n", 20))) },
        { nameof(BackendFailure.Nonsense), session => GreetedAsync(session, "* LIST () NIL {5}\r\n") },
        { nameof(BackendFailure.Nonsense), session => GreetedAsync(session, "X9 OK for another\r\n") },
        { nameof(BackendFailure.Nonsense), session => GreetedAsync(session, "* PREAUTH\r\n") },
        { nameof(BackendFailure.Nonsense), session => GreetedAsync(session, "+ more\r\n") },
        { nameof(BackendFailure.Bye), session => GreetedAsync(session, "* BYE going down\r\n") },
        { nameof(BackendFailure.Closed), session => ClosingAsync(session, "") },
        { nameof(BackendFailure.Closed), session => ClosingAsync(session, "D1 OK half a li") },
        { nameof(BackendFailure.NoMechanism), session => session.WriteLineAsync("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready") },
        { nameof(BackendFailure.LoginRefused), session => RefusedAsync(session, "NO [AUTHENTICATIONFAILED] who?") },
        { nameof(BackendFailure.LoginRefused), session => RefusedAsync(session, "BAD syntax") },
        { nameof(BackendFailure.Unavailable), session => RefusedAsync(session, "NO [UNAVAILABLE] later") },
        { nameof(BackendFailure.Unavailable), session => RefusedAsync(session, "NO [INUSE] later") },
        { nameof(BackendFailure.Unavailable), session => RefusedAsync(session, "NO [LIMIT] later") },
        { nameof(BackendFailure.LoginTimeout), session => session.ListenAsync() },
        { nameof(BackendFailure.LoginTimeout), session => GreetedAsync(session, "") },
    };

    [Theory, MemberData(nameof(Failures))]
    public async Task Whatever_a_node_does_wrong_has_a_name_and_its_connection_is_closed(string expected, Func<NodeSession, Task> serve)
    {
        await using var node = new FakeImapNode(serve);

        // Only the time-outs themselves are to come to their end.
        var patience = expected == nameof(BackendFailure.LoginTimeout) ? TimeSpan.FromSeconds(3) : TimeSpan.FromSeconds(20);
        var login = await LogInAsync(node.Backend, options => options with { BackendLoginTimeout = patience });

        Assert.Equal(expected, login.Failure.ToString());
        Assert.Null(login.Session);
        await node.Session.Closed;
    }

    [Fact]
    public async Task A_port_where_nobody_listens_is_tried_three_times()
    {
        var metrics = new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()));
        var connector = Connector(new DirectorOptions(), metrics);

        var login = await connector.LogInAsync(Node(FreePort.Next()), Alice, Client, CancellationToken.None);

        Assert.Equal(BackendFailure.Refused, login.Failure);
        Assert.Equal(3, metrics.BackendConnects.WithLabels("node1", "refused").Value);
    }

    [Fact]
    public async Task A_node_that_comes_back_between_two_tries_is_logged_in_to()
    {
        var connections = 0;
        await using var node = new FakeImapNode(async session =>
        {
            if (Interlocked.Increment(ref connections) == 1)
            {
                session.Reset();
                return;
            }
            await session.LogInAsync();
            await session.ListenAsync();
        });

        var login = await LogInAsync(node.Backend);

        Assert.Equal(BackendFailure.None, login.Failure);
        await login.Session!.Connection.DisposeAsync();
    }

    [Fact]
    public async Task A_reset_behind_the_credentials_is_not_tried_again()
    {
        await using var node = new FakeImapNode(async session =>
        {
            await session.WriteLineAsync(NodeSession.Greeting);
            await session.ReadLineAsync();
            await session.ReadLineAsync();
            session.Reset();
        });

        Assert.Equal(BackendFailure.Reset, (await LogInAsync(node.Backend)).Failure);
        Assert.Single(node.Sessions);
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_unreachable() =>
        Assert.Equal(BackendFailure.Unreachable, (await LogInAsync(Node(143) with { Host = "no-such-node.invalid" })).Failure);

    [Fact]
    public async Task A_node_whose_port_does_not_answer_is_given_up()
    {
        // A full backlog of one: the kernel lets further connections wait.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        var endPoint = (IPEndPoint)listener.LocalEndPoint!;
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(endPoint);

        var login = await LogInAsync(Node(endPoint.Port), options => options with { BackendConnectTimeout = TimeSpan.FromMilliseconds(200) });

        Assert.Equal(BackendFailure.ConnectTimeout, login.Failure);
    }

    [Fact]
    public async Task Who_does_not_wait_any_longer_gets_an_exception_and_not_a_failure_of_the_nodes()
    {
        await using var node = new FakeImapNode(session => session.ListenAsync());
        using var given = new CancellationTokenSource();

        var login = Connector(new DirectorOptions()).LogInAsync(node.Backend, Alice, Client, given.Token);
        await TestDirector.UntilAsync(() => Task.FromResult(!node.Sessions.IsEmpty));
        await given.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => login);
        await node.Session.Closed;
    }

    internal static Task<BackendLogin> LogInAsync(BackendNode node, Func<DirectorOptions, DirectorOptions>? with = null)
    {
        var options = new DirectorOptions { Nodes = [node], BackendConnectTimeout = TimeSpan.FromSeconds(30), BackendLoginTimeout = TimeSpan.FromSeconds(60) };
        return Connector(with?.Invoke(options) ?? options).LogInAsync(node, Alice, Client, CancellationToken.None);
    }

    private static BackendConnector Connector(DirectorOptions options) => Connector(options, new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())));

    private static BackendConnector Connector(DirectorOptions options, DirectorMetrics metrics) =>
        new(options, () => options.Nodes, BackendTlsOptions.Load(options), AssertionIssuer.Create(options, NullLoggerFactory.Instance), new NodeHealth(options, new BackendTlsOptions(null), new NodeCapabilities(), metrics, NullLogger<NodeHealth>.Instance), new NodeAdmission(options, metrics),
            new NodeCapabilities(), metrics,
            NullLogger<BackendConnector>.Instance);

    // The connection itself has to be there within it, however busy the machine is.
    private static TimeSpan Connecting => TimeSpan.FromSeconds(8);

    private static BackendNode Node(int port) => new() { Name = "node1", Host = "127.0.0.1", ImapPort = port, MasterPassword = "secret" };

    [Theory]
    [InlineData(BackendTls.None, "")]
    [InlineData(BackendTls.None, "* OK half a gree")]
    [InlineData(BackendTls.None, "* OK no capabilities, and no word of them\r\n")]
    [InlineData(BackendTls.Implicit, "")]
    [InlineData(BackendTls.StartTls, "* OK ready\r\n")]
    [InlineData(BackendTls.StartTls, "* OK ready\r\nD1 OK go\r\n")]
    public async Task A_node_that_stalls_before_anybodys_password_is_given_up_when_connecting_has_taken_too_long(BackendTls tls, string greeting)
    {
        await using var node = new FakeImapNode(async session =>
        {
            foreach (var line in greeting.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                // The answer to STARTTLS is one.
                if (line.StartsWith('D')) await session.UntilHeardLineAsync();
                await session.WriteAsync(line.EndsWith('\r') ? line + "\n" : line);
            }
            await session.ListenAsync();
        });
        var backend = node.Backend with { Tls = tls, TlsFingerprint = tls == BackendTls.None ? null : new string('0', 64) };

        var login = await LogInAsync(backend, static options => options with { BackendConnectTimeout = Connecting });

        Assert.Equal(BackendFailure.GreetingTimeout, login.Failure);
        await node.Session.Closed;
    }

    [Fact]
    public async Task A_node_that_sends_a_byte_now_and_then_gets_no_more_time_for_it()
    {
        await using var node = new FakeImapNode(static async session =>
        {
            while (true)
            {
                await session.WriteAsync("*");
                await Task.Delay(50);
            }
        });

        Assert.Equal(BackendFailure.GreetingTimeout, (await LogInAsync(node.Backend, static options => options with { BackendConnectTimeout = Connecting })).Failure);
    }

    private static async Task FloodAsync(NodeSession session, string line)
    {
        if (line.Length > 0) await session.WriteLineAsync(NodeSession.Greeting);
        var flood = string.Concat(Enumerable.Repeat(line.Length > 0 ? line : "x", 4096));
        while (true) await session.WriteAsync(flood);
    }

    private static async Task ClosingAsync(NodeSession session, string lastWords)
    {
        await session.WriteLineAsync(NodeSession.Greeting);
        await session.ReadLineAsync();
        await session.ReadLineAsync();
        await session.WriteAsync(lastWords);
    }

    private static async Task GreetedAsync(NodeSession session, string text)
    {
        await session.WriteLineAsync(NodeSession.Greeting);
        await session.ReadLineAsync();
        await session.WriteAsync(text);
        await session.ListenAsync();
    }

    private static async Task RefusedAsync(NodeSession session, string answer)
    {
        await session.WriteLineAsync(NodeSession.Greeting);
        await session.AnswerLoginAsync(answer);
        await session.ListenAsync();
    }
}
