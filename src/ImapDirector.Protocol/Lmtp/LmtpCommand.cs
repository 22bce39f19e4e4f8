using System.Text;

namespace ImapDirector.Protocol.Lmtp;

/// <summary>A command of an LMTP client (RFC 2033, RFC 5321 section 4.1).</summary>
public abstract record LmtpCommand
{
    private protected LmtpCommand()
    {
    }
}

/// <summary><c>LHLO</c>: the client introduces itself, and whatever it had begun is forgotten.</summary>
/// <param name="Name">Its name or address literal: letters, digits and <c>. - _ : [ ]</c>, 1 to 255 of them.</param>
public sealed record LhloCommand(string Name) : LmtpCommand;

/// <summary><c>MAIL FROM</c>: a message begins.</summary>
/// <param name="ReversePath">The sender as written between the angle brackets, without a source route; empty for a bounce. Never with a
/// control character, and fit to be written between angle brackets again.</param>
/// <param name="Size">What <c>SIZE</c> announced, in bytes (RFC 1870); <see cref="long.MaxValue"/> for any larger number.</param>
/// <param name="Is8Bit">Whether <c>BODY=8BITMIME</c> was given (RFC 6152).</param>
/// <param name="IsUtf8">Whether <c>SMTPUTF8</c> was given (RFC 6531).</param>
public sealed record MailCommand(string ReversePath, long? Size, bool Is8Bit, bool IsUtf8) : LmtpCommand;

/// <summary><c>RCPT TO</c>: one more recipient.</summary>
/// <param name="Address">The recipient, without a source route and with quotes resolved; the domain may be missing. Never with a control character.</param>
public sealed record RcptCommand(string Address) : LmtpCommand
{
    /// <summary>The value of <c>XASSERTION</c>, our own parameter: what a director says to its node about this recipient. Letters, digits and <c>. - _</c>, at most
    /// <see cref="Assertions.AssertionVerifier.MaxTokenBytes"/> of them; <c>null</c> where there was none.</summary>
    public string? Assertion { get; init; }

    /// <summary>Whether the address needs <c>SMTPUTF8</c>.</summary>
    public bool IsUtf8 => !Ascii.IsValid(Address);
}

/// <summary><c>DATA</c>: the message follows.</summary>
public sealed record DataCommand : LmtpCommand;

/// <summary><c>BDAT</c>: a piece of the message follows (RFC 3030).</summary>
/// <param name="Size">Its bytes, 0 to <see cref="long.MaxValue"/>.</param>
/// <param name="IsLast">Whether the message ends with it.</param>
public sealed record BdatCommand(long Size, bool IsLast) : LmtpCommand;

/// <summary><c>RSET</c>: what was begun is forgotten.</summary>
public sealed record RsetCommand : LmtpCommand;

/// <summary><c>NOOP</c>.</summary>
public sealed record NoopCommand : LmtpCommand;

/// <summary><c>VRFY</c>: a question that is answered to nobody's use.</summary>
public sealed record VrfyCommand : LmtpCommand;

/// <summary><c>QUIT</c>.</summary>
public sealed record QuitCommand : LmtpCommand;

/// <summary>Why a line is no command.</summary>
public enum LmtpSyntaxError
{
    /// <summary>It is one.</summary>
    None,
    /// <summary>A verb that is not known here.</summary>
    UnknownCommand,
    /// <summary>No verb, or one over <see cref="LmtpCommandParser.MaxVerbBytes"/>.</summary>
    NoVerb,
    /// <summary>A control character, a bare CR or LF, or bytes that are no UTF-8.</summary>
    Unprintable,
    /// <summary>Arguments that are missing, too many or not what the command takes.</summary>
    Arguments,
    /// <summary>A parameter with a value that it cannot have, or given twice.</summary>
    ParameterValue,
    /// <summary>A parameter of MAIL or RCPT that was not offered.</summary>
    UnknownParameter,
    /// <summary>The sender is no address.</summary>
    Sender,
    /// <summary>The recipient is no address.</summary>
    Recipient,
    /// <summary>A sender outside ASCII, and no <c>SMTPUTF8</c> with it.</summary>
    SenderNeedsUtf8,
}
