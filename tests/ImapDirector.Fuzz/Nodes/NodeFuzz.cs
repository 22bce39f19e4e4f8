using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.RegularExpressions;
using ImapDirector.Director;
using ImapDirector.Director.Backends;
using ImapDirector.Fuzz.Login;
using ImapDirector.Network;
using ImapDirector.Network.Tls;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;
using Xunit;

namespace ImapDirector.Fuzz.Nodes;

/// <summary>Which node an input is said by.</summary>
[Flags]
internal enum NodeMode
{
    None = 0,
    StartTls = 1,
    /// <summary>It wants the user's own password.</summary>
    UserPassword = 2,
    /// <summary>It is a bundled one, where directors log in with assertions.</summary>
    Assertions = 4,
}

/// <summary>A director's login at a node that says what it likes.</summary>
[Collection(AloneDefinition.Name)]
public sealed partial class NodeFuzz : IDisposable
{
    private const string StartTls = "D1 STARTTLS\r\n";
    private const int MostHeardBytes = 4096;
    private const int AllocationSlack = 4 * 1024 * 1024;
    private const int AllocationFactor = 64;
    private static readonly UserName Alice = UserName.TryCreate("alice@example.com", null, out var user) ? user : throw new InvalidOperationException("alice is a name");
    private static readonly ForwardedClient Client = new("session", new IPEndPoint(new IPAddress([192, 0, 2, 1]), 40000), new IPEndPoint(new IPAddress([192, 0, 2, 2]), 993), true);

    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("fuzz-").FullName;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly OneThread _thread = new();
    private readonly ServerCertificate _certificate;
    private readonly AssertionIssuer _assertions;
    private readonly KeptLog _log = new();
    private readonly BackendTlsOptions _tls = new(null);

    public NodeFuzz()
    {
        _listener.Start();
        _certificate = ServerCertificate.LoadOrCreateSelfSigned(_directory, ["localhost"]);
        var key = Path.Combine(_directory, "assertions.pem");
        using (var signer = AssertionSigner.Create()) File.WriteAllText(key, signer.ExportPrivatePem());
        _assertions = new AssertionIssuer(new DirectorOptions { Name = "director1" }, key, TimeProvider.System, _log);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _thread.Dispose();
        _certificate.Dispose();
        _log.Dispose();
        System.IO.Directory.Delete(_directory, true);
    }

    [Fact]
    public void Whatever_a_node_says_it_is_told_no_more_than_a_login_needs()
    {
        var logins = 0;
        Fuzzing.Run(NodeCorpus.Dialogues, rounds: 2000, (input, random) =>
        {
            if (input.Length > FuzzedInput.MaxBytes) return;
            var mode = ModeOf(input) & ~NodeMode.StartTls;
            var pieces = FuzzedInput.Of(input).Before;
            var whole = LogIn(mode, [FuzzedInput.Joined(pieces)]);
            if (whole.Failure == BackendFailure.None) logins++;
            if (FuzzedInput.Cut(pieces, random) is { Count: > 1 } cut) Assert.Equal(whole, LogIn(mode, cut));
        }, NodeCorpus.Words);
        Assert.True(logins > 0, "nobody was ever logged in");
    }

    [Fact]
    public void A_node_that_is_to_begin_TLS_hears_no_password_in_the_clear_and_is_not_believed_what_it_said_before()
    {
        var logins = 0;
        Fuzzing.Run(NodeCorpus.Transitions, rounds: 600, (input, _) =>
        {
            if (input.Length > FuzzedInput.MaxBytes) return;
            var (_, before, after) = FuzzedInput.Of(input);
            if (LogIn(ModeOf(input) | NodeMode.StartTls, before, after ?? []).Failure == BackendFailure.None) logins++;
        }, NodeCorpus.Words);
        Assert.True(logins > 0, "nobody was ever logged in");
    }

    private static NodeMode ModeOf(byte[] input) => input.Length == 0 ? default : (NodeMode)(input[0] & 7);

    private Outcome LogIn(NodeMode mode, IReadOnlyList<byte[]> before, IReadOnlyList<byte[]>? after = null)
    {
        var allocated = GC.GetTotalAllocatedBytes();
        var node = NodeOf(mode);
        using var accepted = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        accepted.Connect(_listener.LocalEndpoint);
        var connection = new Connection(_listener.AcceptSocket());
        var dialogue = new BackendDialogue(connection, node, _tls, _assertions);
        var login = _thread.Run(() => LogInAsync(dialogue, connection));
        using var hostile = new HostileNode(accepted, connection, _certificate, login);
        hostile.Say(before);
        if (after is not null)
        {
            hostile.SecureIfAsked();
            if (hostile.Encrypted is not null) hostile.Say(after);
        }
        hostile.End();
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        var (said, secretly) = (Encoding.Latin1.GetString(FuzzedInput.Joined(before)), Encoding.Latin1.GetString(FuzzedInput.Joined(after ?? [])));
        Assert.True(allocated <= AllocationSlack + AllocationFactor * (said.Length + secretly.Length), $"{allocated} bytes for {said.Length} and {secretly.Length}");
        CheckHeard(mode, hostile, said, secretly);
        if (login.Result == BackendFailure.None) Assert.Matches(@"(?i)D\d OK", hostile.Encrypted is null ? said : secretly);
        var known = new NodeCapabilities();
        known.Note("node1", dialogue.Capabilities, isAfterLogin: true);
        Assert.Matches("^[!-~ ]*$", dialogue.Capabilities);
        Assert.Matches("^[!-~ ]*$", known.Common);
        Assert.DoesNotContain(dialogue.Referral?.Host ?? "", char.IsControl);
        foreach (var (_, line) in _log.Take()) Secrets.DemandNoneIn(line);
        return new Outcome(login.Result, dialogue.Capabilities, dialogue.Referral);
    }

    /// <summary>As the connector does.</summary>
    private static async Task<BackendFailure> LogInAsync(BackendDialogue dialogue, Connection connection)
    {
        try
        {
            var failure = await dialogue.GreetAsync(Client, CancellationToken.None);
            return failure == BackendFailure.None
                ? await dialogue.LogInAsync(new BackendUser(Alice, Encoding.ASCII.GetBytes(Secrets.OfUser)) { Epoch = 1 }, Client, CancellationToken.None)
                : failure;
        }
        catch (Exception lost) when (BackendConnector.FailureOf(lost) is not null)
        {
            return lost is AuthenticationException ? BackendFailure.TlsFailed : BackendFailure.Reset;
        }
        finally
        {
            await connection.DisposeAsync();
        }
    }

    private BackendNode NodeOf(NodeMode mode) => new()
    {
        Name = "node1",
        Host = "localhost",
        Kind = mode.HasFlag(NodeMode.Assertions) ? BackendKind.Bundled : BackendKind.Generic,
        Login = mode.HasFlag(NodeMode.UserPassword) ? NodeLogin.Password : NodeLogin.Master,
        MasterPassword = Secrets.OfMaster,
        Tls = mode.HasFlag(NodeMode.StartTls) ? BackendTls.StartTls : BackendTls.None,
        TlsFingerprint = _certificate.Fingerprint,
    };

    private static void CheckHeard(NodeMode mode, HostileNode hostile, string said, string secretly)
    {
        if (mode.HasFlag(NodeMode.StartTls))
        {
            // Behind it there is a handshake, or an alert of TLS.
            var asked = hostile.Clear;
            Assert.True(asked.Length == 0 || (asked.StartsWith(StartTls, StringComparison.Ordinal) && (asked.Length == StartTls.Length || asked[StartTls.Length] is >= '\x14' and <= '\x17')), $"in the clear: {asked}");
            Secrets.DemandNoneIn(hostile.Clear);
            if (hostile.Encrypted is null) return;
        }
        var (heard, offered) = hostile.Encrypted is { } encrypted ? (encrypted, secretly) : (hostile.Clear, said);
        Assert.InRange(heard.Length, 0, MostHeardBytes);
        var lines = heard.Split("\r\n");
        Assert.Equal("", lines[^1]);
        Assert.InRange(lines.Length, 1, 8);
        Assert.All(lines[..^1], static line => Assert.True(line == Secrets.OfUser || LineToNode().IsMatch(line), $"a node is told {line}"));

        var isByAssertion = mode.HasFlag(NodeMode.Assertions) && !mode.HasFlag(NodeMode.UserPassword);
        var isOfUser = mode.HasFlag(NodeMode.UserPassword);
        Assert.True(!Secrets.Holds(heard, Secrets.OfUser) || isOfUser, "the user's password is for whom it is configured");
        Assert.True(!Secrets.Holds(heard, Secrets.OfMaster) || !(isOfUser || isByAssertion), "the master's password is for whom it is configured");
        // In a response code a list ends with the bracket, in a response with the line.
        var offers = Offers().Matches(offered).Select(static match => match.Value.ToUpperInvariant()).SelectMany(static offer => new[] { offer, offer.Split(']')[0] }).ToArray();
        if (heard.Contains("AUTHENTICATE PLAIN", StringComparison.Ordinal)) Assert.Contains(offers, static offer => offer.Contains("AUTH=PLAIN", StringComparison.Ordinal));
        if (heard.Contains("AUTHENTICATE OAUTHBEARER", StringComparison.Ordinal)) Assert.True(isByAssertion && offers.Any(static offer => offer.Contains("AUTH=OAUTHBEARER", StringComparison.Ordinal)));
        if (heard.Contains(" LOGIN {", StringComparison.Ordinal)) Assert.True(isOfUser && offers.Any(static offer => !offer.Split(' ').Contains("LOGINDISABLED")));
    }

    [GeneratedRegex("""
        ^(D[1-5] (CAPABILITY|STARTTLS|ID \("x-originating-ip" "192\.0\.2\.1" [A-Za-z0-9" .-]+\)|AUTHENTICATE (PLAIN|OAUTHBEARER)( [A-Za-z0-9+/=]+)?|LOGIN \{17\})|[A-Za-z0-9+/=]+|alice@example\.com \{13\})$
        """)]
    private static partial Regex LineToNode();

    [GeneratedRegex(@"(?i)CAPABILITY[^\r\n]*")]
    private static partial Regex Offers();

    private readonly record struct Outcome(BackendFailure Failure, string Capabilities, LoginReferral? Referral);
}
