using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Director.Backends;

/// <summary>The login at a node on a fresh connection: TLS, greeting, ID with the client's facts as Dovecot reads them, AUTHENTICATE PLAIN
/// with the master credentials and the user as authorization identity (RFC 4616). No byte of the client's goes to the node here (limits D1).</summary>
internal sealed class BackendDialogue(Connection connection, BackendNode node)
{
    // A director behind a director behind a director: after this many hops it is a loop (limits D7).
    private const int ProxyHopsLeft = 4;

    private BackendResponseReader _reader = new(connection.Input);
    private IReadOnlyList<string>? _capabilities;
    private int _tag;

    /// <summary>Whether the credentials have left: before that, the login can be tried again without harm.</summary>
    public bool HasSentCredentials { get; private set; }

    /// <summary>What the node offers this user, once <see cref="LogInAsync"/> has returned <see cref="BackendFailure.None"/>.</summary>
    public string Capabilities => string.Join(' ', (_capabilities ?? []).Where(IsForClients).Select(AsClientsKnowIt));

    /// <summary>Logs a user in.</summary>
    /// <param name="user">Whose mail it is to be.</param>
    /// <param name="client">What the node is told of the client.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">The connection was lost.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The handshake failed, or the certificate is not the node's.</exception>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async Task<BackendFailure> LogInAsync(UserName user, ForwardedClient client, CancellationToken cancellationToken)
    {
        var failure = await GreetAsync(cancellationToken);
        if (failure == BackendFailure.None && _capabilities is null) failure = await AskCapabilitiesAsync(cancellationToken);
        if (failure == BackendFailure.None) failure = await AuthenticateAsync(user, client, cancellationToken);
        if (failure == BackendFailure.None && _capabilities is null) failure = await AskCapabilitiesAsync(cancellationToken);
        return failure;
    }

    /// <summary>As far as the login needs nobody: TLS and the greeting.</summary>
    /// <inheritdoc cref="LogInAsync" path="/exception" />
    public async Task<BackendFailure> GreetAsync(CancellationToken cancellationToken)
    {
        if (node.Tls == BackendTls.Implicit) await SecureAsync(cancellationToken);
        var failure = await ReadGreetingAsync(cancellationToken);
        return failure == BackendFailure.None && node.Tls == BackendTls.StartTls ? await StartTlsAsync(cancellationToken) : failure;
    }

    private async Task SecureAsync(CancellationToken cancellationToken)
    {
        await connection.StartTlsClientAsync(BackendTlsOptions.For(node), cancellationToken);
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
        await SecureAsync(cancellationToken);
        return BackendFailure.None;
    }

    private async Task<BackendFailure> AskCapabilitiesAsync(CancellationToken cancellationToken)
    {
        var tag = NextTag();
        connection.Output.Raw(Encoding.ASCII.GetBytes($"{tag} CAPABILITY\r\n"));
        await connection.Output.FlushAsync(cancellationToken);
        var failure = await ReadOkAsync(tag, cancellationToken);
        return failure == BackendFailure.None && _capabilities is null ? BackendFailure.Nonsense : failure;
    }

    private async Task<BackendFailure> AuthenticateAsync(UserName user, ForwardedClient client, CancellationToken cancellationToken)
    {
        if (!Offers("AUTH=PLAIN")) return BackendFailure.NoPlainMechanism;
        // ID and AUTHENTICATE go together: one round trip for both.
        var idTag = Offers("ID") ? NextTag() : null;
        if (idTag is not null) WriteId(idTag, client);
        var hasInitialResponse = Offers("SASL-IR");
        var tag = NextTag();
        connection.Output.Raw(Encoding.ASCII.GetBytes($"{tag} AUTHENTICATE PLAIN"));
        if (hasInitialResponse)
        {
            connection.Output.Raw(" "u8);
            WriteCredentials(user);
        }
        connection.Output.EndLine();
        await connection.Output.FlushAsync(cancellationToken);

        if (idTag is not null)
        {
            // A node that will not hear about the client serves it all the same.
            var (failure, answer) = await ReadAnswerAsync(idTag, cancellationToken);
            if (failure != BackendFailure.None) return failure;
            if (answer!.Kind != BackendResponseKind.Tagged) return BackendFailure.Nonsense;
        }
        // What it offers from here on is what counts after login.
        _capabilities = null;
        if (!hasInitialResponse)
        {
            var (early, request) = await ReadAnswerAsync(tag, cancellationToken);
            if (early != BackendFailure.None) return early;
            if (request!.Kind != BackendResponseKind.Continuation) return RefusalOf((BackendResponse)request);
            WriteCredentials(user);
            connection.Output.EndLine();
            await connection.Output.FlushAsync(cancellationToken);
        }
        return await ReadOkAsync(tag, cancellationToken);
    }

    private void WriteId(string tag, ForwardedClient client)
    {
        var output = connection.Output;
        output.Raw(Encoding.ASCII.GetBytes($"{tag} ID ("));
        WriteField("x-originating-ip", client.Remote.Address.ToString(), isFirst: true);
        WriteField("x-originating-port", client.Remote.Port.ToString(CultureInfo.InvariantCulture));
        WriteField("x-connected-ip", client.Local.Address.ToString());
        WriteField("x-connected-port", client.Local.Port.ToString(CultureInfo.InvariantCulture));
        WriteField("x-session-id", client.SessionId);
        WriteField("x-proxy-ttl", ProxyHopsLeft.ToString(CultureInfo.InvariantCulture));
        WriteField("x-client-transport", client.IsSecure ? "TLS" : "insecure");
        output.Raw(")\r\n"u8);
    }

    private void WriteField(string name, string value, bool isFirst = false)
    {
        if (!isFirst) connection.Output.Raw(" "u8);
        connection.Output.String(Encoding.ASCII.GetBytes(name));
        connection.Output.Raw(" "u8);
        connection.Output.String(Encoding.ASCII.GetBytes(value));
    }

    private void WriteCredentials(UserName user)
    {
        HasSentCredentials = true;
        var message = Encoding.UTF8.GetBytes($"{user.Value}\0{node.MasterUser}\0{node.MasterPassword}");
        var encoded = new byte[System.Buffers.Text.Base64.GetMaxEncodedToUtf8Length(message.Length)];
        System.Buffers.Text.Base64.EncodeToUtf8(message, encoded, out _, out var length);
        connection.Output.Raw(encoded.AsSpan(0, length));
        CryptographicOperations.ZeroMemory(message);
        CryptographicOperations.ZeroMemory(encoded);
    }

    private async Task<BackendFailure> ReadOkAsync(string tag, CancellationToken cancellationToken)
    {
        var (failure, answer) = await ReadAnswerAsync(tag, cancellationToken);
        if (failure != BackendFailure.None) return failure;
        return answer is { Kind: BackendResponseKind.Tagged, Status: ImapStatus.Ok } ? BackendFailure.None : RefusalOf((BackendResponse)answer!);
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

    private static BackendFailure RefusalOf(BackendResponse answer)
    {
        if (answer.Kind != BackendResponseKind.Tagged || answer.Status == ImapStatus.Ok) return BackendFailure.Nonsense;
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

    // Not every client compares these in any case of letters, as it should.
    private static string AsClientsKnowIt(string capability) => capability switch
    {
        "IMAP4REV1" => "IMAP4rev1",
        "IMAP4REV2" => "IMAP4rev2",
        _ => capability,
    };

    // A compressed session could not be told to end, and what belongs before login is the director's to offer.
    private static bool IsForClients(string capability) =>
        capability.All(static letter => char.IsAsciiLetterOrDigit(letter) || "+-=/.:_,;@&|<>!?~'#$^`".Contains(letter, StringComparison.Ordinal))
        && !capability.StartsWith("COMPRESS=", StringComparison.Ordinal)
        && !capability.StartsWith("AUTH=", StringComparison.Ordinal)
        && capability is not ("STARTTLS" or "LOGINDISABLED");
}
