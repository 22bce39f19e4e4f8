using ImapDirector.Director.Backends;
using ImapDirector.Director.Moves;
using ImapDirector.Director.Tests.Authentication.Databases;
using ImapDirector.Director.Tests.Backends;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Directory;

/// <summary>What a node may answer to an order.</summary>
public sealed class NodeControlTests
{
    private const string Done = """{"answer":"Done","messages":3}""";

    [Theory]
    [InlineData("200 OK", "application/json", Done, true)]
    [InlineData("200 OK", "application/json; charset=nonsense", Done, false)]
    [InlineData("200 OK", "application/json", "{\"answer\":\"Whatever\"}", false)]
    [InlineData("200 OK", "application/json", "[", false)]
    [InlineData("200 OK", "application/json", "null", false)]
    [InlineData("200 OK", "application/json", "{\"answer\":\"Done\",\"messages\":1e99}", false)]
    [InlineData("302 Found", "application/json", Done, false)]
    [InlineData("403 Forbidden", "application/json", Done, false)]
    public async Task Nonsense_is_no_answer(string status, string type, string body, bool isAnswer)
    {
        using var key = new AssertionKey();
        await using var node = new HttpAuthServer(_ => $"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        using var control = new NodeControl(AssertionIssuer.Create(key.Use(new DirectorOptions()), NullLoggerFactory.Instance));
        var (backend, move) = (new BackendNode { Name = "node1", Host = "127.0.0.1", Http = node.Url }, new Move("1", TestDirector.User("alice@example.com"), "node1", "node2", MoveStep.Ended));

        var reply = await control.OrderAsync(backend, "release", move, 1, CancellationToken.None);

        Assert.Equal(isAnswer ? NodeAnswer.Done : null, reply?.Answer);
        Assert.Equal(isAnswer ? 3 : null, reply?.Messages);
    }
}
