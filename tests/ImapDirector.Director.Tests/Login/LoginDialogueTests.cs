using System.Net;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Director.Login;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class LoginDialogueTests
{
    private const string Stranger = "192.0.2.7";
    private const string Refused = "NO [AUTHENTICATIONFAILED] Authentication failed.";
    private const string Offer = "IMAP4rev1 SASL-IR ID LITERAL+ ENABLE IDLE";

    [Fact]
    public async Task The_commands_of_the_not_authenticated_state_are_answered()
    {
        await using var dialogue = await DialogueUnderTest.StartAsync();

        await dialogue.Client.PlayAsync(
            $"S: * OK [CAPABILITY {Offer} STARTTLS AUTH=PLAIN AUTH=LOGIN] ImapDirector ready.",
            "C: a1 CAPABILITY",
            $"S: * CAPABILITY {Offer} STARTTLS AUTH=PLAIN AUTH=LOGIN",
            "S: a1 OK CAPABILITY completed.",
            "C: a2 noop",
            "S: a2 OK NOOP completed.",
            "C: a3 ID (\"name\" \"<script>\")",
            "S: * ID (\"name\" \"ImapDirector\")",
            "S: a3 OK ID completed.",
            "C: a4 LOGOUT",
            "S: * BYE Logging out.",
            "S: a4 OK LOGOUT completed.",
            "END");

        Assert.Equal(SessionEnd.LoggedOut, await dialogue.EndAsync());
    }

    public static TheoryData<string, string, string, string> Logins => new()
    {
        { "a LOGIN alice secret\r\n", "login", "alice", "secret" },
        { "a login \"alice\" \"se\\\"cr\\\\et\"\r\n", "login", "alice", "se\"cr\\et" },
        { "a LOGIN alice {6+}\r\nsecret\r\n", "login", "alice", "secret" },
        { "a LOGIN {5+}\r\nalice {6+}\r\nse\r\net\r\n", "login", "alice", "se\r\net" },
        { "a LOGIN {5+}\r\nalice \"\"\r\n", "login", "alice", "" },
        { "a LOGIN {4+}\r\n\u00e9\u00fc\u00a0x {2+}\r\n\u00ff\u00fe\r\n", "login", "\u00e9\u00fc\u00a0x", "\u00ff\u00fe" },
        { $"a AUTHENTICATE PLAIN {Base64("\0alice\0secret")}\r\n", "sasl_plain", "alice", "secret" },
        { $"a AUTHENTICATE PLAIN {Base64("alice\0alice\0secret")}\r\n", "sasl_plain", "alice", "secret" },
        { $"a authenticate plain\r\n{Base64("\0alice\0secret")}\r\n", "sasl_plain", "alice", "secret" },
        { $"a AUTHENTICATE LOGIN\r\n{Base64("alice")}\r\n{Base64("secret")}\r\n", "sasl_login", "alice", "secret" },
        { $"a AUTHENTICATE LOGIN {Base64("alice")}\r\n{Base64("secret")}\r\n", "sasl_login", "alice", "secret" },
        { $"a AUTHENTICATE LOGIN =\r\n{Base64("secret")}\r\n", "sasl_login", "", "secret" },
    };

    [Theory, MemberData(nameof(Logins))]
    public async Task A_name_and_a_password_arrive_as_sent_however_they_were_sent(string sent, string mechanism, string user, string password)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.SendAsync(sent);

        Assert.Equal("a " + Refused, (await dialogue.Client.ReadUntilAsync("a"))[^1]);
        Assert.Equal([(mechanism, user, password)], dialogue.Attempts);
    }

    [Theory, MemberData(nameof(Logins))]
    public async Task They_arrive_the_same_byte_by_byte(string sent, string mechanism, string user, string password)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        foreach (var letter in sent) await dialogue.Client.SendAsync(letter.ToString());

        Assert.Equal("a " + Refused, (await dialogue.Client.ReadUntilAsync("a"))[^1]);
        Assert.Equal([(mechanism, user, password)], dialogue.Attempts);
    }

    [Fact]
    public async Task Login_with_literals_waits_for_each_continuation()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.PlayAsync("C: a LOGIN {5}", "S: + OK", "C: alice {6}", "S: + OK", "C: secret", "S: a " + Refused);

        Assert.Equal([("login", "alice", "secret")], dialogue.Attempts);
    }

    [Fact]
    public async Task Authenticate_asks_for_each_response_with_the_mechanisms_own_words()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.PlayAsync(
            "C: a AUTHENTICATE PLAIN", "S: + ", "C: " + Base64("\0alice\0secret"), "S: a " + Refused,
            "C: b AUTHENTICATE LOGIN", "S: + " + Base64("User Name\0"), "C: " + Base64("alice"), "S: + " + Base64("Password\0"), "C: " + Base64("secret"), "S: b " + Refused);
    }

    [Theory]
    [InlineData("PLAIN", 0)]
    [InlineData("LOGIN", 0)]
    [InlineData("LOGIN", 1)]
    public async Task A_client_may_cancel_an_exchange_at_any_step_and_it_does_not_count_as_bad(string mechanism, int after)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        for (var i = 0; i < 5; i++)
        {
            await dialogue.Client.PlayAsync($"C: a{i} AUTHENTICATE {mechanism}", "S: + …");
            for (var step = 0; step < after; step++) await dialogue.Client.PlayAsync("C: " + Base64("alice"), "S: + …");
            await dialogue.Client.PlayAsync("C: *", $"S: a{i} BAD Authentication cancelled.");
        }

        Assert.Empty(dialogue.Attempts);
        await dialogue.Client.PlayAsync("C: b NOOP", "S: b OK NOOP completed.");
    }

    [Theory]
    [InlineData("AUTHENTICATE PLAIN", "!!!!")]
    [InlineData("AUTHENTICATE PLAIN", "AGFs aWNl")]
    [InlineData("AUTHENTICATE PLAIN", "AGFs\taWNl")]
    [InlineData("AUTHENTICATE PLAIN", "AGFsaWNl")]
    [InlineData("AUTHENTICATE PLAIN", "AGFsaWNlAA==")]
    [InlineData("AUTHENTICATE PLAIN", "AABzZWNyZXQ=")]
    [InlineData("AUTHENTICATE PLAIN", "AGEAYgBj")]
    [InlineData("AUTHENTICATE PLAIN", "")]
    [InlineData("AUTHENTICATE PLAIN", "=")]
    [InlineData("AUTHENTICATE LOGIN", "YWxpY2")]
    [InlineData("AUTHENTICATE LOGIN", "\u00ff\u00fe")]
    public async Task A_broken_response_is_bad_and_the_session_goes_on(string command, string response)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.PlayAsync("C: a " + command, "S: + …", "C: " + response, "S: a BAD Broken response.", "C: b NOOP", "S: b OK NOOP completed.");

        Assert.Empty(dialogue.Attempts);
    }

    [Theory]
    [InlineData("a AUTHENTICATE PLAIN \"AGFsaWNlAHNlY3JldA==\"")]
    [InlineData("a AUTHENTICATE PLAIN {2+}\r\nAA")]
    [InlineData("a AUTHENTICATE PLAIN AGE\tAYg==")]
    [InlineData("a LOGIN alice")]
    [InlineData("a LOGIN alice secret more")]
    [InlineData("a LOGIN (alice) secret")]
    [InlineData("a LOGIN alice \"sec\0ret\"")]
    [InlineData("a LOGIN {6+}\r\nali\0ce secret")]
    [InlineData("a SELECT INBOX")]
    [InlineData("a XYZZY")]
    [InlineData("a ID (\"a\" (\"b\"))")]
    [InlineData("a ID ((\"a\" \"b\"))")]
    public async Task What_has_no_place_before_login_is_bad(string command)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.PlayAsync("C: " + command, "S: a BAD …", "C: b NOOP", "S: b OK NOOP completed.");

        Assert.Empty(dialogue.Attempts);
    }

    [Fact]
    public async Task P24_who_asks_to_be_somebody_else_is_taken_for_a_master_and_never_for_the_user()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.PlayAsync($"C: a AUTHENTICATE PLAIN {Base64("bob\0alice\0secret")}", "S: a " + Refused);

        Assert.Equal([("sasl_plain", "alice", "secret")], dialogue.Attempts);
        Assert.Equal(["bob"], dialogue.ActedFor);
    }

    [Fact]
    public async Task An_unknown_mechanism_is_refused()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.PlayAsync("C: a AUTHENTICATE CRAM-MD5", "S: a NO Unsupported mechanism.", "C: b NOOP", "S: b OK NOOP completed.");
    }

    [Theory]
    [InlineData(8192, true)]
    [InlineData(8193, false)]
    public async Task P1_a_line_may_have_8192_bytes(int bytes, bool isTaken)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();
        const string start = "a LOGIN alice ";

        await dialogue.Client.SendAsync(start + new string('x', bytes - start.Length - 2) + "\r\n");

        if (isTaken) await dialogue.Client.PlayAsync("S: a " + Refused);
        else await dialogue.Client.PlayAsync("S: a BAD Command line too long.", "S: * BYE Command line too long.", "END");
    }

    [Theory]
    [InlineData(8192, true)]
    [InlineData(8193, false)]
    public async Task P2_a_response_may_have_8192_bytes(int bytes, bool isTaken)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();
        await dialogue.Client.PlayAsync("C: a AUTHENTICATE PLAIN", "S: + ");

        await dialogue.Client.SendAsync(new string('A', bytes - 2) + "\r\n");

        if (isTaken) await dialogue.Client.PlayAsync("S: a BAD Broken response.", "C: b NOOP", "S: b OK NOOP completed.");
        else await dialogue.Client.PlayAsync("S: a BAD Response too long.", "S: * BYE Response too long.", "END");
    }

    [Theory]
    [InlineData(1023, true)]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    public async Task P4_a_literal_may_have_1024_bytes(int bytes, bool isTaken)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();
        await dialogue.Client.PlayAsync($"C: a LOGIN alice {{{bytes}}}");

        if (isTaken) await dialogue.Client.PlayAsync("S: + OK", "C: " + new string('x', bytes), "S: a " + Refused);
        else await dialogue.Client.PlayAsync("S: a BAD …", "C: b NOOP", "S: b OK NOOP completed.");
    }

    [Theory]
    [InlineData(1024, true)]
    [InlineData(1025, false)]
    [InlineData(2000000000, false)]
    public async Task P4_a_literal_that_does_not_wait_closes_the_connection_when_it_is_larger(int bytes, bool isTaken)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();
        await dialogue.Client.SendAsync($"a LOGIN alice {{{bytes}+}}\r\n" + new string('x', Math.Min(bytes, 2000)) + "\r\n");

        if (isTaken) await dialogue.Client.PlayAsync("S: a " + Refused);
        else await dialogue.Client.PlayAsync("S: * BYE Too much at once.", "END");
    }

    [Theory]
    [InlineData(30, 30, 1024, true)]
    [InlineData(31, 1, 1, false)]
    [InlineData(1, 31, 1, false)]
    [InlineData(1, 1, 1025, false)]
    public async Task P6_ID_has_30_pairs_of_30_and_1024_bytes_at_most(int pairs, int keyBytes, int valueBytes, bool isTaken)
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();
        // All pairs but one are short: the line has its own limit.
        var fields = Enumerable.Repeat("\"k\" NIL", pairs - 1).Append($"\"{new string('k', keyBytes)}\" \"{new string('v', valueBytes)}\"");

        await dialogue.Client.PlayAsync($"C: a ID ({string.Join(' ', fields)})");

        if (isTaken) await dialogue.Client.PlayAsync("S: * ID (\"name\" \"ImapDirector\")", "S: a OK ID completed.");
        else await dialogue.Client.PlayAsync("S: a BAD …", "C: b NOOP", "S: b OK NOOP completed.");
    }

    [Fact]
    public async Task P7_the_third_bad_command_closes_the_connection()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.PlayAsync(
            "C: GET / HTTP/1.1", "S: GET BAD …", "C: a NOOP", "S: a OK NOOP completed.",
            "C: ", "S: * BAD …", "C: b FETCH 1 ALL", "S: b BAD …", "S: * BYE Too many bad commands.", "END");

        Assert.Equal(SessionEnd.BadCommands, await dialogue.EndAsync());
    }

    [Fact]
    public async Task P8_the_hundredth_command_is_answered_and_the_next_closes_the_connection()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        for (var i = 1; i <= 100; i++) await dialogue.Client.PlayAsync($"C: a{i} NOOP", $"S: a{i} OK NOOP completed.");
        await dialogue.Client.PlayAsync("C: a101 NOOP", "S: * BYE Too many commands before login.", "END");

        Assert.Equal(SessionEnd.BadCommands, await dialogue.EndAsync());
    }

    [Fact]
    public async Task P16_the_third_failed_login_closes_the_connection()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.PlayAsync(
            "C: a LOGIN alice x", "S: a " + Refused, "C: b LOGIN alice x", "S: b " + Refused,
            "C: c LOGIN alice x", "S: c " + Refused, "S: * BYE Too many failed logins.", "END");

        Assert.Equal(SessionEnd.LoginFailures, await dialogue.EndAsync());
    }

    [Fact]
    public async Task P17_what_is_pipelined_behind_an_attempt_is_not_looked_at_before_its_answer()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync();

        await dialogue.Client.SendAsync(string.Concat(Enumerable.Range(1, 60).Select(i => $"a{i} LOGIN alice x{i}\r\n")));

        Assert.Equal(
            $"a1 {Refused}\r\na2 {Refused}\r\na3 {Refused}\r\n* BYE Too many failed logins.\r\n", await dialogue.Client.ReadToEndAsync());
        Assert.Equal(["x1", "x2", "x3"], dialogue.Attempts.Select(attempt => attempt.Password));
    }

    [Fact]
    public async Task P20_a_password_in_the_clear_is_refused_and_TLS_offered_instead()
    {
        await using var dialogue = await DialogueUnderTest.StartAsync(Stranger);

        await dialogue.Client.PlayAsync(
            $"S: * OK [CAPABILITY {Offer} STARTTLS LOGINDISABLED] ImapDirector ready.",
            "C: a LOGIN alice secret", "S: a NO [PRIVACYREQUIRED] Use TLS first.",
            $"C: b AUTHENTICATE PLAIN {Base64("\0alice\0secret")}", "S: b NO [PRIVACYREQUIRED] Use TLS first.",
            "C: c AUTHENTICATE LOGIN", "S: c NO [PRIVACYREQUIRED] Use TLS first.", "S: * BYE Too many bad commands.", "END");

        Assert.Empty(dialogue.Attempts);
    }

    [Fact]
    public async Task A_password_in_the_clear_is_taken_where_the_operator_says_so()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync(Stranger, options => options with { AllowPlainTextLogin = true });

        await dialogue.Client.PlayAsync("C: a LOGIN alice secret", "S: a " + Refused);

        Assert.Equal([("login", "alice", "secret")], dialogue.Attempts);
    }

    [Fact]
    public async Task A_password_in_the_clear_is_taken_from_the_networks_that_are_listed()
    {
        await using var dialogue = await DialogueUnderTest.GreetedAsync(Stranger, options => options with { PlainTextNetworks = [IPNetwork.Parse("192.0.2.0/24")] });

        await dialogue.Client.PlayAsync("C: a LOGIN alice secret", "S: a " + Refused);

        Assert.Equal([("login", "alice", "secret")], dialogue.Attempts);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("192.0.2.0/24")]
    public async Task P20_loopback_is_a_network_like_others_where_they_are_listed(string? listed)
    {
        await using var dialogue = await DialogueUnderTest.StartAsync(with: options => options with { PlainTextNetworks = listed is null ? [] : [IPNetwork.Parse(listed)] });

        await dialogue.Client.PlayAsync($"S: * OK [CAPABILITY {Offer} STARTTLS LOGINDISABLED] ImapDirector ready.",
            "C: a LOGIN alice secret", "S: a NO [PRIVACYREQUIRED] Use TLS first.",
            $"C: b AUTHENTICATE PLAIN {Base64("\0alice\0secret")}", "S: b NO [PRIVACYREQUIRED] Use TLS first.");

        Assert.Empty(dialogue.Attempts);
    }

    [Fact]
    public async Task A_client_that_closes_or_is_reset_ends_the_dialogue()
    {
        await using var closes = await DialogueUnderTest.GreetedAsync();
        await closes.Client.SendAsync("a LOGIN {5}\r\n");
        closes.Client.Socket.Shutdown(SocketShutdown.Send);

        Assert.Equal(SessionEnd.ClientClosedBeforeLogin, await closes.EndAsync());
    }

    private static string Base64(string latin1) => Convert.ToBase64String(Encoding.Latin1.GetBytes(latin1));
}
