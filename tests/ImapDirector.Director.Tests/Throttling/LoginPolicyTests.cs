using System.Net;
using System.Text;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Tests.Authentication.Databases;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Director.Throttling;
using ImapDirector.Protocol;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Throttling;

public sealed class LoginPolicyTests
{
    [Theory]
    [InlineData("""{"status":0,"msg":""}""", true, 0)]
    [InlineData("""{"status":3,"msg":"tarpit"}""", true, 3)]
    [InlineData("""{"status":100000}""", true, 15)]
    [InlineData("""{"status":-1,"msg":"blocked"}""", true, null)]
    [InlineData("""{"status":"0"}""", true, 0)]
    [InlineData("""{"status":"0"}""", false, null)]
    [InlineData("[]", false, null)]
    [InlineData("nonsense", true, 0)]
    [InlineData("nonsense", false, null)]
    public async Task What_the_service_says_is_done_and_when_it_says_nothing_the_setting_decides(string answer, bool failOpen, int? seconds)
    {
        await using var service = new HttpAuthServer(_ => HttpAuthServer.Json(answer));
        using var policy = Open(service.Url, failOpen);
        Assert.Equal(seconds, (await policy.AllowAsync(await QuestionAsync(policy), CancellationToken.None))?.TotalSeconds);
    }

    [Fact]
    public async Task A_service_that_is_silent_or_away_holds_nobody_up()
    {
        await using var silent = new HttpAuthServer(_ => "");
        foreach (var url in (Uri[])[silent.Url, new Uri("http://127.0.0.1:1/")])
        {
            using var open = Open(url, failOpen: true);
            Assert.Equal(TimeSpan.Zero, await open.AllowAsync(await QuestionAsync(open), CancellationToken.None));
            await open.ReportAsync(await QuestionAsync(open), hasSucceeded: false, CancellationToken.None);
            using var closed = Open(url, failOpen: false);
            Assert.Null(await closed.AllowAsync(await QuestionAsync(closed), CancellationToken.None));
        }
    }

    [Fact]
    public async Task The_questions_are_weakforced_s_and_hold_no_password()
    {
        await using var service = new HttpAuthServer(_ => HttpAuthServer.Json("""{"status":0}"""));
        using var policy = Open(service.Url, failOpen: true);
        await policy.AllowAsync(await QuestionAsync(policy), CancellationToken.None);
        await policy.ReportAsync(await QuestionAsync(policy), hasSucceeded: true, CancellationToken.None);
        var requests = service.Requests.ToArray();
        Assert.Matches("""\APOST /auth\?command=allow HTTP/1\.1\r\n(.+\r\n)*Authorization: Basic aW1hcGRpcmVjdG9yOnN1cGVy\r\n(.+\r\n)*\r\n\{"login":"alice\\u0022","remote":"192\.0\.2\.7","pwhash":"[0-9a-f]{3}","protocol":"imap","tls":true\}\z""", requests[0]);
        Assert.Matches("""\APOST /auth\?command=report [\s\S]+"tls":true,"success":true,"policy_reject":false\}\z""", requests[1]);
        Assert.All(requests, request => Assert.DoesNotContain("secret", request, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_service_refuses_is_reported_to_it_as_its_own_refusal()
    {
        await using var service = new HttpAuthServer(_ => HttpAuthServer.Json("""{"status":-1}"""));
        using var policy = Open(service.Url, failOpen: true);
        Assert.Null(await policy.AllowAsync(await QuestionAsync(policy), CancellationToken.None));
        Assert.Matches("""\APOST /auth\?command=report [\s\S]+"tls":true,"success":false,"policy_reject":true\}\z""", service.Requests.ToArray()[1]);
    }

    [FactIfInstalled("redis-server")]
    public async Task Each_director_tells_the_service_the_same_of_the_same_user_and_password()
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Redis);
        await using var one = await TestDirector.StartAsync(redis.ConnectionString);
        await using var other = await TestDirector.StartAsync(redis.ConnectionString, "director2");
        using var first = Open(new Uri("http://127.0.0.1:1/"), failOpen: true, one.Redis);
        using var second = Open(new Uri("http://127.0.0.1:1/"), failOpen: true, other.Redis);
        var user = TestDirector.User("alice@example.com");
        var asked = await QuestionAsync(first, user, "Alice");
        Assert.Equal("alice@example.com", asked.User);
        Assert.Equal(asked, await QuestionAsync(second, user, "alice@EXAMPLE.com"));
        Assert.NotEqual(asked.PasswordHash, (await QuestionAsync(second, user, "alice", "otherwise")).PasswordHash);
    }

    [FactIfInstalled("redis-server")]
    public async Task Whom_the_service_has_wait_holds_up_nobody_else_at_the_address()
    {
        await using var service = new HttpAuthServer(request => HttpAuthServer.Json(request.Contains("\"mallory@", StringComparison.Ordinal) ? """{"status":15}""" : """{"status":0}"""));
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, o => o with { Throttle = o.Throttle with { PolicyUrl = service.Url, PolicyTimeout = TimeSpan.FromSeconds(10) } });
        await using var first = await director.ConnectAsync();
        await using var second = await director.ConnectAsync();
        foreach (var waiting in (ImapConversation[])[first, second]) await waiting.SendAsync("a LOGIN Mallory guess\r\n");
        await TestDirector.UntilAsync(() => Task.FromResult(service.Requests.Count == 2));

        await using var alice = await director.LogInAsync("Alice");
        Assert.Equal(0, first.Socket.Available + second.Socket.Available);
        Assert.Equal(["allow", "report"], service.Requests.Where(request => request.Contains("\"login\":\"alice@example.com\"", StringComparison.Ordinal)).Select(request => request.Split('=', ' ')[2]));
    }

    [FactIfInstalled("redis-server")]
    public async Task The_service_is_not_asked_about_whom_the_throttle_turns_away()
    {
        await using var service = new HttpAuthServer(_ => HttpAuthServer.Json("""{"status":0}"""));
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend, o => o with { Throttle = o.Throttle with { PolicyUrl = service.Url, PolicyTimeout = TimeSpan.FromSeconds(10), AddressFailures = 1 } });
        await using var client = await director.ConnectAsync();
        foreach (var code in (string[])["AUTHENTICATIONFAILED", "AUTHENTICATIONFAILED", "LIMIT"])
            Assert.StartsWith($"a NO [{code}] ", await client.AskAsync($"a LOGIN {code} guess"));
        Assert.Equal(["allow", "report", "allow", "report"], service.Requests.Select(request => request.Split('=', ' ')[2]));
    }

    [Theory]
    [InlineData(64 * 1024 - 1, 0.0)]
    [InlineData(64 * 1024, 0.0)]
    [InlineData(64 * 1024 + 1, null)]
    public async Task An_answer_of_the_service_may_take_64_KiB(int bytes, double? seconds)
    {
        // JSON may end with spaces.
        await using var service = new HttpAuthServer(_ => HttpAuthServer.Json("""{"status":0}""".PadRight(bytes)));
        using var policy = Open(service.Url, failOpen: false);
        Assert.Equal(seconds, (await policy.AllowAsync(await QuestionAsync(policy), CancellationToken.None))?.TotalSeconds);
    }

    [Fact]
    public async Task A_service_that_names_another_is_not_followed()
    {
        await using var elsewhere = new HttpAuthServer(_ => HttpAuthServer.Json("""{"status":0}"""));
        await using var service = new HttpAuthServer(_ => HttpAuthServer.Redirect(elsewhere.Url));
        using var policy = Open(service.Url, failOpen: false);
        Assert.Null(await policy.AllowAsync(await QuestionAsync(policy), CancellationToken.None));
        Assert.Empty(elsewhere.Requests);
    }

    private static LoginPolicy Open(Uri url, bool failOpen, RedisConnection? redis = null)
    {
        redis ??= new RedisConnection(new DirectorOptions(), new DirectorMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry())), NullLogger<RedisConnection>.Instance);
        return new(new ThrottleOptions { PolicyUrl = url, PolicyPassword = "super", PolicyTimeout = TimeSpan.FromSeconds(5), PolicyFailOpen = failOpen }, new ClusterSecret(redis), NullLogger<LoginPolicy>.Instance);
    }

    private static ValueTask<PolicyQuestion> QuestionAsync(LoginPolicy policy, UserName user = default, string name = "alice\"", string password = "secret") =>
        policy.MakeAsync(new Claimant(user, IsMaster: false), Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(password), IPAddress.Parse("192.0.2.7"), isSecure: true, CancellationToken.None);
}
