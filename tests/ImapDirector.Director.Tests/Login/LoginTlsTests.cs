using System.Net.Security;
using ImapDirector.Director.Login;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class LoginTlsTests
{
    private const string Stranger = "192.0.2.7";

    [Fact]
    public async Task Behind_STARTTLS_the_offer_is_another_and_passwords_are_taken()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync(Stranger);

        await dialogue.Client.PlayAsync("C: a STARTTLS", "S: a OK Begin TLS negotiation now.");
        await dialogue.Client.SecureAsync();
        await dialogue.Client.PlayAsync("C: b CAPABILITY");
        var offer = await dialogue.Client.ReadLineAsync();
        await dialogue.Client.PlayAsync("S: b OK CAPABILITY completed.", "C: c LOGIN alice secret", "S: c NO [AUTHENTICATIONFAILED] …");

        Assert.EndsWith(" IDLE AUTH=PLAIN AUTH=LOGIN", offer);
        Assert.Equal([("login", "alice", "secret")], dialogue.Attempts);
    }

    [Theory]
    [InlineData("a STARTTLS\r\nb NOOP\r\n")]
    [InlineData("a STARTTLS\r\nb LOGIN alice secret\r\n")]
    [InlineData("a STARTTLS\r\nb LOGIN {5+}\r\n")]
    public async Task P21_what_came_in_the_clear_behind_STARTTLS_is_never_answered(string injected)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.SendAsync(injected);
        await dialogue.Client.PlayAsync("S: a OK Begin TLS negotiation now.");
        await dialogue.Client.SecureAsync();
        await dialogue.Client.SendAsync("c NOOP\r\n");

        Assert.Equal("c OK NOOP completed.", await dialogue.Client.ReadLineAsync());
        Assert.Empty(dialogue.Attempts);
    }

    [Fact]
    public async Task P21_plain_commands_in_the_place_of_a_handshake_end_the_connection_without_an_answer()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();
        await dialogue.Client.PlayAsync("C: a STARTTLS", "S: a OK Begin TLS negotiation now.");

        await dialogue.Client.SendAsync("b NOOP\r\nc LOGIN alice secret\r\n");

        Assert.DoesNotContain("OK", await dialogue.Client.ReadToEndAsync());
        await AssertTlsFailedAsync(dialogue);
    }

    [Fact]
    public async Task P21_a_second_STARTTLS_is_bad()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.PlayAsync("C: a STARTTLS", "S: a OK …");
        await dialogue.Client.SecureAsync();

        await dialogue.Client.PlayAsync("C: b STARTTLS", "S: b BAD TLS is active already.", "C: c NOOP", "S: c OK NOOP completed.");
    }

    [Fact]
    public async Task P21_bad_commands_before_the_handshake_still_count_behind_it()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.PlayAsync("C: a XYZZY", "S: a BAD …", "C: b XYZZY", "S: b BAD …", "C: c STARTTLS", "S: c OK …");
        await dialogue.Client.SecureAsync();

        await dialogue.Client.PlayAsync("C: d XYZZY", "S: d BAD …", "S: * BYE Too many bad commands.");
    }

    [Fact]
    public async Task On_the_TLS_port_the_greeting_comes_behind_the_handshake()
    {
        await using var dialogue = await DialogueUnderTest.StartAsync(Stranger, isImplicitTls: true);

        await dialogue.Client.SecureAsync(new SslApplicationProtocol("imap"));

        Assert.EndsWith(" AUTH=PLAIN AUTH=LOGIN] ImapDirector ready.", await dialogue.Client.ReadLineAsync());
    }

    [Fact]
    public async Task P22_a_client_that_wants_another_protocol_is_turned_away_in_the_handshake()
    {
        await using var dialogue = await DialogueUnderTest.StartAsync(isImplicitTls: true);

        await Assert.ThrowsAnyAsync<Exception>(() => dialogue.Client.SecureAsync(SslApplicationProtocol.Http11, SslApplicationProtocol.Http2));

        await AssertTlsFailedAsync(dialogue);
    }

    [Fact]
    public async Task P10_a_handshake_that_does_not_go_on_is_given_up()
    {
        await using var dialogue = await DialogueUnderTest.StartAsync(isImplicitTls: true, with: options => options with { HandshakeTimeout = TimeSpan.FromMilliseconds(200) });

        // The beginning of a ClientHello, and nothing behind it.
        await dialogue.Client.SendAsync([22, 3, 1, 2, 0]);

        await AssertTlsFailedAsync(dialogue);
    }

    [Theory]
    [InlineData(true, 1000)]
    [InlineData(false, 20)]
    public async Task P10_clients_that_never_go_on_do_not_keep_others_from_their_handshake(bool isDirect, int count)
    {
        using var certificate = TestCertificate.Create(isDirect);
        var handshake = new ServerHandshake(certificate, TimeSpan.FromMinutes(5));
        var silent = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => ConnectionPair.CreateAsync()));
        await using var ready = await ConnectionPair.CreateAsync();

        // The beginning of a ClientHello, and nothing behind it.
        await Task.WhenAll(silent.Select(one => one.Client.SendAsync([22, 3, 1, 2, 0])));
        var waiting = silent.Select(one => handshake.RunAsync(one.Server, keepUnread: true, CancellationToken.None)).ToArray();
        var served = handshake.RunAsync(ready.Server, keepUnread: true, CancellationToken.None);
        await ready.Client.SecureAsync();
        await served;

        Assert.DoesNotContain(waiting, static one => one.IsCompleted);
        foreach (var one in silent) one.Client.Socket.Close();
        foreach (var one in waiting) await Assert.ThrowsAsync<SessionEndedException>(() => one);
        await Task.WhenAll(silent.Select(static one => one.DisposeAsync().AsTask()));
    }

    private static async Task AssertTlsFailedAsync(DialogueUnderTest dialogue) =>
        Assert.Equal(SessionEnd.TlsFailed, (await Assert.ThrowsAsync<SessionEndedException>(dialogue.EndAsync)).End);
}
