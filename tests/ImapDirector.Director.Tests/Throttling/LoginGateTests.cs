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
    public async Task An_exempt_network_takes_no_turns()
    {
        var turns = new List<IDisposable?>();
        for (var i = 0; i < 5; i++) turns.Add(await Gate("198.51.100.7", "alice@example.com").EnterAsync(CancellationToken.None));
        Assert.DoesNotContain(null, turns);
        Assert.Equal(0, _turns.Count);
    }

    private LoginGate Gate(string address, string name) => new(_throttle, _turns, null, IPAddress.Parse(address), isSecure: true, Encoding.ASCII.GetBytes(name));
}
