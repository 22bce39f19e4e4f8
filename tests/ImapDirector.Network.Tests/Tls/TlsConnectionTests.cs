using System.Net.Security;
using System.Security.Authentication;
using ImapDirector.Network.Tls;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>With OpenSSL called directly.</summary>
public sealed class DirectTlsTests() : TlsConnectionTests(isDirect: true)
{
    [Theory]
    [InlineData(60, true)]
    [InlineData(70, false)]
    public async Task Whoever_changes_keys_and_says_nothing_is_ended(int times, bool goesOn)
    {
        await using var pair = await SocketPair.ConnectAsync();
        var server = StartTlsAsync(pair.Server);
        using var client = await KeyChangingClient.ConnectAsync(pair.Client);
        await server;
        await client.ChangeKeysAsync(times);
        if (goesOn)
        {
            await client.SayAsync("hello"u8.ToArray());
            Assert.Equal("hello", await pair.Server.HearAsync(5));
            return;
        }
        await Assert.ThrowsAsync<IOException>(() => pair.Server.HearAsync(5));
    }

    [Fact]
    public async Task Whoever_says_much_may_change_keys_often()
    {
        await using var pair = await SocketPair.ConnectAsync();
        var server = StartTlsAsync(pair.Server);
        using var client = await KeyChangingClient.ConnectAsync(pair.Client);
        await server;
        for (var i = 0; i < 150; i++)
        {
            await client.ChangeKeysAsync(1);
            var saying = client.SayAsync(new byte[64 * 1024]);
            _ = await pair.Server.HearAsync(64 * 1024);
            await saying;
        }
    }

    [Fact]
    public async Task OpenSSL_is_called_directly_where_it_can_be()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair);
        Assert.True(pair.Server.IsDirect);
        Assert.Null(pair.Server.Tls);
    }

    [Fact]
    public async Task A_client_that_comes_again_brings_its_ticket()
    {
        var options = TrustingAnybody();
        // The runtime remembers tickets by name, for all tests at once.
        options.TargetHost = "tickets.example.com";
        var resumed = new List<bool>();
        for (var i = 0; i < 3; i++)
        {
            await using var pair = await SocketPair.ConnectAsync();
            await StartTlsAsync(pair, options);
            // Tickets come behind the handshake, with the first bytes.
            await pair.Server.SayAsync("hello");
            Assert.Equal("hello", await pair.Client.HearAsync(5));
            resumed.Add(pair.Server.Session!.IsResumed);
            await pair.Client.CloseSendingAsync();
        }
        Assert.Equal([false, true, true], resumed);
    }

    [Fact]
    public async Task Keys_for_a_binding_are_the_connections_own()
    {
        await using var first = await SocketPair.ConnectAsync();
        await using var second = await SocketPair.ConnectAsync();
        Assert.Null(first.Server.Binding(TlsBinding.Exporter));
        await StartTlsAsync(first);
        await StartTlsAsync(second);
        Assert.Equal(32, first.Server.Binding(TlsBinding.Exporter)!.Length);
        Assert.Equal(first.Server.Binding(TlsBinding.Exporter), first.Server.Binding(TlsBinding.Exporter));
        Assert.NotEqual(first.Server.Binding(TlsBinding.Exporter), second.Server.Binding(TlsBinding.Exporter));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    public async Task A_first_message_of_up_to_16_KiB_is_answered(int more)
    {
        await using var pair = await SocketPair.ConnectAsync();
        var server = StartTlsAsync(pair.Server);
        await pair.Client.Socket.SendAsync(ClientHello.OfLength(16 * 1024 + more));
        var answer = new byte[5];
        Assert.NotEqual(0, await pair.Client.Socket.ReceiveAsync(answer).WaitAsync(TestBytes.Patience));
        Assert.Equal(22, answer[0]);
        pair.Client.Socket.Close();
        await Assert.ThrowsAnyAsync<Exception>(() => server.WaitAsync(TestBytes.Patience));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_longer_one_ends_the_handshake_whatever_records_it_comes_in(bool inPieces)
    {
        await using var pair = await SocketPair.ConnectAsync();
        var server = StartTlsAsync(pair.Server);
        await pair.Client.Socket.SendAsync(inPieces ? ClientHello.InPieces(40 * 1024) : ClientHello.OfLength(16 * 1024 + 1));
        var failed = await Assert.ThrowsAsync<AuthenticationException>(() => server.WaitAsync(TestBytes.Patience));
        Assert.Contains("16384 bytes", failed.Message, StringComparison.Ordinal);
        Assert.False(pair.Server.IsSecure);
    }

    [Fact]
    public async Task Below_TLS_1_3_there_are_no_keys_for_a_binding()
    {
        await using var pair = await SocketPair.ConnectAsync();
        var options = TrustingAnybody();
        options.EnabledSslProtocols = SslProtocols.Tls12;
        await StartTlsAsync(pair, options);
        Assert.Equal(SslProtocols.Tls12, pair.Client.Tls!.SslProtocol);
        Assert.Null(pair.Server.Binding(TlsBinding.Exporter));
    }
}

/// <summary>With .NET's TLS.</summary>
public sealed class RuntimeTlsTests() : TlsConnectionTests(isDirect: false);

public abstract class TlsConnectionTests : IDisposable
{
    // Of the right form, and of no key.
    private static readonly byte[] NoRecord = [23, 3, 3, 0, 20, .. Enumerable.Range(1, 20).Select(static number => (byte)number)];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private readonly ServerCertificate _certificate;

    protected TlsConnectionTests(bool isDirect) => _certificate = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost", "127.0.0.1"], isDirect);

    public void Dispose()
    {
        _certificate.Dispose();
        _directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
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
        await pair.Server.StartTlsServerAsync(_certificate, CancellationToken.None, keepUnread: true);
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
        await Task.WhenAll(agreed.Server.StartTlsServerAsync(_certificate, CancellationToken.None),
            agreed.Client.StartTlsClientAsync(options, CancellationToken.None));
        Assert.Equal("imap", agreed.Client.Tls!.NegotiatedApplicationProtocol.ToString());

        await using var refused = await SocketPair.ConnectAsync();
        var other = TrustingAnybody();
        other.ApplicationProtocols = [SslApplicationProtocol.Http11];
        var client = refused.Client.StartTlsClientAsync(other, CancellationToken.None);
        await Assert.ThrowsAnyAsync<AuthenticationException>(() => refused.Server.StartTlsServerAsync(_certificate, CancellationToken.None));
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
        var server = pair.Server.StartTlsServerAsync(_certificate, CancellationToken.None);
        // Debian's OpenSSL may refuse at the client already; then the server sees it leave.
        await Assert.ThrowsAnyAsync<Exception>(() => client);
        pair.Client.Abort();
        await Assert.ThrowsAnyAsync<Exception>(() => server);
        Assert.False(pair.Server.IsSecure);
    }

    [Fact]
    public async Task Handshake_and_records_may_come_byte_by_byte()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await using var slow = new ByteByByte(pair.Client.Stream);
        await using var client = new SslStream(slow, leaveInnerStreamOpen: true);
        await Task.WhenAll(pair.Server.StartTlsServerAsync(_certificate, CancellationToken.None), client.AuthenticateAsClientAsync(TrustingAnybody())).WaitAsync(TestBytes.Patience);
        await client.WriteAsync("hello"u8.ToArray());
        Assert.Equal("hello", await pair.Server.HearAsync(5));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16 * 1024)]
    [InlineData(16 * 1024 + 1)]
    [InlineData(1_000_000)]
    public async Task Writes_of_any_length_arrive_whole_both_ways(int length)
    {
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair);
        var text = string.Concat(Enumerable.Range(0, length).Select(static i => (char)('a' + i % 26)));
        var both = await Task.WhenAll(Both(pair.Client, pair.Server), Both(pair.Server, pair.Client)).WaitAsync(TestBytes.Patience);
        Assert.All(both, heard => Assert.Equal(text, heard));

        async Task<string> Both(Connection from, Connection to)
        {
            var saying = from.SayAsync(text);
            var heard = await to.HearAsync(length);
            await saying;
            return heard;
        }
    }

    [Fact]
    public async Task Who_says_that_nothing_more_comes_can_still_be_told_something()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair);
        await pair.Client.SayAsync("bye");
        await pair.Client.CloseSendingAsync();
        Assert.Equal("bye", await pair.Server.HearAsync(3));
        Assert.True((await pair.Server.Input.ReadAsync()).IsCompleted);
        await pair.Server.SayAsync("good bye");
        await pair.Server.CloseSendingAsync();
        Assert.Equal("good bye", await pair.Client.HearAsync(8));
        Assert.True((await pair.Client.Input.ReadAsync()).IsCompleted);
    }

    [Fact]
    public async Task Beside_a_loop_the_end_of_the_runtimes_TLS_is_that_of_TCP_alone_since_a_read_may_be_under_way()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair);
        var reading = pair.Client.Input.ReadAsync().AsTask();
        await pair.Client.CloseSendingAsync();
        Assert.Equal(0, await pair.Server.Socket.ReceiveAsync(new byte[1]).WaitAsync(TestBytes.Patience));
        Assert.False(reading.IsCompleted);
        pair.Server.Abort();
        await Assert.ThrowsAsync<IOException>(() => reading);
    }

    [Fact]
    public async Task What_is_no_record_ends_the_connection_and_nothing_of_it_is_seen()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair);
        await pair.Client.Socket.SendAsync(NoRecord);
        await Assert.ThrowsAsync<IOException>(async () => await pair.Server.Input.ReadAsync());
        await Assert.ThrowsAsync<IOException>(async () => await pair.Server.SayAsync("hello"));
    }

    [Fact]
    public async Task What_is_no_record_does_not_keep_the_connection_from_being_closed()
    {
        await using var pair = await SocketPair.ConnectAsync();
        await StartTlsAsync(pair);
        await pair.Client.Socket.SendAsync(NoRecord);
        await Assert.ThrowsAsync<IOException>(async () => await pair.Server.Input.ReadAsync());
        await pair.Server.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => pair.Server.Socket.Available);
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_handshake_is_lost()
    {
        await using var pair = await SocketPair.ConnectAsync();
        var server = pair.Server.StartTlsServerAsync(_certificate, CancellationToken.None);
        await pair.Client.Socket.SendAsync(new byte[] { 22, 3, 1, 2, 0 });
        pair.Client.Socket.Close();
        await Assert.ThrowsAsync<IOException>(() => server.WaitAsync(TestBytes.Patience));
        Assert.False(pair.Server.IsSecure);
    }

    [Fact]
    public async Task The_certificate_that_was_shown_can_be_bound_to()
    {
        await using var pair = await SocketPair.ConnectAsync();
        Assert.Null(pair.Server.Binding(TlsBinding.ServerEndPoint));
        await StartTlsAsync(pair);
        Assert.Equal(_certificate.Fingerprint, Convert.ToHexString(pair.Server.Binding(TlsBinding.ServerEndPoint)!));
    }

    [Fact]
    public async Task P10_so_many_handshakes_are_at_work_at_once_and_the_next_one_waits_for_its_turn()
    {
        for (var i = 0; i < 4 * Environment.ProcessorCount; i++) Assert.True(_certificate.Turns.EnterAsync(CancellationToken.None).IsCompletedSuccessfully);
        await using var late = await SocketPair.ConnectAsync();
        // It takes some milliseconds where there is a turn.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        var shaking = late.Client.StartTlsClientAsync(TrustingAnybody(), CancellationToken.None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => late.Server.StartTlsServerAsync(_certificate, patience.Token).WaitAsync(TestBytes.Patience));
        Assert.False(late.Server.IsSecure);
        late.Server.Abort();
        await Assert.ThrowsAnyAsync<Exception>(() => shaking);

        _certificate.Turns.Leave();
        for (var i = 0; i < 3; i++)
        {
            await using var pair = await SocketPair.ConnectAsync();
            await StartTlsAsync(pair);
            Assert.True(pair.Server.IsSecure);
        }
        // Each has given it back, and not more than that.
        Assert.True(_certificate.Turns.EnterAsync(CancellationToken.None).IsCompletedSuccessfully);
        Assert.False(_certificate.Turns.EnterAsync(CancellationToken.None).IsCompleted);
    }

    private protected Task StartTlsAsync(Connection server) => server.StartTlsServerAsync(_certificate, CancellationToken.None);

    private protected Task StartTlsAsync(SocketPair pair, SslClientAuthenticationOptions? options = null) => Task.WhenAll(
        pair.Server.StartTlsServerAsync(_certificate, CancellationToken.None),
        pair.Client.StartTlsClientAsync(options ?? TrustingAnybody(), CancellationToken.None)).WaitAsync(TestBytes.Patience);

    protected static SslClientAuthenticationOptions TrustingAnybody() => new()
    {
        TargetHost = "localhost",
#pragma warning disable CA5359 // The certificate is the test's own.
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
    };
}
