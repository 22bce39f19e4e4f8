using System.Text;
using System.Text.RegularExpressions;
using ImapDirector.Protocol.Imap;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ImapDirector.Fuzz.Login;

/// <summary>A director's sessions from the first byte on, over loopback, in front of a node that keeps what it hears.</summary>
[Collection(AloneDefinition.Name)]
public sealed partial class LoginFuzz : IAsyncLifetime
{
    private const int AllocationSlack = 4 * 1024 * 1024;
    private const int AllocationFactor = 64;

    // What a listed director may make operators look at.
    private const string DirectorLoop = "3405 ";

    private DirectorUnderFuzz _director = null!;

    // Tables that are there once belong to no client.
    static LoginFuzz() => MailboxName.TryCreate("e\u0301", out _);

    public async Task InitializeAsync() => _director = await DirectorUnderFuzz.StartAsync();

    public async Task DisposeAsync() => await _director.DisposeAsync();

    [FactIfInstalled("redis-server")]
    public void A_stranger_is_answered_line_by_line_and_a_node_hears_what_comes_behind_a_login_alone()
    {
        var logins = 0;
        Fuzzing.Run(LoginCorpus.Sessions, rounds: 1500, (input, random) =>
        {
            if (input.Length > FuzzedInput.MaxBytes) return;
            var (mode, pieces, _) = FuzzedInput.Of(input);
            var sent = FuzzedInput.Joined(pieces);
            var whole = Play(mode, [sent]);
            if (whole.End == DialogueEnd.LoggedIn) logins++;
            if (FuzzedInput.Cut(pieces, random) is { Count: > 1 } cut) Assert.Equal(whole.Comparable, Play(mode, cut).Comparable);
        }, LoginCorpus.Words);
        Assert.True(logins > 0, "nobody was ever logged in");
    }

    [FactIfInstalled("redis-server")]
    public void Nothing_from_before_a_handshake_counts_behind_it()
    {
        var handshakes = 0;
        Fuzzing.Run(LoginCorpus.Transitions, rounds: 600, (input, random) =>
        {
            if (input.Length > FuzzedInput.MaxBytes) return;
            var (mode, before, after) = FuzzedInput.Of(input);
            if (Play(mode, random.Next(2) == 0 ? [FuzzedInput.Joined(before)] : before, after ?? []).IsSecure) handshakes++;
        }, LoginCorpus.Words);
        Assert.True(handshakes > 0, "nobody has ever shaken hands");
    }

    /// <summary>Plays a session and checks all that can be said of it.</summary>
    /// <param name="mode">How the client is served.</param>
    /// <param name="before">What it sends in the clear.</param>
    /// <param name="after">What it sends after a handshake, where it is asked for one; <c>null</c> to shake no hands.</param>
    private Played Play(LoginMode mode, IReadOnlyList<byte[]> before, IReadOnlyList<byte[]>? after = null)
    {
        var allocated = GC.GetTotalAllocatedBytes();
        using var client = _director.Connect(mode, out var address);
        client.Send(before);
        if (after is not null)
        {
            client.SecureIfAsked();
            if (client.Encrypted is not null) client.Send(after);
        }
        client.ReadToEnd();
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        var (sent, secretly) = (FuzzedInput.Joined(before), FuzzedInput.Joined(after ?? []));
        Assert.True(allocated <= AllocationSlack + AllocationFactor * (sent.Length + secretly.Length), $"{allocated} bytes for {sent.Length} and {secretly.Length}");

        var begun = client.Clear.IndexOf(LoginTranscript.TlsBegun, StringComparison.Ordinal);
        var answers = begun < 0 ? client.Clear : client.Clear[..(begun + LoginTranscript.TlsBegun.Length)];
        // Behind it there is an alert of TLS, or nothing.
        Assert.True(client.Clear.Length == answers.Length || client.Clear[answers.Length] == '\x15', $"in the clear behind STARTTLS: {client.Clear[answers.Length..]}");
        var (end, used) = LoginTranscript.Follow(answers, sent, mode.HasFlag(LoginMode.BehindProxy));
        if (client.Encrypted is { } encrypted)
        {
            Assert.Equal(DialogueEnd.TlsBegun, end);
            (end, used) = LoginTranscript.Follow(encrypted, sent = secretly, isGreeted: true);
        }
        else if (mode is LoginMode.TlsFirst or LoginMode.ManagedTls) Assert.NotEqual(DialogueEnd.LoggedIn, end);
        CheckNode(end, sent, used, mode, address.ToString());
        foreach (var line in (client.Clear + client.Encrypted).Split("\r\n")) Secrets.DemandNoneIn(line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        foreach (var (level, line) in _director.Log.Take())
        {
            Assert.True(level < LogLevel.Error || line.StartsWith(DirectorLoop, StringComparison.Ordinal), line);
            Secrets.DemandNoneInLog(line);
        }
        return new Played(end, ServerChallenge().Replace(answers, "\n+ …\r"), client.Encrypted is not null);
    }

    private void CheckNode(DialogueEnd end, byte[] sent, int used, LoginMode mode, string address)
    {
        var heard = _director.Node.Take();
        if (end != DialogueEnd.LoggedIn)
        {
            Assert.Empty(heard);
            return;
        }
        var login = LoginAtNode().Match(Assert.Single(heard));
        Assert.True(login.Success, heard[0]);
        Assert.Equal($"alice@example.com\0director\0{Secrets.OfMaster}", Encoding.ASCII.GetString(Convert.FromBase64String(login.Groups["login"].Value)));
        Assert.Equal(Encoding.Latin1.GetString(sent, used, sent.Length - used), heard[0][login.Length..]);
        var dialogue = Encoding.Latin1.GetString(sent, 0, used);
        Assert.True(Secrets.Holds(dialogue, Secrets.OfUser) || Secrets.Holds(dialogue, Secrets.OfChief), "without a password nobody is logged in");
        var mayForward = mode.HasFlag(LoginMode.BehindProxy) || (mode.HasFlag(LoginMode.BehindDirector) && Encoding.Latin1.GetString(sent).Contains("x-originating-ip", StringComparison.OrdinalIgnoreCase));
        if (!mayForward) Assert.Equal(address, login.Groups["client"].Value);
    }

    [GeneratedRegex("""
        ^D1 ID \("x-originating-ip" "(?<client>[0-9a-f.:]+)" "x-originating-port" "\d+" "x-connected-ip" "[0-9a-f.:]+" "x-connected-port" "\d+" "x-session-id" "[A-Za-z0-9_-]{16}" "x-proxy-ttl" "[1-4]" "x-client-transport" "(TLS|insecure)"\)\r\nD2 AUTHENTICATE PLAIN (?<login>[A-Za-z0-9+/=]+)\r\n
        """)]
    private static partial Regex LoginAtNode();

    // A nonce and, for who is not there, a salt of the cluster's.
    [GeneratedRegex(@"\n\+ [A-Za-z0-9+/=]{16,}\r")]
    private static partial Regex ServerChallenge();

    private readonly record struct Played(DialogueEnd End, string Comparable, bool IsSecure);
}
