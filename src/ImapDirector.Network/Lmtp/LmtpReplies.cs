using ImapDirector.Protocol.Lmtp;

namespace ImapDirector.Network.Lmtp;

/// <summary>What an LMTP server says, in one place (RFC 5321 section 4.2.2, RFC 3463).</summary>
internal static class LmtpReplies
{
    public static readonly LmtpReply Reset = new(250, "2.0.0", "Ok");
    public static readonly LmtpReply SenderOk = new(250, "2.1.0", "Sender ok");
    public static readonly LmtpReply CannotVerify = new(252, "2.1.5", "Send some mail, we try to deliver it");
    public static readonly LmtpReply GoAhead = new(354, "", "End data with <CR><LF>.<CR><LF>");
    public static readonly LmtpReply Bye = new(221, "2.0.0", "Bye");

    public static readonly LmtpReply Draining = new(421, "4.3.2", "The server is going down, try again later");
    public static readonly LmtpReply TooSlow = new(421, "4.4.2", "Disconnected for inactivity");
    public static readonly LmtpReply TooManyBadCommands = new(421, "4.7.0", "Too many bad commands");
    public static readonly LmtpReply Fault = new(451, "4.3.0", "Temporary failure, try again later");
    public static readonly LmtpReply TooManyRecipients = new(452, "4.5.3", "Too many recipients, send the rest in another transaction");
    public static readonly LmtpReply NoSpace = new(452, "4.3.1", "The message cannot be kept now, try again later");

    public static readonly LmtpReply LineTooLong = new(500, "5.5.2", "Line too long");
    public static readonly LmtpReply HelloFirst = new(503, "5.5.1", "LHLO first");
    public static readonly LmtpReply MailFirst = new(503, "5.5.1", "MAIL first");
    public static readonly LmtpReply MailTwice = new(503, "5.5.1", "A message has been begun already");
    public static readonly LmtpReply MessageBegun = new(503, "5.5.1", "The message itself has been begun");
    public static readonly LmtpReply NoRecipients = new(503, "5.5.1", "No valid recipients");
    public static readonly LmtpReply TooLarge = new(552, "5.3.4", "The message is larger than this server takes");
    public static readonly LmtpReply BareLineEnd = new(550, "5.6.11", "The message has a CR without LF or an LF without CR");
    public static readonly LmtpReply RecipientNeedsUtf8 = new(553, "5.6.7", "The address needs SMTPUTF8");

    public static LmtpReply Of(LmtpSyntaxError error) => error switch
    {
        LmtpSyntaxError.NoVerb => new(500, "5.5.2", "No command, or one with too long a name"),
        LmtpSyntaxError.Unprintable => new(500, "5.5.2", "A command is a line of UTF-8 without control characters, and ends with CRLF"),
        LmtpSyntaxError.Arguments => new(501, "5.5.4", "Those are not the arguments of this command"),
        LmtpSyntaxError.ParameterValue => new(501, "5.5.4", "A parameter has a bad value, or comes twice"),
        LmtpSyntaxError.UnknownParameter => new(555, "5.5.4", "A parameter is not known here"),
        LmtpSyntaxError.Sender => new(501, "5.1.7", "The sender is no address"),
        LmtpSyntaxError.Recipient => new(501, "5.1.3", "The recipient is no address"),
        LmtpSyntaxError.SenderNeedsUtf8 => RecipientNeedsUtf8,
        _ => new(500, "5.5.1", "Unknown command"),
    };

    /// <summary>Whether the client's own doing is wrong; else it is an address that came to it from somebody else.</summary>
    public static bool IsBadCommand(LmtpSyntaxError error) =>
        error is LmtpSyntaxError.UnknownCommand or LmtpSyntaxError.NoVerb or LmtpSyntaxError.Unprintable or LmtpSyntaxError.Arguments;
}
