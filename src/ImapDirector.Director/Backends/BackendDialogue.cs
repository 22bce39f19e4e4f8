using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Assertions;
using ImapDirector.Protocol.Imap;
using ImapDirector.Protocol.Proxy;

namespace ImapDirector.Director.Backends;

/// <summary>The login at a node on a fresh connection: TLS, greeting, ID with the client's facts as Dovecot reads them, and the login itself
/// (<see cref="LoginLines"/>). No byte goes to the node here as the client has sent it (limits D1).</summary>
/// <param name="connection">The connection.</param>
/// <param name="node">Where it leads.</param>
/// <param name="tls">Whom to trust.</param>
/// <param name="assertions">Makes what we log in with at bundled nodes; <c>null</c> where all have master passwords, or nobody is to be logged in.</param>
internal sealed class BackendDialogue(Connection connection, BackendNode node, BackendTlsOptions tls, AssertionIssuer? assertions = null)
{
    private BackendResponseReader _reader = new(connection.Input);
    private IReadOnlyList<string>? _capabilities;
    private int _tag;

    /// <summary>Where the node says that the user is instead, once <see cref="LogInAsync"/> has returned <see cref="BackendFailure.Referred"/>.</summary>
    public LoginReferral? Referral { get; private set; }

    /// <summary>Whether the credentials have left: before that, the login can be tried again without harm.</summary>
    public bool HasSentCredentials { get; private set; }

    /// <summary>What the node offers, fit for clients: to anybody after <see cref="GreetAsync"/>, to this user after <see cref="LogInAsync"/>.</summary>
    public string Capabilities => NodeCapabilities.OfNode(_capabilities ?? []);

    /// <summary>Logs a user in, once <see cref="GreetAsync"/> has returned <see cref="BackendFailure.None"/>.</summary>
    /// <param name="user">Who it is.</param>
    /// <param name="client">What the node is told of the client.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">The connection was lost.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The handshake failed, or the certificate is not the node's.</exception>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<BackendFailure> LogInAsync(BackendUser user, ForwardedClient client, CancellationToken cancellationToken)
    {
        var failure = await AuthenticateAsync(user, client, cancellationToken);
        if (failure == BackendFailure.None && _capabilities is null) failure = await AskCapabilitiesAsync(cancellationToken);
        return failure;
    }

    /// <summary>As far as a login needs no password: TLS, the greeting, and what the node offers.</summary>
    /// <param name="client">For whom; <c>null</c> when it is for nobody but the director.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <inheritdoc cref="LogInAsync" path="/exception" />
    public async Task<BackendFailure> GreetAsync(ForwardedClient? client, CancellationToken cancellationToken)
    {
        if (node.SendProxyHeader)
        {
            ProxyHeaderWriter.Version2(connection.Output, client?.Remote, client?.Local);
            await connection.Output.FlushAsync(cancellationToken);
        }
        if (node.Tls == BackendTls.Implicit) await SecureAsync(cancellationToken);
        var failure = await ReadGreetingAsync(cancellationToken);
        if (failure == BackendFailure.None && node.Tls == BackendTls.StartTls) failure = await StartTlsAsync(cancellationToken);
        return failure == BackendFailure.None && _capabilities is null ? await AskCapabilitiesAsync(cancellationToken) : failure;
    }

    /// <summary>Asks what the node offers, before a login or behind it: some say more to whoever asks.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <inheritdoc cref="LogInAsync" path="/exception" />
    public async Task<BackendFailure> AskCapabilitiesAsync(CancellationToken cancellationToken)
    {
        var tag = NextTag();
        connection.Output.Raw(Encoding.ASCII.GetBytes($"{tag} CAPABILITY\r\n"));
        await connection.Output.FlushAsync(cancellationToken);
        var (failure, answer) = await ReadAnswerAsync(tag, cancellationToken);
        if (failure != BackendFailure.None) return failure;
        return answer is { Kind: BackendResponseKind.Tagged, Status: ImapStatus.Ok } && _capabilities is not null ? BackendFailure.None : BackendFailure.Nonsense;
    }

    private async Task SecureAsync(CancellationToken cancellationToken)
    {
        await connection.StartTlsClientAsync(tls.For(node), cancellationToken);
        // What was said in the clear, by whoever it was, counts for nothing now.
        _reader = new BackendResponseReader(connection.Input);
        _capabilities = null;
    }

    private async Task<BackendFailure> ReadGreetingAsync(CancellationToken cancellationToken)
    {
        var greeting = await _reader.ReadAsync(cancellationToken);
        if (!greeting.IsLine) return FailureOf(greeting.Kind);
        if (greeting.Kind != BackendResponseKind.Untagged) return BackendFailure.Nonsense;
        if (greeting.Status == ImapStatus.Bye) return BackendFailure.Bye;
        // PREAUTH would make us relay to whatever user the node has in mind.
        if (greeting.Status != ImapStatus.Ok) return BackendFailure.Nonsense;
        _capabilities = greeting.Capabilities();
        return BackendFailure.None;
    }

    private async Task<BackendFailure> StartTlsAsync(CancellationToken cancellationToken)
    {
        var tag = NextTag();
        connection.Output.Raw(Encoding.ASCII.GetBytes($"{tag} STARTTLS\r\n"));
        await connection.Output.FlushAsync(cancellationToken);
        var (failure, answer) = await ReadAnswerAsync(tag, cancellationToken);
        if (failure != BackendFailure.None) return failure;
        if (answer!.Kind != BackendResponseKind.Tagged) return BackendFailure.Nonsense;
        if (answer.Status != ImapStatus.Ok) return BackendFailure.StartTlsRefused;
        if (HasUnread()) return BackendFailure.StartTlsInjected;
        await SecureAsync(cancellationToken);
        return BackendFailure.None;
    }

    private async Task<BackendFailure> AuthenticateAsync(BackendUser user, ForwardedClient client, CancellationToken cancellationToken)
    {
        var idTag = Offers("ID") ? NextTag() : null;
        var tag = NextTag();
        // Signing takes longer than others of a loop's should wait.
        if (node.IsBundled && assertions is not null) await PollLoop.LeaveAsync();
        var token = node.IsBundled ? assertions?.Issue(node, user.Name, user.Epoch, client.SessionId, client.Remote.Address, AssertionScope.Imap) : null;
        var (without, lines) = LoginLines.For(node, user, tag, _capabilities!, token);
        if (lines is null) return without;
        using (lines)
        {
            // ID and the login go together: one packet and one round trip for both.
            await SendAsync(idTag is null ? [] : IdCommand(idTag, client), lines[0], cancellationToken);
            if (idTag is not null)
            {
                // A node that will not hear about the client serves it all the same.
                var (failure, answer) = await ReadAnswerAsync(idTag, cancellationToken);
                if (failure != BackendFailure.None) return failure;
                if (answer!.Kind != BackendResponseKind.Tagged) return BackendFailure.Nonsense;
            }
            // What it offers from here on is what counts after login.
            _capabilities = null;
            for (var i = 1; i < lines.Count; i++)
            {
                var (early, request) = await ReadAnswerAsync(tag, cancellationToken);
                if (early != BackendFailure.None) return early;
                if (request!.Kind != BackendResponseKind.Continuation) return RefusalOf(request, user);
                await SendAsync([], lines[i], cancellationToken);
            }
        }
        var (lost, answered) = await ReadAnswerAsync(tag, cancellationToken);
        if (lost != BackendFailure.None) return lost;
        return answered is { Kind: BackendResponseKind.Tagged, Status: ImapStatus.Ok } ? BackendFailure.None : RefusalOf(answered!, user);
    }

    private static byte[] IdCommand(string tag, ForwardedClient client)
    {
        var fields = string.Create(CultureInfo.InvariantCulture,
            $"{tag} ID (\"x-originating-ip\" \"{client.Remote.Address}\" \"x-originating-port\" \"{client.Remote.Port}\" \"x-connected-ip\" \"{client.Local.Address}\" "
            + $"\"x-connected-port\" \"{client.Local.Port}\" \"x-session-id\" \"{client.SessionId}\" \"x-proxy-ttl\" \"{client.HopsLeft - 1}\" "
            + $"\"x-client-transport\" \"{(client.IsSecure ? "TLS" : "insecure")}\")\r\n");
        return Encoding.ASCII.GetBytes(fields);
    }

    // Straight to the stream: a pipe would leave the secret in memory that it lends to the next connection.
    private async Task SendAsync(byte[] before, ReadOnlyMemory<byte> secret, CancellationToken cancellationToken)
    {
        HasSentCredentials = true;
        byte[] together = [.. before, .. secret.Span];
        await connection.Stream.WriteAsync(together, cancellationToken);
        CryptographicOperations.ZeroMemory(together);
    }

    private bool HasUnread()
    {
        if (!connection.Input.TryRead(out var read)) return false;
        connection.Input.AdvanceTo(read.Buffer.Start);
        return !read.Buffer.IsEmpty;
    }

    /// <summary>Reads on to the tagged answer or a continuation request, and takes note of capabilities on the way.</summary>
    private async Task<(BackendFailure Failure, BackendResponse? Answer)> ReadAnswerAsync(string tag, CancellationToken cancellationToken)
    {
        while (true)
        {
            var line = await _reader.ReadAsync(cancellationToken);
            if (!line.IsLine) return (FailureOf(line.Kind), null);
            _capabilities = line.Capabilities() ?? _capabilities;
            switch (line.Kind)
            {
                case BackendResponseKind.Continuation:
                    return (BackendFailure.None, line);
                case BackendResponseKind.Tagged:
                    return line.Tag == tag ? (BackendFailure.None, line) : (BackendFailure.Nonsense, null);
                case BackendResponseKind.Untagged when line.Status == ImapStatus.Bye:
                    return (BackendFailure.Bye, null);
                case BackendResponseKind.Untagged when line.Status == ImapStatus.PreAuth:
                    return (BackendFailure.Nonsense, null);
            }
        }
    }

    private BackendFailure RefusalOf(BackendResponse answer, BackendUser user)
    {
        if (answer.Kind != BackendResponseKind.Tagged || answer.Status == ImapStatus.Ok) return BackendFailure.Nonsense;
        if (answer.Code == "REFERRAL")
        {
            Referral = LoginReferral.Parse(answer.CodeArguments, user.Name);
            return BackendFailure.Referred;
        }
        return answer.Code is "UNAVAILABLE" or "INUSE" or "LIMIT" ? BackendFailure.Unavailable : BackendFailure.LoginRefused;
    }

    private static BackendFailure FailureOf(BackendResponseKind kind) => kind switch
    {
        BackendResponseKind.EndOfStream => BackendFailure.Closed,
        BackendResponseKind.TooLong => BackendFailure.LineTooLong,
        BackendResponseKind.TooMany => BackendFailure.TooManyLines,
        _ => BackendFailure.Nonsense,
    };

    private bool Offers(string capability) => _capabilities?.Contains(capability) == true;

    private string NextTag() => string.Create(CultureInfo.InvariantCulture, $"D{++_tag}");
}
