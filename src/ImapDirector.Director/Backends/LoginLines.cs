using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol.Sasl;

namespace ImapDirector.Director.Backends;

/// <summary>The lines that log a user in at a node: the first is sent at once, each further one when the node asks for it. Names and passwords are base64 or
/// literals, so that nothing in them can be a command (limits D1). Disposing wipes them.</summary>
internal sealed class LoginLines : IDisposable
{
    private readonly byte[][] _lines;

    private LoginLines(params byte[][] lines) => _lines = lines;

    /// <summary>How many there are, at least one.</summary>
    public int Count => _lines.Length;

    /// <summary>One of them, with its CRLF.</summary>
    public ReadOnlyMemory<byte> this[int index] => _lines[index];

    /// <summary>Those for one user at one node.</summary>
    /// <param name="node">The node, and with whose password one logs in there.</param>
    /// <param name="user">Who is to be logged in.</param>
    /// <param name="tag">The command's tag.</param>
    /// <param name="offers">What the node offers, in upper case.</param>
    /// <param name="token">The assertion that we log in with, or <c>null</c>.</param>
    /// <returns>The lines, or why there are none.</returns>
    public static (BackendFailure Failure, LoginLines? Lines) For(BackendNode node, BackendUser user, string tag, IReadOnlyList<string> offers, string? token)
    {
        // Never a password in its place: whoever takes the place of the node would only have to ask for it.
        if (token is not null)
            return offers.Contains("AUTH=OAUTHBEARER") ? (BackendFailure.None, Sasl("OAUTHBEARER", BearerMessage.Write(user.Name, token), tag, offers)) : (BackendFailure.NoMechanism, null);
        // A NUL would end it early in PLAIN, and no string of IMAP's can hold one.
        if (node.Login == NodeLogin.Password && (user.Password.IsEmpty || user.Password.Span.Contains((byte)0))) return (BackendFailure.NoPassword, null);
        if (offers.Contains("AUTH=PLAIN")) return (BackendFailure.None, Sasl("PLAIN", Plain(node, user), tag, offers));
        // The last resort of RFC 3501: it has no way to name another user than oneself.
        if (node.Login == NodeLogin.Password && !offers.Contains("LOGINDISABLED")) return (BackendFailure.None, Login(user, tag));
        return (BackendFailure.NoMechanism, null);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var line in _lines) CryptographicOperations.ZeroMemory(line);
    }

    private static byte[] Plain(BackendNode node, BackendUser user) => node.Login == NodeLogin.Master
        ? Encoding.UTF8.GetBytes($"{user.Name.Value}\0{node.MasterUser}\0{node.MasterPassword}")
        : [.. Encoding.UTF8.GetBytes($"\0{user.Name.Value}\0"), .. user.Password.Span];

    /// <summary>AUTHENTICATE with one response, which is wiped here.</summary>
    private static LoginLines Sasl(string mechanism, byte[] message, string tag, IReadOnlyList<string> offers)
    {
        var hasInitialResponse = offers.Contains("SASL-IR");
        var command = Encoding.ASCII.GetBytes($"{tag} AUTHENTICATE {mechanism}{(hasInitialResponse ? " " : "\r\n")}");
        var start = hasInitialResponse ? command.Length : 0;
        var line = new byte[start + Base64.GetMaxEncodedToUtf8Length(message.Length) + 2];
        Base64.EncodeToUtf8(message, line.AsSpan(start), out _, out var length);
        CryptographicOperations.ZeroMemory(message);
        "\r\n"u8.CopyTo(line.AsSpan(start + length));
        if (!hasInitialResponse) return new LoginLines(command, line);
        command.CopyTo(line, 0);
        return new LoginLines(line);
    }

    private static LoginLines Login(BackendUser user, string tag)
    {
        var name = Encoding.UTF8.GetBytes(user.Name.Value);
        return new LoginLines(
            Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{tag} LOGIN {{{name.Length}}}\r\n")),
            [.. name, .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $" {{{user.Password.Length}}}\r\n"))],
            [.. user.Password.Span, .. "\r\n"u8]);
    }
}
