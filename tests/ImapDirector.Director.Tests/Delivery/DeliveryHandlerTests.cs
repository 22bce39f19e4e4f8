using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Delivery;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Network;
using ImapDirector.Network.Lmtp;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using StackExchange.Redis;
using Xunit;

namespace ImapDirector.Director.Tests.Delivery;

public sealed class DeliveryHandlerTests
{
    private const string Message = "Subject: hello\r\n\r\n.dot\r\n";

    [Fact]
    public async Task Each_recipient_is_delivered_at_the_own_node_and_answered_in_order()
    {
        await using var one = new ScriptedNode("node1");
        await using var two = new ScriptedNode("node2") { AnswerData = _ => "552 5.2.2 Over quota" };
        await using var director = await DeliveringDirector.StartAsync([one.Backend, two.Backend]);
        await director.AssignAsync("alice", "node1");
        await director.AssignAsync("bob", "node2");
        await director.AssignAsync("carol", "node1");

        var replies = await director.DeliverAsync("alice@example.com", "bob@example.com", "carol@example.com");

        Assert.Equal([new(250, "2.0.0", "Stored"), new(552, "5.2.2", "Over quota"), new(250, "2.0.0", "Stored")], replies);
        Assert.Equal(["RCPT TO:<alice@example.com>", "RCPT TO:<carol@example.com>"], one.Commands.Where(c => c.StartsWith("RCPT", StringComparison.Ordinal)));
        Assert.Contains("MAIL FROM:<sender@example.net> SIZE=24 BODY=8BITMIME", one.Commands);
        Assert.Equal("Subject: hello\r\n\r\n..dot\r\n", Assert.Single(one.Messages));
        Assert.Single(two.Messages);
    }

    [Fact]
    public async Task The_node_is_told_the_canonical_user_and_two_spellings_are_one_delivery()
    {
        await using var node = new ScriptedNode("node1");
        await using var director = await DeliveringDirector.StartAsync([node.Backend]);
        await director.AssignAsync("alice", "node1");

        var replies = await director.DeliverAsync("Alice+lists@Example.com", "alice@example.com");

        Assert.All(replies, reply => Assert.Equal(250, reply.Code));
        Assert.Equal("RCPT TO:<alice@example.com>", Assert.Single(node.Commands, c => c.StartsWith("RCPT", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_bundled_node_is_told_with_which_epoch_each_delivery_comes()
    {
        using var key = new AssertionKey();
        var verifier = new AssertionVerifier("node1", TimeSpan.FromSeconds(60), TimeProvider.System);
        await using var node = new ScriptedNode("node1") { Hello = "250-node\r\n250-XASSERTION\r\n250 PIPELINING" };
        await using var director = await DeliveringDirector.StartAsync([node.Backend], with: key.Use);
        await director.AssignAsync("alice", "node1");

        Assert.Equal(250, Assert.Single(await director.DeliverAsync("alice@example.com")).Code);

        var rcpt = Assert.Single(node.Commands, static command => command.StartsWith("RCPT", StringComparison.Ordinal)).Split(" XASSERTION=");
        Assert.Equal("RCPT TO:<alice@example.com>", rcpt[0]);
        Assert.Equal(AssertionRefusal.None, verifier.Verify(Encoding.ASCII.GetBytes(rcpt[1]), key.Public, AssertionScope.Lmtp, TestDirector.User("alice@example.com"), out var said));
        Assert.Equal(1, said!.Epoch);
    }

    [Fact]
    public async Task A_node_that_takes_no_assertions_gets_nothing_without()
    {
        using var key = new AssertionKey();
        await using var node = new ScriptedNode("node1");
        await using var director = await DeliveringDirector.StartAsync([node.Backend], with: key.Use);
        await director.AssignAsync("alice", "node1");

        Assert.Equal((451, "4.3.5"), Assert.Single(await director.DeliverAsync("alice@example.com")) is var reply ? (reply.Code, reply.Enhanced) : default);
        Assert.Empty(node.Messages);
    }

    [Fact]
    public async Task Where_a_node_says_that_the_user_is_not_there_any_more_the_map_is_asked_once_more()
    {
        DeliveringDirector director = null!;
        await using var old = new ScriptedNode("node1")
        {
            AnswerData = recipient =>
            {
                if (recipient.Contains("alice", StringComparison.Ordinal)) director.Redis.Database.HashSet("imapdirector:{alice@example.com}:assignment", [new("node", "node2"), new("epoch", 2)]);
                return "451 4.3.0 elsewhere";
            },
        };
        await using var @new = new ScriptedNode("node2");
        await using var started = director = await DeliveringDirector.StartAsync([old.Backend, @new.Backend]);
        await director.AssignAsync("alice", "node1");
        await director.AssignAsync("bob", "node1");

        var replies = await director.DeliverAsync("alice@example.com", "bob@example.com");

        Assert.Equal([250, 451], replies.Select(static reply => reply.Code));
        Assert.Single(old.Messages);
        Assert.Equal("RCPT TO:<alice@example.com>", Assert.Single(@new.Commands, static command => command.StartsWith("RCPT", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_recipient_is_accepted_when_the_account_and_its_node_are_there()
    {
        await using var node = new ScriptedNode("node1");
        await using var director = await DeliveringDirector.StartAsync([node.Backend]);
        await director.AddAccountAsync("alice");
        await director.AddAccountAsync("lost");
        await director.AssignAsync("lost", "gone");

        Assert.Equal((250, "2.1.5"), await director.RecipientAsync("alice+x@example.com"));
        Assert.Equal((550, "5.1.1"), await director.RecipientAsync("nobody@example.com"));
        Assert.Equal((550, "5.1.1"), await director.RecipientAsync("a b@example.com"));
        Assert.Equal((550, "5.1.1"), await director.RecipientAsync(""));
        Assert.Equal((451, "4.3.5"), await director.RecipientAsync("lost@example.com"));
    }

    [FactIfInstalled("redis-server")]
    public async Task With_Redis_away_a_recipient_is_deferred_and_never_called_unknown()
    {
        await using var node = new ScriptedNode("node1");
        await using var director = await DeliveringDirector.StartAsync([node.Backend], RedisKind.Redis);

        await director.Redis.Process.KillAsync();

        Assert.Equal((451, "4.4.3"), await director.RecipientAsync("alice@example.com"));
        Assert.Equal(451, Assert.Single(await director.DeliverAsync("alice@example.com")).Code);
        Assert.Empty(node.Messages);
    }

    public static TheoryData<string, string, int> NodesThatFail => new()
    {
        { "greets with a refusal", "421 4.3.2 Shutting down", 451 },
        { "refuses LHLO for good", "LHLO=550 5.7.1 Who are you", 451 },
        { "refuses the sender", "MAIL=550 5.1.8 No such sender", 550 },
        { "refuses the recipient", "RCPT=550 5.1.1 Gone", 550 },
        { "refuses the data", "DATA=451 4.3.1 Disk full", 451 },
        { "closes instead of an answer to MAIL", "MAIL=421 4.3.2 Shutting down", 451 },
        { "closes instead of an answer to RCPT", "RCPT=421 4.3.2 Shutting down", 451 },
        { "closes instead of an answer to DATA", "DATA=421 4.3.2 Shutting down", 451 },
        { "hangs up at LHLO", "LHLO=", 451 },
        { "talks nonsense at LHLO", "LHLO=hello", 451 },
        { "greets with nonsense", "* OK IMAP4rev1 ready", 451 },
        { "hangs up at MAIL", "MAIL=", 451 },
        { "hangs up at RCPT", "RCPT=", 451 },
        { "hangs up at DATA", "DATA=", 451 },
        { "talks nonsense", "MAIL=hello", 451 },
        { "talks without end", "MAIL=" + new string('2', 5000), 451 },
        { "answers MAIL with 354", "MAIL=354 Go", 451 },
        { "answers RCPT with 354", "RCPT=354 Go", 451 },
        { "answers DATA with 250", "DATA=250 Ok", 451 },
    };

    [Theory]
    [MemberData(nameof(NodesThatFail))]
    public async Task A_node_that_fails_costs_no_other_node_its_mail(string how, string script, int code)
    {
        var equals = script.IndexOf('=');
        await using var failing = new ScriptedNode("failing")
        {
            Greeting = equals < 0 ? script : "220 node",
            Answer = command => equals > 0 && command.StartsWith(script[..equals], StringComparison.Ordinal) ? script[(equals + 1)..] : null,
        };
        await using var healthy = new ScriptedNode("healthy");
        await using var director = await DeliveringDirector.StartAsync([failing.Backend, healthy.Backend]);
        await director.AssignAsync("alice", "failing");
        await director.AssignAsync("bob", "healthy");

        var replies = await director.DeliverAsync("alice@example.com", "bob@example.com");

        Assert.True(replies[0].Code == code, $"A node that {how}: {replies[0]}");
        Assert.Equal(250, replies[1].Code);
        Assert.Empty(failing.Messages);
    }

    [Theory]
    [InlineData(ScriptedNode.Silence, "")]
    [InlineData("220 node", "LHLO")]
    public async Task A_node_that_stalls_in_its_greeting_gets_no_more_time_than_connecting_may_take(string greeting, string stallsAt)
    {
        await using var stalling = new ScriptedNode("stalling") { Greeting = greeting, Answer = command => stallsAt.Length > 0 && command.StartsWith(stallsAt, StringComparison.Ordinal) ? ScriptedNode.Silence : null };
        await using var healthy = new ScriptedNode("healthy");
        // The delivery as a whole has more time than anybody would wait for this test.
        await using var director = await DeliveringDirector.StartAsync([stalling.Backend, healthy.Backend], patience: TimeSpan.FromMinutes(20),
            with: static options => options with { BackendConnectTimeout = TimeSpan.FromSeconds(15) });
        await director.AssignAsync("alice", "stalling");
        await director.AssignAsync("bob", "healthy");

        var replies = await director.DeliverAsync("alice@example.com", "bob@example.com");

        Assert.Equal([(451, "4.4.1"), (250, "2.0.0")], replies.Select(static reply => (reply.Code, reply.Enhanced)));
    }

    [Fact]
    public async Task A_node_that_goes_down_behind_the_message_does_not_have_the_sender_hang_up()
    {
        await using var closing = new ScriptedNode("closing") { AnswerData = static _ => "421 4.3.2 Shutting down" };
        await using var healthy = new ScriptedNode("healthy");
        await using var director = await DeliveringDirector.StartAsync([closing.Backend, healthy.Backend]);
        await director.AssignAsync("alice", "closing");
        await director.AssignAsync("bob", "healthy");
        Assert.Equal([new(451, "4.3.2", "Shutting down"), new(250, "2.0.0", "Stored")], await director.DeliverAsync("alice@example.com", "bob@example.com"));
    }

    [Fact]
    public async Task What_the_node_had_not_confirmed_when_it_died_is_deferred()
    {
        await using var node = new ScriptedNode("node1") { AnswerData = rcpt => rcpt.Contains("alice", StringComparison.Ordinal) ? "250 2.0.0 Stored" : null };
        await using var director = await DeliveringDirector.StartAsync([node.Backend]);
        foreach (var user in (string[])["alice", "bob", "carol"]) await director.AssignAsync(user, "node1");

        var replies = await director.DeliverAsync("alice@example.com", "bob@example.com", "carol@example.com");

        Assert.Equal([250, 451, 451], replies.Select(reply => reply.Code));
    }

    [Fact]
    public async Task A_recipient_the_node_accepted_is_not_delivered_before_it_says_so()
    {
        await using var node = new ScriptedNode("node1") { Answer = command => command == "RCPT TO:<bob@example.com>" ? "" : null };
        await using var director = await DeliveringDirector.StartAsync([node.Backend]);

        var replies = await director.DeliverAsync("alice@example.com", "bob@example.com", "carol@example.com");

        Assert.Equal([451, 451, 451], replies.Select(reply => reply.Code));
    }

    [Fact]
    public async Task One_message_at_four_nodes_is_answered_for_each_recipient_as_its_own_node_did()
    {
        await using var well = new ScriptedNode("node1");
        await using var stalling = new ScriptedNode("node2") { Answer = command => command == "DATA" ? ScriptedNode.Silence : null };
        await using var refusing = new ScriptedNode("node3") { Answer = command => command == "RCPT TO:<erin@example.com>" ? "550 5.1.1 Gone" : null };
        await using var dying = new ScriptedNode("node4") { AnswerData = _ => null };
        await using var director = await DeliveringDirector.StartAsync([well.Backend, stalling.Backend, refusing.Backend, dying.Backend], patience: TimeSpan.FromSeconds(20));
        foreach (var (user, node) in (ReadOnlySpan<(string, string)>)[("alice", "node1"), ("bob", "node2"), ("carol", "node3"), ("dave", "node4"), ("erin", "node3")])
            director.Redis.Database.HashSet($"imapdirector:{{{user}@example.com}}:assignment", [new HashEntry("node", node), new HashEntry("epoch", 1)]);

        var replies = await director.DeliverAsync("alice@example.com", "bob@example.com", "carol@example.com", "dave@example.com", "erin@example.com");

        // What bob's node may still do with it and whether dave's has stored it nobody here knows: the sender tries these again, and nobody else.
        Assert.Equal([(250, "2.0.0"), (451, "4.4.2"), (250, "2.0.0"), (451, "4.4.2"), (550, "5.1.1")], replies.Select(static reply => (reply.Code, reply.Enhanced)));
        foreach (var node in (ScriptedNode[])[well, refusing, dying]) Assert.Single(node.Messages);
        Assert.Empty(stalling.Messages);
    }

    [Theory]
    [InlineData(49, 49)]
    [InlineData(50, 50)]
    [InlineData(51, 50, 1)]
    [InlineData(120, 50, 50, 20)]
    public async Task Recipients_are_asked_for_fifty_at_a_time_where_the_node_offers_PIPELINING(int recipients, params int[] rounds)
    {
        // It answers none of them before it has heard all of a round.
        await using var node = new ScriptedNode("node1")
        {
            Hello = "250-node\r\n250 PIPELINING",
            RecipientRounds = rounds,
            Answer = static command => command == "RCPT TO:<user7@example.com>" ? "550 5.1.1 Gone" : null,
        };
        await using var director = await DeliveringDirector.StartAsync([node.Backend], patience: TimeSpan.FromSeconds(20));

        var replies = await director.DeliverAsync([.. Enumerable.Range(0, recipients).Select(static i => $"user{i}@example.com")]);

        Assert.Equal(550, replies[7].Code);
        Assert.Equal(recipients - 1, replies.Count(static reply => reply.Code == 250));
    }

    [Fact]
    public async Task A_node_that_is_known_to_be_away_is_not_waited_for()
    {
        await using var away = new ScriptedNode("away");
        await using var well = new ScriptedNode("well");
        await using var other = new ScriptedNode("other");
        await using var director = await DeliveringDirector.StartAsync([away.Backend, well.Backend, other.Backend]);
        await director.AssignAsync("alice", "away");
        await director.AssignAsync("bob", "well");
        for (var i = 0; i < 3; i++) director.Health.Note(away.Backend, BackendFailure.Refused);

        var replies = await director.DeliverAsync("alice@example.com", "bob@example.com");

        Assert.Equal([(451, "4.4.1"), (250, "2.0.0")], replies.Select(static reply => (reply.Code, reply.Enhanced)));
        Assert.Empty(away.Commands);
    }

    [Fact]
    public async Task A_node_that_is_not_there_defers()
    {
        await using var node = new ScriptedNode("node1");
        await using var director = await DeliveringDirector.StartAsync([node.Backend with { LmtpPort = FreePort.Next() }]);

        Assert.Equal("4.4.1", Assert.Single(await director.DeliverAsync("alice@example.com")).Enhanced);
    }

    [Fact]
    public async Task D1_a_sender_with_a_line_end_in_it_stays_one_command()
    {
        await using var node = new ScriptedNode("node1");
        await using var director = await DeliveringDirector.StartAsync([node.Backend]);

        var replies = await director.DeliverFromAsync("a@example.net>\r\nRCPT TO:<victim@example.com", "alice@example.com");

        Assert.Equal(501, Assert.Single(replies).Code);
        Assert.DoesNotContain(node.Commands, command => command.Contains("victim", StringComparison.Ordinal));
    }

    [Fact]
    public async Task More_deliveries_than_a_node_takes_at_one_time_wait_and_are_all_made()
    {
        await using var node = new ScriptedNode("node1");
        await using var director = await DeliveringDirector.StartAsync([node.Backend]);

        var replies = await Task.WhenAll(Enumerable.Range(0, NodeDelivery.MaxPerNode * 3).Select(i => director.DeliverAsync($"user{i}@example.com")));

        Assert.All(replies, reply => Assert.Equal(250, Assert.Single(reply).Code));
        Assert.Equal(NodeDelivery.MaxPerNode * 3, node.Messages.Count);
    }

    private sealed class DeliveringDirector : IAsyncDisposable
    {
        private readonly TestDirector _director;
        private readonly DeliveryHandler _handler;

        private DeliveringDirector(TestRedis redis, TestDirector director)
        {
            (Redis, _director) = (redis, director);
            _handler = new DeliveryHandler(director.Options, DatabaseChain.Create(director.Options, director.Redis, () => [], null, NullLoggerFactory.Instance), director.Directory,
                AssertionIssuer.Create(director.Options, NullLoggerFactory.Instance), director.Health,
                new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), NullLogger<DeliveryHandler>.Instance);
        }

        public TestRedis Redis { get; }

        public NodeHealth Health => _director.Health;

        public static async Task<DeliveringDirector> StartAsync(IReadOnlyList<BackendNode> nodes, RedisKind kind = RedisKind.Garnet, TimeSpan? patience = null, Func<DirectorOptions, DirectorOptions>? with = null)
        {
            var redis = await TestRedis.StartAsync(kind);
            var director = new DeliveringDirector(redis, await TestDirector.StartAsync(redis.ConnectionString, nodes: nodes,
                with: options => (with?.Invoke(options) ?? options) with { DeliveryTimeout = patience ?? options.DeliveryTimeout }));
            return director;
        }

        public async Task AddAccountAsync(string user) =>
            Assert.Equal(AccountOutcome.Done, await _director.Accounts.AddAsync($"{user}@example.com", "secret"u8.ToArray(), CancellationToken.None));

        public Task AssignAsync(string user, string node) =>
            Redis.Database.HashSetAsync($"imapdirector:{{{user}@example.com}}:assignment", [new HashEntry("node", node), new HashEntry("epoch", 1)]);

        public async Task<(int, string)> RecipientAsync(string address)
        {
            var reply = await _handler.AddRecipientAsync(Transaction("sender@example.net"), new LmtpRecipient(address), CancellationToken.None);
            return (reply.Code, reply.Enhanced);
        }

        public Task<IReadOnlyList<LmtpReply>> DeliverAsync(params string[] recipients) => DeliverFromAsync("sender@example.net", recipients);

        public async Task<IReadOnlyList<LmtpReply>> DeliverFromAsync(string sender, params string[] recipients)
        {
            var transaction = Transaction(sender);
            transaction.Recipients.AddRange(recipients.Select(address => new LmtpRecipient(address)));
            await using var message = new MessageSpool(Path.GetTempPath());
            await message.WriteAsync(Encoding.ASCII.GetBytes(Message), CancellationToken.None);
            return await _handler.DeliverAsync(transaction, message, CancellationToken.None);
        }

        public async ValueTask DisposeAsync()
        {
            await _director.DisposeAsync();
            await Redis.DisposeAsync();
        }

        private static LmtpTransaction Transaction(string sender) => new()
        {
            ConnectionId = "c1",
            Peer = new IPEndPoint(IPAddress.Loopback, 1),
            PeerName = "mta.example.net",
            ReversePath = sender,
            Is8Bit = true,
        };
    }
}
