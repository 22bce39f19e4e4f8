using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Storage.Transfer;
using Xunit;

namespace ImapDirector.Storage.Tests.Transfer;

/// <summary>A node that answers as it likes.</summary>
public sealed class StorePullTests : IDisposable
{
    private const string Ticket = """{"token":"0123456789abcdef"}""";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public StorePullTests() => _listener.Start();

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task An_answer_without_an_end_is_given_up_as_soon_as_it_is_too_long()
    {
        using var pull = new StorePull(Source, "x", maxManifestBytes: 1_000_000);
        var opened = pull.OpenAsync("", CancellationToken.None);
        using var client = await AnswerAsync(Whole(Ticket));
        Assert.Equal(TransferFault.Different, await FloodAsync(client, opened));
    }

    [Fact]
    public async Task A_ticket_without_an_end_is_given_up_as_well()
    {
        using var pull = new StorePull(Source, "x");
        var opened = pull.OpenAsync("", CancellationToken.None);
        using var client = await AnswerAsync();
        Assert.Equal(TransferFault.Different, await FloodAsync(client, opened));
    }

    [Fact]
    public async Task Another_manifest_than_the_director_has_heard_of_is_not_taken()
    {
        var manifest = new TransferManifest("alice@example.com", 2, new string('a', 64), 1, [new("mail.db", 5, new string('a', 64))]);
        using var pull = new StorePull(Source, "x");
        var opened = pull.OpenAsync(Convert.ToHexStringLower(SHA256.HashData(manifest.Write())), CancellationToken.None);
        using var client = await AnswerAsync(Whole(Ticket), Whole(Encoding.UTF8.GetString((manifest with { Messages = 2 }).Write())));
        Assert.Equal(TransferFault.Different, (await Assert.ThrowsAsync<TransferException>(() => opened)).Fault);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-1, false)]
    public async Task A_manifest_may_be_as_long_as_is_said_and_no_longer(int more, bool isTaken)
    {
        var manifest = new TransferManifest("alice@example.com", 2, new string('a', 64), 1, [new("mail.db", 5, new string('a', 64))]).Write();
        using var pull = new StorePull(Source, "x", manifest.Length + more);
        var opened = pull.OpenAsync(Convert.ToHexStringLower(SHA256.HashData(manifest)), CancellationToken.None);
        using var client = await AnswerAsync(Whole(Ticket), Whole(Encoding.UTF8.GetString(manifest)));
        if (isTaken) Assert.Equal("alice@example.com", (await opened).User);
        else Assert.Equal(TransferFault.Different, (await Assert.ThrowsAsync<TransferException>(() => opened)).Fault);
    }

    private Uri Source => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    private static string Whole(string body) => string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");

    /// <summary>Takes the connection and answers as many requests.</summary>
    private async Task<TcpClient> AnswerAsync(params string[] answers)
    {
        var client = await _listener.AcceptTcpClientAsync();
        foreach (var answer in answers)
        {
            await RequestAsync(client);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer));
        }
        return client;
    }

    private static async Task RequestAsync(TcpClient client)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await client.GetStream().ReadAsync(buffer);
            Assert.True(read > 0);
            text.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }
    }

    /// <summary>Sends for as long as anybody takes it.</summary>
    private static async Task<TransferFault> FloodAsync(TcpClient client, Task<TransferManifest> opened)
    {
        await RequestAsync(client);
        await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
        var chunk = Encoding.ASCII.GetBytes("10000\r\n" + new string(' ', 0x10000) + "\r\n");
        try
        {
            while (!opened.IsCompleted) await client.GetStream().WriteAsync(chunk);
        }
        catch (IOException)
        {
            // It has hung up.
        }
        return (await Assert.ThrowsAsync<TransferException>(() => opened)).Fault;
    }
}
