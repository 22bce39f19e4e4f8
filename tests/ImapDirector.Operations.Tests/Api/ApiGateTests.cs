using System.Text;
using ImapDirector.Operations.Api;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Operations.Tests.Api;

public sealed class ApiGateTests
{
    [FactIfInstalled("redis-server")]
    public async Task Without_the_token_there_is_nothing_to_see_and_with_it_there_is()
    {
        await using var api = await RunningApi.StartAsync();
        foreach (var path in (string[])["/nodes", "/users/alice", "/nothing", "/openapi.json"])
        {
            var refused = await api.Http.SendAsync("/api/v1" + path);
            Assert.Equal((401, "Bearer"), (refused.Status, refused.Headers["WWW-Authenticate"]));
            Assert.Contains("\"code\":\"unauthorized\"", refused.Body, StringComparison.Ordinal);
        }
        Assert.Equal(200, (await api.SendAsync("GET", "/nodes")).Status);
        Assert.Equal((404, "not_found"), await Two(api.RefusalAsync("GET", "/nothing")));
        Assert.Equal((405, "not_allowed"), await Two(api.RefusalAsync("PUT", "/nodes")));
        // The rest is as open, and as read only, as ever.
        Assert.Equal(405, (await api.Http.SendAsync("/metrics", "POST")).Status);
    }

    [FactIfInstalled("redis-server")]
    public async Task Only_exactly_the_token_passes()
    {
        await using var api = await RunningApi.StartAsync();
        foreach (var header in (string[])[$"Bearer {RunningApi.Token}x", $"Bearer {RunningApi.Token[..^1]}", "Bearer ", "Bearer", RunningApi.Token, $"Basic {RunningApi.Token}", $"Bearer {RunningApi.Token} ", "Bearer " + new string('x', 2000)])
        {
            var status = (await api.Http.SendAsync("/api/v1/nodes", "GET", ("Authorization", header))).Status;
            // A space behind it is no part of a header's value.
            Assert.Equal(header.EndsWith("f ", StringComparison.Ordinal) ? 200 : 401, status);
        }
        var twice = await api.Http.SendRawAsync($"GET /api/v1/nodes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer wrong\r\nAuthorization: Bearer {RunningApi.Token}\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 401 ", twice, StringComparison.Ordinal);
        Assert.DoesNotContain(api.Http.Log.Lines, static line => line.Text.Contains(RunningApi.Token[..16], StringComparison.Ordinal));
    }

    [FactIfInstalled("redis-server")]
    public async Task Where_no_token_is_configured_there_is_no_API()
    {
        await using var api = await RunningApi.StartAsync(withToken: false);
        Assert.Equal((404, "not_found"), await Two(api.RefusalAsync("GET", "/nodes")));
        Assert.Equal((404, "not_found"), await Two(api.RefusalAsync("POST", "/nodes/node1/drain")));
    }

    [FactIfInstalled("redis-server")]
    public async Task A_new_token_in_the_file_counts_at_once_and_a_spoiled_file_changes_nothing()
    {
        await using var api = await RunningApi.StartAsync();
        var next = new string('n', ApiToken.MinLength);
        await File.WriteAllTextAsync(api.TokenFile, next);
        Assert.Equal(401, (await api.SendAsync("GET", "/nodes")).Status);
        Assert.Equal(200, (await api.SendAsync("GET", "/nodes", token: next)).Status);
        await File.WriteAllTextAsync(api.TokenFile, "short");
        Assert.Equal(200, (await api.SendAsync("GET", "/nodes", token: next)).Status);
        File.Delete(api.TokenFile);
        Assert.Equal(200, (await api.SendAsync("GET", "/nodes", token: next)).Status);
    }

    [FactIfInstalled("redis-server")]
    public async Task Whoever_guesses_waits_and_nobody_else_does()
    {
        await using var api = await RunningApi.StartAsync();
        var guesses = Enumerable.Range(0, 40).Select(number => api.Http.SendAsync("/api/v1/nodes", "GET", ("Authorization", $"Bearer guess{number}"))).ToArray();
        Assert.Equal(200, (await api.SendAsync("GET", "/nodes")).Status);
        var statuses = (await Task.WhenAll(guesses)).CountBy(static answer => answer.Status).ToDictionary();
        Assert.Equal([401, 429], statuses.Keys.Order());
        Assert.Equal(200, (await api.SendAsync("GET", "/nodes")).Status);
    }

    [FactIfInstalled("redis-server")]
    public async Task A_stranger_cannot_send_a_body()
    {
        await using var api = await RunningApi.StartAsync();
        // Were it read, it would be waited for.
        var answer = await api.Http.SendRawAsync("POST /api/v1/directory HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000000\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 401 ", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(31, false)]
    [InlineData(32, true)]
    [InlineData(512, true)]
    [InlineData(513, false)]
    public void A_token_has_32_to_512_characters(int length, bool isOne) => Check(new string('x', length), isOne);

    [Theory]
    [InlineData("0123456789abcdef 0123456789abcdef", false)]
    [InlineData("0123456789abcdef\n0123456789abcdef", false)]
    [InlineData("0123456789abcdef0123456789abcdé", false)]
    [InlineData("0123456789abcdef0123456789abcdef\r\n", true)]
    public void A_token_is_one_line_of_visible_characters(string text, bool isOne) => Check(text, isOne);

    private static void Check(string text, bool isOne)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            if (isOne) Assert.True(ApiToken.Load(file).Matches(text.TrimEnd()));
            else Assert.DoesNotContain(text[..8], Assert.Throws<InvalidDataException>(() => ApiToken.Load(file)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task<(int, string)> Two(Task<(int Status, string Code, string Detail)> refusal)
    {
        var (status, code, _) = await refusal;
        return (status, code);
    }
}
