using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Throttling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Throttling;

public sealed class LoginGateTests
{
    private readonly CheckTurns _turns = new();
    private readonly LoginThrottle _throttle;

    public LoginGateTests()
    {
        var options = new DirectorOptions { Throttle = new ThrottleOptions { Shared = false, AddressFailures = 3, ExemptNetworks = [IPNetwork.Parse("198.51.100.0/24")] } };
        var redis = new RedisConnection(options, new DirectorMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry())), NullLogger<RedisConnection>.Instance);
        _throttle = new LoginThrottle(options, redis, new ClusterSecret(redis), TimeProvider.System);
    }

    [Fact]
    public async Task Of_many_guesses_at_once_no_more_are_checked_than_failures_are_allowed_and_one()
    {
        var checks = 0;
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Run(async () => await Gate("192.0.2.1", "alice@example.com").CheckAsync(Encoding.ASCII.GetBytes($"guess{number}"), async _ =>
        {
            Interlocked.Increment(ref checks);
            await Task.Yield();
            return new AuthenticationResult(AuthenticationOutcome.WrongPassword, default);
        }, CancellationToken.None))));
        // Two are under way at one time.
        Assert.InRange(checks, 4, 5);
        Assert.Equal(20 - checks, results.Count(result => result is null));
        Assert.Equal(0, _turns.Count);
    }

    [Theory]
    [InlineData(nameof(AuthenticationOutcome.WrongPassword), "throttled")]
    [InlineData(nameof(AuthenticationOutcome.LikelyWrong), "throttled")]
    [InlineData(nameof(AuthenticationOutcome.TemporaryFailure), null)]
    public async Task What_cannot_be_checked_counts_where_it_is_a_guess(string outcome, string? refused)
    {
        var result = new AuthenticationResult(Enum.Parse<AuthenticationOutcome>(outcome), default);
        // One more is checked, and none behind it.
        for (var number = 0; number < 4; number++) Assert.Equal(result, await CheckAsync($"guess{number}"));
        // The same one again is no other guess: it counts once, and waits all the same.
        var last = Gate("192.0.2.1", "alice@example.com");
        await last.CheckAsync("guess3"u8.ToArray(), _ => Task.FromResult(result), CancellationToken.None);
        Assert.Equal(refused, last.Refused);

        Task<AuthenticationResult?> CheckAsync(string guess) =>
            Gate("192.0.2.1", "alice@example.com").CheckAsync(Encoding.ASCII.GetBytes(guess), _ => Task.FromResult(result), CancellationToken.None).AsTask();
    }

    [Fact]
    public async Task Between_two_steps_of_an_attempt_others_may_have_used_the_limit_up()
    {
        var gates = Enumerable.Range(0, 5).Select(_ => Gate("192.0.2.1", "alice@example.com")).ToArray();
        foreach (var gate in gates) (await gate.EnterAsync(CancellationToken.None))!.Dispose();
        var refused = new List<string?>();
        foreach (var gate in gates)
        {
            await gate.CheckAsync(Encoding.ASCII.GetBytes($"guess{refused.Count}"), _ => Task.FromResult(new AuthenticationResult(AuthenticationOutcome.WrongPassword, default)), CancellationToken.None);
            refused.Add(gate.Refused);
        }
        Assert.Equal([null, null, null, null, "throttled"], refused);
    }

    [Fact]
    public async Task Who_is_known_at_an_address_does_not_wait_for_those_who_guess_there_with_all_their_connections()
    {
        await Gate("192.0.2.1", "bob@example.com").CheckAsync("secret"u8.ToArray(), _ => Task.FromResult(new AuthenticationResult(AuthenticationOutcome.Success, default)), CancellationToken.None);
        using var hold = new CancellationTokenSource();
        var guesses = Enumerable.Range(0, 20).Select(number => Gate("192.0.2.1", $"user{number}@example.com").CheckAsync("guess"u8.ToArray(), async stop =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return default;
        }, hold.Token).AsTask()).ToArray();

        var result = await Gate("192.0.2.1", "bob@example.com").CheckAsync("secret"u8.ToArray(), _ => Task.FromResult(new AuthenticationResult(AuthenticationOutcome.Success, default)), CancellationToken.None)
            .AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(AuthenticationOutcome.Success, result!.Value.Outcome);
        Assert.All(guesses, guess => Assert.False(guess.IsCompleted));
        await hold.CancelAsync();
        foreach (var guess in guesses) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => guess);
        Assert.Equal(0, _turns.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whoever_comes_from_elsewhere_is_hashed_before_the_guesses_that_wait(bool areFailuresKnown)
    {
        var hasher = new PasswordHasher(1, 100, new HashCost(64, 1, 1));
        var (underWay, order) = (new TaskCompletionSource(), new List<string>());
        var first = hasher.TakeTurnAsync("x"u8.ToArray(), default, async _ =>
        {
            await underWay.Task;
            return "done";
        }, CancellationToken.None);
        await EndAsync("198.51.0.7", AuthenticationOutcome.Success);
        var waiting = new List<Task>();
        foreach (var address in Enumerable.Range(1, 5).Select(number => $"192.0.2.{number}"))
        {
            if (areFailuresKnown) await EndAsync(address, AuthenticationOutcome.WrongPassword);
            for (var i = 0; i < 10; i++) waiting.Add(HashAsync("a guess", address));
        }
        waiting.Add(HashAsync("from elsewhere", "203.0.113.1"));
        waiting.Add(HashAsync("known there", "198.51.0.7"));

        underWay.SetResult();
        await first;
        await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(["known there", "from elsewhere", "a guess"], order.Take(3));

        Task EndAsync(string address, AuthenticationOutcome outcome) => Gate(address, "alice@example.com").CheckAsync("one"u8.ToArray(), _ => Task.FromResult(new AuthenticationResult(outcome, default)), CancellationToken.None).AsTask();

        async Task HashAsync(string who, string address)
        {
            var gate = Gate(address, "alice@example.com");
            await gate.CheckAsync("another"u8.ToArray(), async stop =>
            {
                await hasher.TakeTurnAsync("x"u8.ToArray(), gate.Rank, _ =>
                {
                    order.Add(who);
                    return Task.FromResult(who);
                }, stop);
                return new AuthenticationResult(AuthenticationOutcome.WrongPassword, default);
            }, CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_password_that_was_right_a_moment_ago_waits_for_nobody_where_its_user_is_known()
    {
        await Gate("192.0.2.1", "bob@example.com").CheckAsync("secret"u8.ToArray(), _ => Task.FromResult(new AuthenticationResult(AuthenticationOutcome.Success, default)), CancellationToken.None);
        using var hold = new CancellationTokenSource();
        // All turns, of those who are known there and of the others.
        var others = Enumerable.Range(0, 4).Select(number => Gate("192.0.2.1", number < 2 ? "bob@example.com" : $"user{number}@example.com").CheckAsync("guess"u8.ToArray(), async stop =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return default;
        }, hold.Token).AsTask()).ToArray();

        var result = await Gate("192.0.2.1", "bob@example.com", isRemembered: true).CheckAsync("secret"u8.ToArray(), _ => Task.FromResult(new AuthenticationResult(AuthenticationOutcome.Success, default)), CancellationToken.None)
            .AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        // Who could be refused there waits like anybody: the time would tell that the password is right.
        var stranger = Gate("192.0.2.1", "carol@example.com", isRemembered: true).CheckAsync("secret"u8.ToArray(), _ => Task.FromResult(new AuthenticationResult(AuthenticationOutcome.Success, default)), hold.Token).AsTask();

        Assert.Equal(AuthenticationOutcome.Success, result!.Value.Outcome);
        Assert.False(stranger.IsCompleted);
        Assert.All(others, other => Assert.False(other.IsCompleted));
        await hold.CancelAsync();
        foreach (var other in others.Append(stranger)) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => other);
    }

    [Fact]
    public async Task An_exempt_network_takes_no_turns()
    {
        var turns = new List<IDisposable?>();
        for (var i = 0; i < 5; i++) turns.Add(await Gate("198.51.100.7", "alice@example.com").EnterAsync(CancellationToken.None));
        Assert.DoesNotContain(null, turns);
        Assert.Equal(0, _turns.Count);
    }

    private LoginGate Gate(string address, string name, bool isRemembered = false) =>
        new(_throttle, _turns, null, IPAddress.Parse(address), isSecure: true, LoginClaim.OfUser(Encoding.ASCII.GetBytes(name), null), isRemembered);
}
