using ImapDirector.Operations.Health;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ImapDirector.Operations.Tests.Health;

public sealed class ReadinessTests
{
    [Fact]
    public async Task The_process_is_alive_even_while_it_is_not_ready()
    {
        await using var server = await RunningServer.StartAsync([RunningServer.Check("director", "Redis is away")]);

        var answer = await server.SendAsync("/livez");

        Assert.Equal((200, "ok\n"), (answer.Status, answer.Body));
        Assert.Equal("text/plain; charset=utf-8", answer.Headers["Content-Type"]);
    }

    [Fact]
    public async Task It_is_ready_when_every_check_is()
    {
        await using var server = await RunningServer.StartAsync([RunningServer.Check("director", null), RunningServer.Check("node1", null)]);

        var answer = await server.SendAsync("/readyz");

        Assert.Equal((200, "ready\n"), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task Each_failed_check_has_a_line_in_the_order_of_the_settings()
    {
        await using var server = await RunningServer.StartAsync(
            [RunningServer.Check("node2", "draining"), RunningServer.Check("node1", null), RunningServer.Check("director", "Redis is away")]);

        var answer = await server.SendAsync("/readyz");

        Assert.Equal((503, "node2: draining\ndirector: Redis is away\n"), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task It_is_asked_anew_each_time()
    {
        string? reason = "starting";
        await using var server = await RunningServer.StartAsync([new NamedCheck("director", _ => ValueTask.FromResult<string?>(Volatile.Read(ref reason)))]);

        Assert.Equal(503, (await server.SendAsync("/readyz")).Status);
        Volatile.Write(ref reason, null);
        Assert.Equal(200, (await server.SendAsync("/readyz")).Status);
    }

    [Fact]
    public async Task What_a_check_throws_is_logged_and_not_shown()
    {
        await using var server = await RunningServer.StartAsync([new NamedCheck("director", _ => throw new InvalidOperationException("password=hunter2"))]);

        var answer = await server.SendAsync("/readyz");

        Assert.Equal((503, "director: the check failed, the log has the reason\n"), (answer.Status, answer.Body));
        Assert.Contains(server.Log.Lines, line => line.Level == LogLevel.Error && line.Text.Contains("director", StringComparison.Ordinal)
            && line.Text.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_check_that_never_ends_is_named_and_holds_nobody_up()
    {
        var never = new TaskCompletionSource<string?>();
        var runs = 0;
        await using var server = await RunningServer.StartAsync(
            [new NamedCheck("disk", _ => { Interlocked.Increment(ref runs); return new ValueTask<string?>(never.Task); }), RunningServer.Check("node1", "draining")]);

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => server.SendAsync("/readyz")));

        Assert.All(answers, answer => Assert.Equal((503, "disk: no answer within 1 s\nnode1: draining\n"), (answer.Status, answer.Body)));
        // The probes shared one run: a dead disk must not cost a thread for each.
        Assert.Equal(1, runs);
        never.SetResult(null);
    }

    [Fact]
    public async Task A_check_that_blocks_its_thread_is_bounded_too()
    {
        using var open = new ManualResetEventSlim();
        await using var server = await RunningServer.StartAsync([new NamedCheck("disk", _ => { open.Wait(CancellationToken.None); return ValueTask.FromResult<string?>(null); })]);

        var answer = await server.SendAsync("/readyz");
        open.Set();

        Assert.Equal((503, "disk: no answer within 1 s\n"), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task A_check_that_heeds_its_token_ends_with_its_second()
    {
        var ended = new TaskCompletionSource();
        await using var server = await RunningServer.StartAsync([new NamedCheck("redis", async token =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, token);
                return null;
            }
            finally
            {
                ended.SetResult();
            }
        })]);

        var answer = await server.SendAsync("/readyz");

        Assert.Equal((503, "redis: no answer within 1 s\n"), (answer.Status, answer.Body));
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.DoesNotContain(server.Log.Lines, line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task The_checks_run_side_by_side()
    {
        var (arrived, met) = (0, new TaskCompletionSource());
        NamedCheck Meeting(string name) => new(name, async _ =>
        {
            if (Interlocked.Increment(ref arrived) == 2) met.SetResult();
            await met.Task;
            return null;
        });
        await using var server = await RunningServer.StartAsync([Meeting("one"), Meeting("two")]);

        Assert.Equal(200, (await server.SendAsync("/readyz")).Status);
    }

    [Fact]
    public async Task A_reason_stays_on_its_line()
    {
        await using var server = await RunningServer.StartAsync([RunningServer.Check("node1", "bad\r\nnode2: also\tbad" + new string('x', 1000))]);

        var answer = await server.SendAsync("/readyz");

        Assert.StartsWith("node1: bad  node2: also badxxx", answer.Body, StringComparison.Ordinal);
        Assert.Equal(answer.Body.Length - 1, answer.Body.IndexOf('\n', StringComparison.Ordinal));
        Assert.True(answer.Body.Length <= 210);
    }
}
