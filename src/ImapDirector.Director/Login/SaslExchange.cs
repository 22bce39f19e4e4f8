using System.Security.Cryptography;
using ImapDirector.Protocol.Imap;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Login;

/// <summary>The exchange behind AUTHENTICATE PLAIN (RFC 4616) or LOGIN (draft-murchison-sasl-login), with or without an initial response.</summary>
internal sealed class SaslExchange(SaslLines lines, AuthenticateCommand command, DirectorOptions options)
{
    // With a NUL each, as the draft has them and clients expect them.
    private static readonly byte[] AskName = "User Name\0"u8.ToArray();
    private static readonly byte[] AskPassword = "Password\0"u8.ToArray();

    /// <summary>Runs it.</summary>
    /// <returns>The attempt; <c>null</c> when there is none, see <see cref="SaslLines.Failure"/>.</returns>
    public async ValueTask<LoginAttempt?> RunAsync(CancellationToken cancellationToken) =>
        command.Mechanism == "PLAIN" ? await PlainAsync(cancellationToken) : await LoginAsync(cancellationToken);

    private async ValueTask<LoginAttempt?> PlainAsync(CancellationToken cancellationToken)
    {
        var line = command.InitialResponse ?? await lines.AskAsync(default, cancellationToken);
        if (line is null) return null;
        try
        {
            if (!SaslCredentials.TryDecode(line, out var message) || !SaslCredentials.TrySplitPlain(message, out var identity, out var user, out var password))
                return lines.Fail(SaslFailure.Malformed);
            var names = LoginNames.Of(identity, user.ToArray(), options);
            return new LoginAttempt(command.Tag, "sasl_plain", names.Name, password.ToArray()) { ActsFor = names.ActsFor };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(line);
        }
    }

    private async ValueTask<LoginAttempt?> LoginAsync(CancellationToken cancellationToken)
    {
        var nameLine = command.InitialResponse ?? await lines.AskAsync(AskName, cancellationToken);
        if (nameLine is null) return null;
        if (!SaslCredentials.TryDecode(nameLine, out var name)) return lines.Fail(SaslFailure.Malformed);
        var names = LoginNames.Of(default, name.ToArray(), options);
        var passwordLine = await lines.AskAsync(AskPassword, cancellationToken);
        if (passwordLine is null) return null;
        try
        {
            return SaslCredentials.TryDecode(passwordLine, out var password)
                ? new LoginAttempt(command.Tag, "sasl_login", names.Name, password.ToArray()) { ActsFor = names.ActsFor }
                : lines.Fail(SaslFailure.Malformed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(passwordLine);
        }
    }
}
