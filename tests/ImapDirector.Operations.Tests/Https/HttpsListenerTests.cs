using System.Net;
using System.Net.Sockets;
using ImapDirector.Network.Tls;
using ImapDirector.Operations.Https;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Operations.Tests.Https;

public sealed class HttpsListenerTests
{
    [Fact]
    public async Task Where_a_certificate_is_required_nobody_reads_a_page_without_one_that_counts()
    {
        using var side = new HttpsSide();
        await using var server = await RunningServer.StartAsync(https: side.Options());
        using (var good = side.Authority.Issue("CN=prometheus"))
            foreach (var path in (string[])["/metrics", "/livez", "/readyz"]) Assert.Equal(200, (await HttpsSide.SendAsync(server, good, path)).Status);
        await Assert.ThrowsAsync<HttpRequestException>(() => HttpsSide.SendAsync(server, null, "/livez"));
        foreach (var (what, shown) in side.Faulty())
        {
            var refusal = await Record.ExceptionAsync(() => HttpsSide.SendAsync(server, shown, "/livez"));
            Assert.True(refusal is HttpRequestException, $"A certificate {what} was answered.");
            shown.Dispose();
        }
        // A client tries more than once.
        Assert.True(server.Log.Lines.Count(static line => line.Text.Contains("does not count", StringComparison.Ordinal)) >= 6);
        // It listens beside HTTP, which is as it was.
        Assert.Equal(200, (await server.SendAsync("/livez")).Status);
    }

    [Fact]
    public async Task Without_a_question_for_certificates_it_is_HTTP_with_TLS()
    {
        using var side = new HttpsSide(asks: false);
        await using var server = await RunningServer.StartAsync(https: side.Options());
        Assert.Equal((200, "ok\n"), Short(await HttpsSide.SendAsync(server, null, "/livez")));
        Assert.Equal((405, "405\n"), Short(await HttpsSide.SendAsync(server, null, "/livez", "POST")));
        using var client = new TcpClient();
        await client.ConnectAsync(server.HttpsEndPoint);
        await client.GetStream().WriteAsync("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        Assert.Equal(0, await ReadToEndAsync(client));

        static (int, string) Short(HttpsAnswer answer) => (answer.Status, answer.Body);
    }

    [Fact]
    public async Task What_is_new_in_the_files_holds_for_the_next_connection()
    {
        using var side = new HttpsSide();
        await using var server = await RunningServer.StartAsync(https: side.Options());
        using var other = new ClientAuthority("Other");
        using var old = side.Authority.Issue();
        using var next = other.Issue();
        var before = (await HttpsSide.SendAsync(server, old, "/livez")).Fingerprint;
        await Assert.ThrowsAsync<HttpRequestException>(() => HttpsSide.SendAsync(server, next, "/livez"));

        await File.WriteAllTextAsync(side.AuthorityFile, other.Pem);
        var renewed = side.Renew();
        Assert.Equal(CertificateReload.Renewed, side.Certificate.Reload());

        Assert.NotEqual(before, renewed);
        Assert.Equal(renewed, (await HttpsSide.SendAsync(server, next, "/livez")).Fingerprint);
        await Assert.ThrowsAsync<HttpRequestException>(() => HttpsSide.SendAsync(server, old, "/livez"));
    }

    [Fact]
    public async Task A_certificate_that_is_revoked_counts_no_more_from_the_next_connection_on()
    {
        using var side = new HttpsSide(withList: true);
        await using var server = await RunningServer.StartAsync(https: side.Options());
        using var stolen = side.Authority.Issue();
        using var other = side.Authority.Issue();
        Assert.Equal(200, (await HttpsSide.SendAsync(server, stolen, "/livez")).Status);

        await File.WriteAllBytesAsync(side.CrlFile, side.Authority.Revoke([stolen]));
        Assert.Equal(CertificateReload.Renewed, side.Certificate.Reload());

        await Assert.ThrowsAsync<HttpRequestException>(() => HttpsSide.SendAsync(server, stolen, "/livez"));
        Assert.Equal(200, (await HttpsSide.SendAsync(server, other, "/livez")).Status);
    }

    [Fact]
    public async Task A_connection_that_is_old_ends_with_its_next_answer()
    {
        using var side = new HttpsSide();
        using var shown = side.Authority.Issue();
        await using (var server = await RunningServer.StartAsync(https: side.Options())) Assert.False((await HttpsSide.SendAsync(server, shown, "/livez")).IsLast);
        await using var impatient = await RunningServer.StartAsync(https: side.Options(), httpsConnectionLife: TimeSpan.Zero);
        Assert.True((await HttpsSide.SendAsync(impatient, shown, "/livez")).IsLast);
        Assert.False((await impatient.SendAsync("/livez")).Headers.ContainsKey("Connection"));
    }

    [Fact]
    public async Task Who_says_nothing_is_closed_and_a_hundred_of_them_hold_up_nobody()
    {
        using var side = new HttpsSide();
        await using var server = await RunningServer.StartAsync(https: side.Options());
        using var shown = side.Authority.Issue();
        var silent = new List<Socket>();
        try
        {
            for (var i = 0; i < 120; i++) silent.Add(await HttpsSide.ConnectAsync(server, new IPAddress([127, 0, 1, (byte)(1 + i / (HttpsListener.MostOfAnAddress - 2))])));
            // All places were theirs: the first of them have made room, and nobody was refused.
            Assert.Equal(200, (await HttpsSide.SendAsync(server, shown, "/livez")).Status);
            Assert.Equal(200, (await server.SendAsync("/livez")).Status);
            foreach (var client in silent) Assert.Equal(0, await ReadToEndAsync(client));
            Assert.DoesNotContain(server.Log.Lines, static line => line.Text.Contains("no place", StringComparison.Ordinal));
        }
        finally
        {
            foreach (var client in silent) client.Dispose();
        }
    }

    [Fact]
    public async Task An_address_has_so_many_places_before_it_has_shown_a_certificate_that_counts()
    {
        using var side = new HttpsSide(isRequired: false);
        await using var server = await RunningServer.StartAsync(https: side.Options());
        var (crowd, elsewhere) = (IPAddress.Parse("127.0.1.1"), IPAddress.Parse("127.0.1.2"));
        using var shown = side.Authority.Issue();
        var clients = new List<HttpClient>();
        try
        {
            // Those with one do not count, those without do for as long as they are there.
            for (var i = 0; i < HttpsListener.MostOfAnAddress + 2; i++) await AskAsync(crowd, withCertificate: true);
            for (var i = 0; i < HttpsListener.MostOfAnAddress; i++) await AskAsync(crowd, withCertificate: false);
            Assert.DoesNotContain(server.Log.Lines, static line => line.Text.Contains("no place", StringComparison.Ordinal));
            await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(crowd, withCertificate: false));
            Assert.Contains(server.Log.Lines, line => line.Text.Contains($"no place for another connection of https from {crowd}", StringComparison.Ordinal));
            await AskAsync(elsewhere, withCertificate: false);
        }
        finally
        {
            foreach (var client in clients) client.Dispose();
        }

        async Task AskAsync(IPAddress from, bool withCertificate)
        {
            clients.Add(HttpsSide.NewClient(server, withCertificate ? shown : null, from));
            using var answer = await clients[^1].GetAsync("/livez");
            Assert.Equal(200, (int)answer.StatusCode);
        }
    }

    [Fact]
    public async Task Certificates_that_do_not_count_fill_no_log()
    {
        using var side = new HttpsSide(isRequired: false);
        await using var server = await RunningServer.StartAsync(https: side.Options());
        using var foreign = new ClientAuthority("Other");
        using var shown = foreign.Issue();
        for (var i = 0; i < 2 * LogBudget.Lines; i++) Assert.Equal(200, (await HttpsSide.SendAsync(server, shown, "/livez")).Status);
        // The clock may have begun another minute meanwhile, once.
        Assert.InRange(server.Log.Lines.Count(static line => line.Text.Contains("does not count", StringComparison.Ordinal)), LogBudget.Lines, 2 * LogBudget.Lines - 1);
    }

    private static async Task<int> ReadToEndAsync(Socket socket)
    {
        using var client = new TcpClient { Client = socket };
        return await ReadToEndAsync(client);
    }

    private static async Task<int> ReadToEndAsync(TcpClient client)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var answer = new MemoryStream();
        try
        {
            await client.GetStream().CopyToAsync(answer, patience.Token);
        }
        catch (IOException)
        {
            // A reset is an end as well.
        }
        return (int)answer.Length;
    }
}
