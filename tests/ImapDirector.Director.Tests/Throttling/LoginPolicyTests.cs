using System.Net;
using ImapDirector.Director.Tests.Authentication.Databases;
using ImapDirector.Director.Throttling;
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
        Assert.Equal(seconds, (await policy.AllowAsync(Question(policy), CancellationToken.None))?.TotalSeconds);
    }

    [Fact]
    public async Task A_service_that_is_silent_or_away_holds_nobody_up()
    {
        await using var silent = new HttpAuthServer(_ => "");
        foreach (var url in (Uri[])[silent.Url, new Uri("http://127.0.0.1:1/")])
        {
            using var open = Open(url, failOpen: true);
            Assert.Equal(TimeSpan.Zero, await open.AllowAsync(Question(open), CancellationToken.None));
            await open.ReportAsync(Question(open), hasSucceeded: false, CancellationToken.None);
            using var closed = Open(url, failOpen: false);
            Assert.Null(await closed.AllowAsync(Question(closed), CancellationToken.None));
        }
    }

    [Fact]
    public async Task The_questions_are_weakforced_s_and_hold_no_password()
    {
        await using var service = new HttpAuthServer(_ => HttpAuthServer.Json("""{"status":0}"""));
        using var policy = Open(service.Url, failOpen: true);
        await policy.AllowAsync(Question(policy), CancellationToken.None);
        await policy.ReportAsync(Question(policy), hasSucceeded: true, CancellationToken.None);
        var requests = service.Requests.ToArray();
        Assert.Matches("""\APOST /auth\?command=allow HTTP/1\.1\r\n(.+\r\n)*Authorization: Basic aW1hcGRpcmVjdG9yOnN1cGVy\r\n(.+\r\n)*\r\n\{"login":"alice\\u0022","remote":"192\.0\.2\.7","pwhash":"[0-9a-f]{3}","protocol":"imap","tls":true\}\z""", requests[0]);
        Assert.Matches("""\APOST /auth\?command=report [\s\S]+"tls":true,"success":true,"policy_reject":false\}\z""", requests[1]);
        Assert.All(requests, request => Assert.DoesNotContain("secret", request, StringComparison.Ordinal));
    }

    private static LoginPolicy Open(Uri url, bool failOpen) =>
        new(new ThrottleOptions { PolicyUrl = url, PolicyPassword = "super", PolicyTimeout = TimeSpan.FromSeconds(2), PolicyFailOpen = failOpen }, NullLogger<LoginPolicy>.Instance);

    private static PolicyQuestion Question(LoginPolicy policy) => policy.Ask("alice\""u8, "secret"u8, IPAddress.Parse("192.0.2.7"), isSecure: true);
}
