using System.Buffers;
using System.Security.Cryptography;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Login;

/// <summary>The exchange behind AUTHENTICATE PLAIN (RFC 4616) or LOGIN (draft-murchison-sasl-login), with or without an initial response.</summary>
internal sealed class SaslExchange(Connection client, ImapCommandReader reader, AuthenticateCommand command)
{
    // "User Name" and "Password" with a NUL each, as the draft has them and clients expect them.
    private static readonly byte[] AskName = "+ VXNlciBOYW1lAA==\r\n"u8.ToArray();
    private static readonly byte[] AskPassword = "+ UGFzc3dvcmQA\r\n"u8.ToArray();
    private static readonly byte[] AskResponse = "+ \r\n"u8.ToArray();

    /// <summary>Why there is no attempt, once <see cref="RunAsync"/> has returned <c>null</c>.</summary>
    public SaslFailure Failure { get; private set; }

    /// <summary>Runs it.</summary>
    public async ValueTask<LoginAttempt?> RunAsync(CancellationToken cancellationToken) =>
        command.Mechanism == "PLAIN" ? await PlainAsync(cancellationToken) : await LoginAsync(cancellationToken);

    private async ValueTask<LoginAttempt?> PlainAsync(CancellationToken cancellationToken)
    {
        var line = command.InitialResponse ?? await AskAsync(AskResponse, cancellationToken);
        if (line is null) return null;
        try
        {
            if (!SaslCredentials.TryDecode(line, out var message) || !SaslCredentials.TrySplitPlain(message, out var identity, out var user, out var password))
                return Fail(SaslFailure.Malformed);
            // Nobody may ask here to be somebody else (limits P24). A name that does not exist is refused as any other, in the same time.
            return identity.IsEmpty || identity.SequenceEqual(user)
                ? new LoginAttempt(command.Tag, "sasl_plain", user.ToArray(), password.ToArray())
                : new LoginAttempt(command.Tag, "sasl_plain", [], password.ToArray());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(line);
        }
    }

    private async ValueTask<LoginAttempt?> LoginAsync(CancellationToken cancellationToken)
    {
        var nameLine = command.InitialResponse ?? await AskAsync(AskName, cancellationToken);
        if (nameLine is null) return null;
        if (!SaslCredentials.TryDecode(nameLine, out var name)) return Fail(SaslFailure.Malformed);
        var user = name.ToArray();
        var passwordLine = await AskAsync(AskPassword, cancellationToken);
        if (passwordLine is null) return null;
        try
        {
            return SaslCredentials.TryDecode(passwordLine, out var password)
                ? new LoginAttempt(command.Tag, "sasl_login", user, password.ToArray())
                : Fail(SaslFailure.Malformed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(passwordLine);
        }
    }

    private async ValueTask<byte[]?> AskAsync(byte[] prompt, CancellationToken cancellationToken)
    {
        client.Output.Raw(prompt);
        await client.Output.FlushAsync(cancellationToken);
        var line = await reader.ReadLineAsync(cancellationToken);
        if (line.Kind != FrameKind.Command)
        {
            Failure = line.Kind == FrameKind.EndOfStream ? SaslFailure.EndOfStream : SaslFailure.TooLong;
            return null;
        }
        var bytes = line.Bytes.ToArray();
        reader.ForgetFrame();
        if (bytes is not [(byte)'*']) return bytes;
        Failure = SaslFailure.Cancelled;
        return null;
    }

    private LoginAttempt? Fail(SaslFailure failure)
    {
        Failure = failure;
        return null;
    }
}

/// <summary>Why a SASL exchange brought no credentials.</summary>
internal enum SaslFailure
{
    /// <summary>What was sent is no base64, or not what the mechanism sends.</summary>
    Malformed,
    /// <summary>The client sent <c>*</c>.</summary>
    Cancelled,
    /// <summary>A response over the limit (limits P2).</summary>
    TooLong,
    /// <summary>The client closed.</summary>
    EndOfStream,
}
