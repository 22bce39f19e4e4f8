using System.Globalization;
using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Requests at the port that is not for strangers, by somebody who has come that far and has no token.</summary>
internal sealed class HttpAbuse(AttackedServers target, int seed, byte number) : Attacker(target, seed, number)
{
    // The time that a request's header may take, and some more.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static readonly string[] Paths =
    [
        "/api/v1/nodes", "/api/v1/users", "/api/v1/users/alice@example.com", "/api/v1/sessions", "/api/v1/../v1/nodes", "/api//v1/nodes", "/API/V1/NODES", "/api/v1/nodes/", "/api/v1/nodes%2f", "/%61pi/v1/nodes",
        "/nodes/node1/metrics", "/nodes/node1/../../api/v1/nodes", "/nodes/127.0.0.1:6379/metrics", "/nodes/node1/api/v1/users", "/users/alice@example.com/metrics", "/users/../nodes", "/nodes/%2e%2e/", "/users/%00/metrics",
    ];

    protected override async Task TryAsync(Random random, CancellationToken stop)
    {
        var http = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, Target.Director.Http.Port);
        await using var wire = await Wire.ConnectAsync(http, Address(random));
        var path = Paths[random.Next(Paths.Length)];
        var method = random.Next(3) switch { 0 => "POST", 1 => "DELETE", _ => "GET" };
        switch (random.Next(6))
        {
            case 0:
                await wire.ThrowAsync($"GET {path} HTTP/1.1\r\nHost: x\r\n" + string.Concat(Enumerable.Range(0, 2000).Select(static header => $"x{header}: {new string('v', 100)}\r\n")));
                break;
            case 1:
                await wire.ThrowAsync($"GET /{new string('p', 100_000)} HTTP/1.1\r\n\r\n");
                break;
            case 2:
                await wire.ThrowAsync($"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /api/v1/nodes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \r\n\r\n");
                break;
            case 3:
                await wire.ThrowAsync(RandomText(random, 2000) + "\r\n\r\n");
                break;
            case 4 when random.Next(20) == 0:
                await wire.ThrowAsync($"GET {path} HTTP/1.1\r\nHost: x\r\nX: ");
                if (!stop.IsCancellationRequested && !await wire.IsClosedWithinAsync(Limit)) Violation("half a request is not closed");
                return;
            default:
                await wire.ThrowAsync($"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {RandomText(random, 32).Replace('\r', ' ').Replace('\n', ' ')}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                break;
        }
        var first = await wire.ReadLineAsync();
        if (first?.Split(' ') is [_, var status, ..] && (!int.TryParse(status, CultureInfo.InvariantCulture, out var code) || code is < 400 or >= 500)) Violation($"{first} for {method} {path}");
    }
}
