using System.Globalization;
using System.Net;
using System.Text.Json;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Storage;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Operations.Tests.Control;

/// <summary>A node with its HTTP, and the director's key that it believes.</summary>
internal sealed class ControlledNode : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private readonly AssertionSigner _director;

    private ControlledNode(string name, AssertionSigner director) => (Name, _director) = (name, director);

    public string Name { get; }

    public StorageNode Node { get; private set; } = null!;

    public RunningServer Http { get; private set; } = null!;

    public static async Task<ControlledNode> StartAsync(string name, AssertionSigner director)
    {
        var controlled = new ControlledNode(name, director);
        var keys = Path.Combine(controlled._directory.FullName, "keys.pem");
        await File.WriteAllTextAsync(keys, director.ExportPublicPem());
        controlled.Node = new StorageNode(new StorageNodeOptions
        {
            Name = name,
            DataDirectory = Path.Combine(controlled._directory.FullName, "data"),
            Imap = new IPEndPoint(IPAddress.Loopback, 0),
            Lmtp = new IPEndPoint(IPAddress.Loopback, 0),
            AssertionKeys = keys,
            MasterPassword = "a mail server of the same machine",
        }, certificate: null, Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()), NullLoggerFactory.Instance);
        await controlled.Node.StartAsync(CancellationToken.None);
        controlled.Http = await RunningServer.StartAsync(node: controlled.Node);
        return controlled;
    }

    public Assertion Says(string verb, string? user, long epoch, AssertionScope scope = AssertionScope.Control)
    {
        UserName? subject = null;
        if (user is not null)
        {
            Assert.True(UserName.TryCreate(user, null, out var name));
            subject = name;
        }
        return new Assertion
        {
            Issuer = "director1",
            Audience = Name,
            Subject = subject,
            Epoch = epoch,
            SessionId = verb + ".0123456789abcdef",
            Scope = scope,
            IssuedAt = DateTimeOffset.UtcNow,
            ExpiresAt = DateTimeOffset.UtcNow.AddSeconds(30),
        };
    }

    public string Sign(Assertion assertion) => _director.Sign(assertion);

    public Task<Answer> SendAsync(string verb, Assertion assertion, params (string, string)[] headers) =>
        Http.SendAsync("/api/v1/users/" + verb, "POST", [("Authorization", "Bearer " + Sign(assertion)), .. headers]);

    /// <summary>An order, and what it is answered.</summary>
    public async Task<JsonElement> OrderAsync(string verb, string user, long epoch, params (string, string)[] headers)
    {
        var answer = await SendAsync(verb, Says(verb, user, epoch), headers);
        Assert.Equal(200, answer.Status);
        return JsonSerializer.Deserialize<JsonElement>(answer.Body);
    }

    public async Task<string> AnswerAsync(string verb, string user, long epoch, params (string, string)[] headers) =>
        (await OrderAsync(verb, user, epoch, headers)).GetProperty("answer").GetString()!;

    public async Task<JsonElement> ListAsync(string query = "")
    {
        var answer = await Http.SendAsync("/api/v1/users" + query, "GET", ("Authorization", "Bearer " + Sign(Says("list", null, 0))));
        Assert.Equal(200, answer.Status);
        return JsonSerializer.Deserialize<JsonElement>(answer.Body);
    }

    public async Task DeliverAsync(string user, int messages, int size)
    {
        await using var sender = await LmtpClient.ConnectAsync(Node.LmtpEndPoint);
        await sender.AskAsync("LHLO client.example.net");
        for (var number = 0; number < messages; number++)
        {
            await sender.AskAsync("MAIL FROM:<sender@example.net>");
            Assert.StartsWith("250 ", await sender.AskAsync($"RCPT TO:<{user}>"), StringComparison.Ordinal);
            Assert.StartsWith("250 ", (await sender.DataAsync(string.Create(CultureInfo.InvariantCulture, $"Subject: {number}\r\n\r\n") + new string('x', number % 2 == 0 ? 10 : size), 1))[0], StringComparison.Ordinal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Http.DisposeAsync();
        await Node.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}
