using ImapDirector.Operations.Api;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Operations.Tests.Api;

/// <summary>What somebody who has the token, or has somebody send it, may try.</summary>
public sealed class HostileRequestTests
{
    private const string Authorized = "Host: x\r\nConnection: close\r\nAuthorization: Bearer " + RunningApi.Token + "\r\n";

    [FactIfInstalled("redis-server")]
    public async Task Names_that_are_none_lead_nowhere()
    {
        await using var api = await RunningApi.StartAsync();
        string[] targets =
        [
            "/api/v1/users/..", "/api/v1/users/../nodes", "/api/v1/users/%2e%2e/nodes", "/api/v1/users/a%2fb", "/api/v1/users/a%2Fb@example.com", "/api/v1/users/a/b", "/api/v1/users/a%00b", "/api/v1/users/a%0d%0ab",
            "/api/v1/users/%61lice", "/api/v1/users/a\\b", "/api/v1/users/a%5cb", "//api/v1/nodes", "/api/v1//nodes", "/API/v1/nodes/%6eode1", "/api/v1/./nodes", "/api/v1/users/a}:account", "/api/v1/users/*",
            "/api/v1/users/{a}", "/api/v1/users/a?b", "/api/v1/nodes/NODE1", "/api/v1/nodes/node1;x", "/api/v1/users/" + new string('a', 256), "http://x/api/v1/users/..",
        ];
        foreach (var target in targets)
        {
            var answer = await api.Http.SendRawAsync($"GET {target} HTTP/1.1\r\n{Authorized}\r\n");
            var status = answer.Split(' ')[1];
            Assert.True(status is "400" or "404" or "401", $"{target}: {answer}");
        }
        // Nothing of a name is ever a key of its own.
        Assert.Empty(await api.AccountKeysAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task A_request_within_a_request_is_not_served()
    {
        await using var api = await RunningApi.StartAsync();
        const string inner = "DELETE /api/v1/users/alice HTTP/1.1\r\n" + Authorized + "\r\n";
        await api.AskNothingAsync("POST", "/users", """{"name":"alice","password":"secret"}""");
        foreach (var headers in new[]
        {
            // Two lengths, a length and chunks, a header's name with a space, chunks by another name, a folded header, a bare CR.
            $"Content-Length: 0\r\nContent-Length: {inner.Length}\r\n", $"Content-Length: {inner.Length}\r\nTransfer-Encoding: chunked\r\n", "Content-Length : 0\r\n",
            "Transfer-Encoding: xchunked\r\n", "X-A: b\r\n Content-Length: 0\r\n", "X-A: b\rContent-Length: 0\r\n", "Transfer-Encoding: chunked, identity\r\n",
        })
        {
            var answer = await api.Http.SendRawAsync($"GET /api/v1/nodes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {RunningApi.Token}\r\n{headers}\r\n{inner}");
            Assert.True(!answer.Contains(" 204 ", StringComparison.Ordinal), $"{headers}{answer}");
        }
        Assert.Equal(200, (await api.SendAsync("GET", "/users/alice")).Status);
    }

    [FactIfInstalled("redis-server")]
    public async Task Bodies_are_held_to_their_limits_and_to_what_is_asked_for()
    {
        await using var api = await RunningApi.StartAsync();
        string Body(int size) => $$"""{"name":"alice","password":"{{new string(' ', size - 30)}}"}""";
        Assert.Equal(ApiGate.MaxBodyBytes, Body(ApiGate.MaxBodyBytes).Length);
        Assert.Equal((400, "invalid", "The password cannot be used: give 1 to 1024 bytes."), await api.RefusalAsync("POST", "/users", Body(ApiGate.MaxBodyBytes)));
        Assert.Equal((413, "too_large", "The body is larger than 65536 bytes."), await api.RefusalAsync("POST", "/users", Body(ApiGate.MaxBodyBytes + 1)));
        Assert.Equal(413, (await api.RefusalAsync("POST", "/nodes/node1/drain", "x")).Status);
        Assert.Equal(413, (await api.RefusalAsync("GET", "/nodes", "x")).Status);
        foreach (var body in (string[])["", "{", "[]", "null", "1", """{"name":"alice"}""", """{"name":null,"password":"x"}""", """{"name":"alice","password":"x","more":1}""",
            """{"name":"alice","name":"bob","password":"x"}""", """{"name":"alice","password":["x"]}""", new string('[', 1000), "{\"name\":\"alice\",\"password\":\"\u0000\"}"])
        {
            var refused = await api.RefusalAsync("POST", "/users", body);
            Assert.Equal((400, "invalid"), (refused.Status, refused.Code));
        }
        Assert.Equal(415, (await api.SendAsync("POST", "/users", """{"name":"alice","password":"x"}""", mediaType: "text/plain")).Status);
        foreach (var body in (string[])["{}", """{"weight":{}}""", """{"weight":[1]}""", """{"weight":true}""", """{"weight":1e3}""", """{"weight":1.5}""", """{"weight":"1\n"}""", """{"pool":"a b"}""", """{"masterPassword":"x"}""", """{"name":"other"}"""])
            Assert.Equal((400, "invalid"), ((await api.RefusalAsync("PATCH", "/nodes/node1", body)).Status, (await api.RefusalAsync("PATCH", "/nodes/node1", body)).Code));
        foreach (var limit in (string[])["0", "10001", "-1", "x", ""]) Assert.Equal(400, (await api.RefusalAsync("GET", $"/users?limit={limit}")).Status);
        Assert.Equal(200, (await api.SendAsync("GET", "/users?limit=10000")).Status);
        Assert.Empty(await api.AccountKeysAsync());
    }

    [FactIfInstalled("redis-server")]
    public async Task Every_answer_has_the_strict_headers()
    {
        await using var api = await RunningApi.StartAsync();
        foreach (var answer in new[] { await api.SendAsync("GET", "/nodes"), await api.SendAsync("GET", "/nothing"), await api.SendAsync("GET", "/nodes", token: "wrong"), await api.SendAsync("GET", "/openapi.json"), await api.SendAsync("PUT", "/nodes") })
        {
            Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]);
            Assert.Equal("no-store", answer.Headers["Cache-Control"]);
            Assert.Contains("default-src 'none'", answer.Headers["Content-Security-Policy"], StringComparison.Ordinal);
            Assert.DoesNotContain("Server", answer.Headers.Keys);
            // A page of another origin cannot read it, since nothing says that it may.
            Assert.DoesNotContain(answer.Headers.Keys, static name => name.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        }
    }
}
