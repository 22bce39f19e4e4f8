using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Prometheus;
using Xunit;

namespace ImapDirector.Operations.Tests;

public sealed class RequestGuardTests
{
    private static readonly string[] Paths = ["/metrics", "/livez", "/readyz"];

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    public async Task Nothing_but_reading_is_allowed(string method)
    {
        await using var server = await RunningServer.StartAsync();
        foreach (var path in Paths)
        {
            var answer = await server.SendAsync(path, method);
            Assert.Equal((405, "405\n"), (answer.Status, answer.Body));
            Assert.Equal("GET, HEAD", answer.Headers["Allow"]);
        }
    }

    [Fact]
    public async Task Head_answers_like_get_without_the_body()
    {
        await using var server = await RunningServer.StartAsync([RunningServer.Check("director", "Redis is away")]);
        foreach (var path in Paths)
        {
            var get = await server.SendAsync(path);
            var head = await server.SendAsync(path, "HEAD");
            Assert.Equal((get.Status, ""), (head.Status, head.Body));
            Assert.Equal(get.Headers["Content-Type"], head.Headers["Content-Type"]);
        }
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/metrics/all")]
    [InlineData("/favicon.ico")]
    [InlineData("/api/v1/users")]
    [InlineData("/nodes")]
    [InlineData("/%6detrics")]
    [InlineData("/x/..%2fmetrics")]
    [InlineData("/x/../metrics")]
    [InlineData("http://localhost/metrics")]
    public async Task Every_other_path_is_unknown(string path)
    {
        await using var server = await RunningServer.StartAsync();
        // As raw bytes: a client library would write /%6detrics as /metrics.
        var answer = await server.SendRawAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 404 ", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/metrics", "GET")]
    [InlineData("/livez", "GET")]
    [InlineData("/readyz", "HEAD")]
    [InlineData("/readyz", "POST")]
    [InlineData("/nothing", "GET")]
    [InlineData("/nodes/gone/metrics", "GET")]
    public async Task Every_answer_has_the_strict_headers_and_none_that_tells_what_runs_here(string path, string method)
    {
        await using var away = await RunningServer.StartAsync();
        await using var server = await RunningServer.StartAsync(nodes: new Dictionary<string, Uri> { ["gone"] = away.Address });
        await away.DisposeAsync();

        var answer = await server.SendAsync(path, method);

        Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        Assert.StartsWith("default-src 'none';", answer.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        Assert.Equal("DENY", answer.Headers["X-Frame-Options"]);
        Assert.Equal("no-referrer", answer.Headers["Referrer-Policy"]);
        Assert.Equal("same-origin", answer.Headers["Cross-Origin-Resource-Policy"]);
        Assert.StartsWith("text/plain", answer.Headers["Content-Type"], StringComparison.Ordinal);
        Assert.DoesNotContain("Server", answer.Headers.Keys);
        Assert.DoesNotContain("X-Powered-By", answer.Headers.Keys);
        Assert.DoesNotContain("Set-Cookie", answer.Headers.Keys);
    }

    [Theory]
    [InlineData("/<script>alert(1)</script>")]
    [InlineData("/nodes/<script>alert(1)</script>/metrics")]
    [InlineData("/metrics?name=<script>alert(1)</script>")]
    [InlineData("/readyz?<script>alert(1)</script>")]
    public async Task Nothing_the_client_wrote_comes_back(string target)
    {
        await using var server = await RunningServer.StartAsync([RunningServer.Check("director", "Redis is away")]);
        var answer = await server.SendRawAsync($"GET {target} HTTP/1.1\r\nHost: <script>\r\nX-Any: <script>\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("script", answer, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\n\r\nhello")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    public async Task A_request_with_a_body_is_refused(string rest)
    {
        await using var server = await RunningServer.StartAsync();
        var answer = await server.SendRawAsync($"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{rest}");
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Equal(1, CountOf("HTTP/1.1 ", answer));
    }

    [Fact]
    public async Task A_request_line_or_header_over_the_limit_is_refused()
    {
        await using var server = await RunningServer.StartAsync();
        var line = await server.SendRawAsync($"GET /livez?{new string('x', 3000)} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 414 ", line, StringComparison.Ordinal);
        var header = await server.SendRawAsync($"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Any: {new string('x', 9000)}\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 431 ", header, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_speaks_http_1_only()
    {
        await using var server = await RunningServer.StartAsync();
        var answer = await server.SendRawAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        // Kestrel tells an HTTP/2 client so in HTTP/2's own words, a GOAWAY frame, or in a plain 400.
        Assert.DoesNotContain("200 OK", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("\0\0\0\u0004\u0001", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_and_stop_log_one_line_and_nothing_from_the_framework()
    {
        await using var server = await RunningServer.StartAsync();
        await server.SendAsync("/metrics");
        await server.StopAsync();
        var line = Assert.Single(server.Log.Lines);
        Assert.Equal(LogLevel.Information, line.Level);
        Assert.Contains($"http listens on {server.Address.Authority}", line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_is_named_in_the_error()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = (IPEndPoint)taken.LocalEndpoint;
        await using var server = new OperationsServer(new OperationsOptions { Http = address }, Prometheus.Metrics.NewCustomRegistry(), new LogLines());

        var refused = await Assert.ThrowsAsync<IOException>(() => server.StartAsync(CancellationToken.None));

        Assert.Contains($"Http is \"{address}\"", refused.Message, StringComparison.Ordinal);
        Assert.Contains("AddressAlreadyInUse", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_is_not_ours_is_named_in_the_error()
    {
        // TEST-NET-1 (RFC 5737) is on no interface.
        var options = new OperationsOptions { Http = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0), AllowRemoteHttp = true };
        var log = new LogLines();
        await using var server = new OperationsServer(options, Prometheus.Metrics.NewCustomRegistry(), log);

        var refused = await Assert.ThrowsAsync<IOException>(() => server.StartAsync(CancellationToken.None));

        Assert.Contains("192.0.2.1", refused.Message, StringComparison.Ordinal);
        Assert.Empty(log.Lines);
    }

    [Fact]
    public async Task After_stop_nothing_listens_and_a_second_stop_does_no_harm()
    {
        await using var server = await RunningServer.StartAsync();
        await server.StopAsync();
        await server.StopAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => server.SendAsync("/livez"));
    }

    private static int CountOf(string part, string text) => text.Split(part).Length - 1;
}
