using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace ImapDirector.Operations.Tests.Gateway;

public sealed class NodeGatewayTests
{
    [Fact]
    public async Task A_nodes_metrics_and_health_come_through()
    {
        await using var node = await RunningServer.StartAsync([RunningServer.Check("node1", "draining")]);
        Prometheus.Metrics.WithCustomRegistry(node.Registry).CreateGauge("only_at_the_node", "x").Set(7);
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("node1", node.Address)));

        var metrics = await director.SendAsync("/nodes/node1/metrics");
        var live = await director.SendAsync("/nodes/node1/livez");
        var ready = await director.SendAsync("/nodes/node1/readyz");

        Assert.Equal(200, metrics.Status);
        Assert.Contains("only_at_the_node 7\n", metrics.Body, StringComparison.Ordinal);
        Assert.StartsWith("text/plain; version=0.0.4", metrics.Headers["Content-Type"], StringComparison.Ordinal);
        Assert.Equal((200, "ok\n"), (live.Status, live.Body));
        Assert.Equal((503, "node1: draining\n"), (ready.Status, ready.Body));
        Assert.DoesNotContain("only_at_the_node", (await director.SendAsync("/metrics")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_node_is_reached_under_its_own_name()
    {
        await using var one = await RunningServer.StartAsync([RunningServer.Check("one", "here")]);
        await using var two = await RunningServer.StartAsync([RunningServer.Check("two", "here")]);
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", one.Address), ("b", two.Address)));

        Assert.Equal("one: here\n", (await director.SendAsync("/nodes/a/readyz")).Body);
        Assert.Equal("two: here\n", (await director.SendAsync("/nodes/b/readyz")).Body);
    }

    [Theory]
    [InlineData("/nodes/other/metrics")]
    [InlineData("/nodes/a")]
    [InlineData("/nodes/a/")]
    [InlineData("/nodes/a/api/v1/users")]
    [InlineData("/nodes/a/metrics/x")]
    [InlineData("/nodes/a/nodes/a/metrics")]
    public async Task Nothing_else_is_reached(string path)
    {
        await using var node = new WitnessNode();
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", node.Address)));

        var answer = await director.SendAsync(path);

        Assert.Equal((404, "404\n"), (answer.Status, answer.Body));
        Assert.Empty(node.Requests);
    }

    [Theory]
    [InlineData("/nodes/a/../b/metrics")]
    [InlineData("/nodes/a/%2e%2e/b/metrics")]
    [InlineData("/nodes/a/%2E./b/metrics")]
    [InlineData("/nodes/a/..%2fb/metrics")]
    [InlineData("/nodes/a/..%5cb/metrics")]
    [InlineData("/nodes/a/..\\b/metrics")]
    [InlineData("/nodes/a/./metrics")]
    [InlineData("/nodes/a%2fmetrics")]
    [InlineData("/nodes//a/metrics")]
    [InlineData("/nodes/a/%6detrics")]
    [InlineData("/nodes/a/%252e%252e/b/metrics")]
    public async Task A_path_that_can_be_read_in_two_ways_reaches_no_node(string path)
    {
        await using var one = new WitnessNode();
        await using var two = new WitnessNode();
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", one.Address), ("b", two.Address)));

        var answer = await director.SendRawAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 404 ", answer, StringComparison.Ordinal);
        Assert.Empty(one.Requests);
        Assert.Empty(two.Requests);
    }

    [Fact]
    public async Task Nodes_are_read_and_not_written()
    {
        await using var node = new WitnessNode();
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", node.Address)));

        foreach (var method in new[] { "POST", "PUT", "DELETE", "OPTIONS" })
            Assert.Equal(405, (await director.SendAsync("/nodes/a/metrics", method)).Status);

        Assert.Empty(node.Requests);
    }

    [Fact]
    public async Task Head_comes_through()
    {
        await using var node = await RunningServer.StartAsync();
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", node.Address)));
        var answer = await director.SendAsync("/nodes/a/livez", "HEAD");
        Assert.Equal((200, ""), (answer.Status, answer.Body));
        Assert.Equal("3", answer.Headers["Content-Length"]);
    }

    [Fact]
    public async Task The_node_sees_nothing_of_the_client()
    {
        await using var node = new WitnessNode();
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", node.Address)));

        await director.SendAsync("/nodes/a/metrics?name=secret-query", "GET", ("Cookie", "secret-cookie"), ("Authorization", "Bearer secret-token"),
            ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Host", "secret-host"), ("Forwarded", "for=203.0.113.9"), ("traceparent", "00-11111111111111111111111111111111-2222222222222222-01"),
            ("Accept", "text/plain"));

        var request = Assert.Single(node.Requests);
        Assert.Equal($"GET /metrics HTTP/1.1\r\nHost: {node.Address.Authority}\r\nAccept: text/plain\r\n\r\n", request);
    }

    [Fact]
    public async Task A_node_cannot_set_headers_for_the_director()
    {
        await using var node = new WitnessNode("Set-Cookie: session=evil\r\nContent-Security-Policy: default-src *\r\nServer: evil\r\nAccess-Control-Allow-Origin: *\r\n");
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", node.Address)));

        var answer = await director.SendAsync("/nodes/a/metrics");

        Assert.Equal((200, "hello"), (answer.Status, answer.Body));
        Assert.StartsWith("default-src 'none';", answer.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        Assert.Empty(answer.Headers.Keys.Intersect(["Set-Cookie", "Server", "Access-Control-Allow-Origin"], StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_node_that_is_away_is_a_bad_gateway()
    {
        await using var node = await RunningServer.StartAsync();
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", node.Address)));
        Assert.Equal(200, (await director.SendAsync("/nodes/a/livez")).Status);
        await node.DisposeAsync();

        var answer = await director.SendAsync("/nodes/a/livez");

        Assert.Equal((502, "502\n"), (answer.Status, answer.Body));
        Assert.Equal(200, (await director.SendAsync("/livez")).Status);
    }

    [Fact]
    public async Task A_node_that_accepts_and_says_nothing_is_given_up()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", new Uri($"http://{silent.LocalEndpoint}"))));

        var answer = await director.SendAsync("/nodes/a/metrics");

        Assert.Equal((504, "504\n"), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task Nodes_come_and_go_while_it_runs()
    {
        await using var one = await RunningServer.StartAsync([RunningServer.Check("one", "here")]);
        await using var two = await RunningServer.StartAsync([RunningServer.Check("two", "here")]);
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", one.Address)));
        Assert.Equal(404, (await director.SendAsync("/nodes/b/readyz")).Status);

        director.UpdateNodes(Nodes(("b", two.Address)));
        await UntilAsync(async () => (await director.SendAsync("/nodes/b/readyz")).Body == "two: here\n");
        Assert.Equal(404, (await director.SendAsync("/nodes/a/readyz")).Status);

        director.UpdateNodes(Nodes(("b", one.Address)));
        await UntilAsync(async () => (await director.SendAsync("/nodes/b/readyz")).Body == "one: here\n");
    }

    [Fact]
    public async Task An_update_outside_the_bounds_changes_nothing()
    {
        await using var node = await RunningServer.StartAsync();
        await using var director = await RunningServer.StartAsync(nodes: Nodes(("a", node.Address)));

        var refused = Assert.Throws<ArgumentException>(() => director.UpdateNodes(Nodes(("b", node.Address), ("..", node.Address))));

        Assert.Contains("\"..\"", refused.Message, StringComparison.Ordinal);
        Assert.Equal(200, (await director.SendAsync("/nodes/a/livez")).Status);
        Assert.Equal(404, (await director.SendAsync("/nodes/b/livez")).Status);
    }

    private static Dictionary<string, Uri> Nodes(params (string Name, Uri Address)[] nodes) => nodes.ToDictionary(node => node.Name, node => node.Address);

    private static async Task UntilAsync(Func<Task<bool>> isTrue)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await isTrue()) await Task.Delay(10, limit.Token);
    }

    /// <summary>An HTTP server that keeps the head of each request as it came and answers <c>hello</c>.</summary>
    private sealed class WitnessNode : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<string> _requests = [];
        private readonly string _headers;
        private readonly Task _serving;

        public WitnessNode(string headers = "")
        {
            _headers = headers;
            _listener.Start();
            _serving = ServeAsync();
        }

        public Uri Address => new($"http://{_listener.LocalEndpoint}");

        public IReadOnlyList<string> Requests
        {
            get
            {
                lock (_requests) return [.. _requests];
            }
        }

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    await AnswerAsync(client.GetStream());
                }
            }
            catch (Exception stopped) when (stopped is SocketException or InvalidOperationException)
            {
                // No longer listening.
            }
        }

        private async Task AnswerAsync(NetworkStream stream)
        {
            var head = new StringBuilder();
            var buffer = new byte[4096];
            try
            {
                while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    var count = await stream.ReadAsync(buffer);
                    if (count == 0) return;
                    head.Append(Encoding.Latin1.GetString(buffer, 0, count));
                }
                lock (_requests) _requests.Add(head.ToString());
                await stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n{_headers}\r\nhello"));
            }
            catch (IOException)
            {
                // Whoever asked has gone.
            }
        }
    }
}
