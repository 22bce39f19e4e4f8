using System.Net;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static ImapDirector.Director.Authentication.DatabaseAnswerKind;

namespace ImapDirector.Director.Tests.Authentication.Databases;

public sealed class HttpDatabaseTests
{
    public static TheoryData<string, string, string?> Answers => new()
    {
        { HttpAuthServer.Ok("Auth-Status: OK"), nameof(RightPassword), null },
        { HttpAuthServer.Ok("Auth-Status: OK", "Auth-Server: node2"), nameof(RightPassword), "node2" },
        { HttpAuthServer.Ok("Auth-Status: OK", "Auth-Server: 127.0.0.1", "Auth-Port: 143"), nameof(RightPassword), "node1" },
        { HttpAuthServer.Ok("Auth-Status: OK", "Auth-Server: 127.0.0.1", "Auth-Port: 144"), nameof(Failure), null },
        { HttpAuthServer.Ok("Auth-Status: OK", "Auth-Server: 192.0.2.66"), nameof(Failure), null },
        { HttpAuthServer.Ok("Auth-Status: OK", "Auth-Server: metadata.internal", "Auth-Port: 80"), nameof(Failure), null },
        { HttpAuthServer.Ok("Auth-Status: Invalid login or password", "Auth-Wait: 3"), nameof(WrongPassword), null },
        { HttpAuthServer.Ok("Auth-Status: ok"), nameof(WrongPassword), null },
        { HttpAuthServer.Ok("Auth-Status: Temporary server problem", "Auth-Error-Code: 451 4.3.0"), nameof(Failure), null },
        { HttpAuthServer.Ok("Auth-Status: OK", "Auth-User: root", "Auth-Pass: other"), nameof(RightPassword), null },
        { HttpAuthServer.Ok(), nameof(Failure), null },
        { "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\nAuth-Status: OK\r\n\r\n", nameof(Failure), null },
        { "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nAuth-Status: OK\r\n\r\n", nameof(Failure), null },
        { $"HTTP/1.1 200 OK\r\nAuth-Status: {new string('x', 20_000)}\r\nContent-Length: 0\r\n\r\n", nameof(Failure), null },
        { "* OK IMAP4rev1\r\n", nameof(Failure), null },
        { "", nameof(Failure), null },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task What_the_service_answers_is_read_strictly_and_sends_nobody_to_a_stranger(string answer, string kind, string? node)
    {
        await using var service = new HttpAuthServer(_ => answer);
        using var database = Open(service.Url, with => answer.Length == 0 ? with with { Timeout = TimeSpan.FromMilliseconds(300) } : with);

        var told = await AskAsync(database, "alice@example.com", "secret");

        Assert.Equal(kind, told.Kind.ToString());
        Assert.Equal(node, told.Node);
    }

    [Fact]
    public async Task The_request_is_as_nginx_makes_it_and_no_byte_of_a_password_ends_a_header()
    {
        await using var service = new HttpAuthServer(_ => HttpAuthServer.Ok("Auth-Status: OK"));
        using var database = Open(service.Url, with => with with { HeaderName = "X-Auth-Key", HeaderValue = "shared" });

        await AskAsync(database, "alice@example.com", "a b%c\r\nAuth-Status: OK\r\n\r\nGET / HTTP/1.1\r\n\u00e9\u007f");

        var request = Assert.Single(service.Requests);
        Assert.StartsWith("GET /auth HTTP/1.1\r\n", request, StringComparison.Ordinal);
        foreach (var header in (string[])["Auth-Method: plain", "Auth-User: alice@example.com", "Auth-Protocol: imap", "Client-IP: 192.0.2.7", "X-Auth-Key: shared",
            "Auth-Pass: a%20b%25c%0D%0AAuth-Status:%20OK%0D%0A%0D%0AGET%20/%20HTTP/1.1%0D%0A%C3%A9%7F"])
            Assert.Contains($"\r\n{header}\r\n", request, StringComparison.Ordinal);
        Assert.Single(request.Split("\r\n"), line => line.StartsWith("GET ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_service_that_is_away_is_no_wrong_password()
    {
        var service = new HttpAuthServer(_ => HttpAuthServer.Ok("Auth-Status: OK"));
        await service.DisposeAsync();
        using var database = Open(new Uri("http://127.0.0.1:1/"));
        Assert.Equal(Failure, (await AskAsync(database, "alice@example.com", "secret")).Kind);
    }

    [Fact]
    public async Task Without_a_password_nothing_is_asked()
    {
        await using var service = new HttpAuthServer(_ => HttpAuthServer.Ok("Auth-Status: OK"));
        using var database = Open(service.Url);
        Assert.Equal(CannotTell, (await AskAsync(database, "alice@example.com", null)).Kind);
        Assert.Empty(service.Requests);
    }

    [Theory]
    [InlineData(16 * 1024 - 1, nameof(RightPassword))]
    [InlineData(16 * 1024, nameof(RightPassword))]
    [InlineData(16 * 1024 + 1, nameof(Failure))]
    public async Task The_head_of_an_answer_may_take_16_KiB(int bytes, string kind)
    {
        await using var service = new HttpAuthServer(_ => HttpAuthServer.WithHead(bytes, HttpAuthServer.Ok("Auth-Status: OK")));
        using var database = Open(service.Url, static with => with with { Timeout = TimeSpan.FromSeconds(30) });
        Assert.Equal(kind, (await AskAsync(database, "alice@example.com", "secret")).Kind.ToString());
    }

    [Fact]
    public async Task What_comes_behind_the_headers_is_not_waited_for()
    {
        await using var service = new HttpAuthServer(_ => "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nContent-Length: 1000000000000\r\n\r\nx");
        using var database = Open(service.Url, static with => with with { Timeout = TimeSpan.FromSeconds(30) });
        Assert.Equal(RightPassword, (await AskAsync(database, "alice@example.com", "secret")).Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n")]
    public async Task A_service_that_hangs_is_given_up_and_asked_anew(string beginning)
    {
        var answer = beginning;
        await using var service = new HttpAuthServer(_ => answer);
        using var database = Open(service.Url, static with => with with { Timeout = TimeSpan.FromMilliseconds(300) });

        Assert.Same(DatabaseAnswer.Failure, await AskAsync(database, "alice@example.com", "secret").WaitAsync(TimeSpan.FromSeconds(60)));

        answer = HttpAuthServer.Ok("Auth-Status: OK");
        await TestDirector.UntilAsync(async () => (await AskAsync(database, "alice@example.com", "secret")).Kind == RightPassword);
    }

    [Fact]
    public async Task Nobody_is_asked_whom_the_service_names_instead_of_itself()
    {
        await using var elsewhere = new HttpAuthServer(_ => HttpAuthServer.Ok("Auth-Status: OK"));
        await using var service = new HttpAuthServer(_ => HttpAuthServer.Redirect(elsewhere.Url));
        using var database = Open(service.Url);
        Assert.Equal(Failure, (await AskAsync(database, "alice@example.com", "secret")).Kind);
        Assert.Empty(elsewhere.Requests);
    }

    private static HttpDatabase Open(Uri url, Func<HttpDatabaseOptions, HttpDatabaseOptions>? with = null)
    {
        var options = new HttpDatabaseOptions { Url = url, Timeout = TimeSpan.FromSeconds(30) };
        return new HttpDatabase(with?.Invoke(options) ?? options, () => TestDirector.TwoNodes, NullLogger<HttpDatabase>.Instance);
    }

    private static async Task<DatabaseAnswer> AskAsync(HttpDatabase database, string name, string? password)
    {
        Assert.True(UserName.TryCreate(name, null, out var user));
        return await database.AskAsync(new DatabaseQuestion(user, password is null ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(password), IPAddress.Parse("192.0.2.7")), CancellationToken.None);
    }
}
