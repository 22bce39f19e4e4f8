using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using ImapDirector.Network.Tls;
using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class ConnectionTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private readonly ServerCertificate _certificate;

    public ConnectionTests() => _certificate = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost", "127.0.0.1"]);

    public void Dispose()
    {
        _certificate.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Bytes_pass_both_ways()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await pair.Client.SayAsync("hello");
        Assert.Equal("hello", await pair.Server.HearAsync(5));
        await pair.Server.SayAsync("world");
        Assert.Equal("world", await pair.Client.HearAsync(5));
    }

    [Fact]
    public async Task Ids_are_of_one_form_and_differ()
    {
        await using var pair = await SocketPair.ConnectAsync();
        Assert.Matches("^[A-Za-z0-9_-]{16}$", pair.Server.Id);
        Assert.NotEqual(pair.Server.Id, pair.Client.Id);
    }

    [Fact]
    public async Task A_remote_address_is_never_an_IPv4_address_in_IPv6_clothes()
    {
        await using var pair = await SocketPair.ConnectAsync();
        pair.Server.RemoteEndPoint = new IPEndPoint(IPAddress.Parse("::ffff:192.0.2.7"), 4711);
        Assert.Equal(new IPEndPoint(IPAddress.Parse("192.0.2.7"), 4711), pair.Server.RemoteEndPoint);
    }

    [Fact]
    public async Task Nagles_algorithm_is_off_on_both_ends()
    {
        await using var pair = await SocketPair.ConnectAsync();
        Assert.True(pair.Server.Socket.NoDelay);
        Assert.True(pair.Client.Socket.NoDelay);
    }

    [Fact]
    public async Task Tls_begins_in_the_middle_of_a_connection_and_carries_bytes_both_ways()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair);
        Assert.True(pair.Server.IsSecure);
        await pair.Client.SayAsync("hello");
        Assert.Equal("hello", await pair.Server.HearAsync(5));
        await pair.Server.SayAsync("world");
        Assert.Equal("world", await pair.Client.HearAsync(5));
    }

    [Fact]
    public async Task What_was_read_in_the_clear_before_tls_is_never_seen_after_it()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await pair.Client.SayAsync("a STARTTLS\r\nb INJECTED\r\n");
        // All of it is in the server's pipe before the handshake; only the first line is consumed.
        var read = await pair.Server.Input.ReadAtLeastAsync(24);
        pair.Server.Input.AdvanceTo(read.Buffer.GetPosition(12), read.Buffer.End);
        await StartTlsAsync(pair);
        await pair.Client.SayAsync("c NOOP\r\n");
        Assert.Equal("c NOOP\r\n", await pair.Server.HearAsync(8));
    }

    [Fact]
    public async Task A_handshake_that_came_with_the_bytes_before_it_is_kept_when_asked_to()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await pair.Client.SayAsync("PROXY\r\n");
        var client = pair.Client.StartTlsClientAsync(TrustingAnybody(), CancellationToken.None);
        // The ClientHello follows at once, so it is read together with the header or right behind it.
        var read = await pair.Server.Input.ReadAtLeastAsync(50);
        pair.Server.Input.AdvanceTo(read.Buffer.GetPosition(7));
        await pair.Server.StartTlsServerAsync(_certificate.ServerOptions, CancellationToken.None, keepUnread: true);
        await client;
        await pair.Client.SayAsync("hello");
        Assert.Equal("hello", await pair.Server.HearAsync(5));
    }

    [Fact]
    public async Task Only_imap_may_be_negotiated()
    {
        await using var agreed = await SocketPair.ConnectAsync();
        var options = TrustingAnybody();
        options.ApplicationProtocols = [new SslApplicationProtocol("imap")];
        await Task.WhenAll(agreed.Server.StartTlsServerAsync(_certificate.ServerOptions, CancellationToken.None),
            agreed.Client.StartTlsClientAsync(options, CancellationToken.None));
        Assert.Equal("imap", agreed.Client.Tls!.NegotiatedApplicationProtocol.ToString());

        await using var refused = await SocketPair.ConnectAsync();
        var other = TrustingAnybody();
        other.ApplicationProtocols = [SslApplicationProtocol.Http11];
        var client = refused.Client.StartTlsClientAsync(other, CancellationToken.None);
        await Assert.ThrowsAnyAsync<AuthenticationException>(() => refused.Server.StartTlsServerAsync(_certificate.ServerOptions, CancellationToken.None));
        refused.Server.Abort();
        await Assert.ThrowsAnyAsync<Exception>(() => client);
    }

    [Fact]
    public async Task Tls_below_1_2_is_refused()
    {
        await using var pair = await SocketPair.ConnectAsync();
        var options = TrustingAnybody();
#pragma warning disable SYSLIB0039, CA5397 // The refusal of the old version is what is tested.
        options.EnabledSslProtocols = SslProtocols.Tls11;
#pragma warning restore SYSLIB0039, CA5397
        var client = pair.Client.StartTlsClientAsync(options, CancellationToken.None);
        var server = pair.Server.StartTlsServerAsync(_certificate.ServerOptions, CancellationToken.None);
        // Debian's OpenSSL may refuse at the client already; then the server sees it leave.
        await Assert.ThrowsAnyAsync<Exception>(() => client);
        pair.Client.Abort();
        await Assert.ThrowsAnyAsync<Exception>(() => server);
        Assert.False(pair.Server.IsSecure);
    }

    [Fact]
    public async Task An_abort_from_another_thread_ends_a_pending_read()
    {
        await using var pair = await SocketPair.ConnectAsync();
        var reading = pair.Server.Input.ReadAsync().AsTask();
        await Task.Run(pair.Server.Abort);
        await Assert.ThrowsAnyAsync<Exception>(() => reading.WaitAsync(TestBytes.Patience));
    }

    [Fact]
    public async Task Last_words_reach_a_client_that_has_sent_more_than_was_read()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await pair.Client.SayAsync(new string('x', 100_000));
        Assert.Equal("xxx", await pair.Server.HearAsync(3));
        await pair.Server.SayAsync("* BYE\r\n");
        await pair.Server.DisposeAsync();
        Assert.Equal("* BYE\r\n", await pair.Client.HearAsync(7));
    }

    [Fact]
    public async Task A_close_does_not_wait_for_a_client_that_takes_nothing()
    {
        await using var pair = await SocketPair.ConnectAsync();
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (true) await pair.Server.Output.WriteAsync(new byte[256 * 1024], stop.Token);
        });
        await pair.Server.DisposeAsync().AsTask().WaitAsync(TestBytes.Patience);
    }

    [Fact]
    public async Task Nobody_listening_is_a_socket_error()
    {
        var failure = await Assert.ThrowsAsync<SocketException>(() => Connection.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 1), CancellationToken.None));
        Assert.Equal(SocketError.ConnectionRefused, failure.SocketErrorCode);
    }

    private Task StartTlsAsync(SocketPair pair) => Task.WhenAll(
        pair.Server.StartTlsServerAsync(_certificate.ServerOptions, CancellationToken.None),
        pair.Client.StartTlsClientAsync(TrustingAnybody(), CancellationToken.None)).WaitAsync(TestBytes.Patience);

    private static SslClientAuthenticationOptions TrustingAnybody() => new()
    {
        TargetHost = "localhost",
#pragma warning disable CA5359 // The certificate is the test's own.
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
    };
}
