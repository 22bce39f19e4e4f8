using System.Net;

namespace ImapDirector.Network.Lmtp;

/// <summary>What stands behind an LMTP server session (RFC 2033): the node stores, the director forwards.</summary>
public interface ILmtpHandler
{
    /// <summary>Decides about one RCPT. A 2xx reply adds it to the transaction.</summary>
    ValueTask<LmtpReply> AddRecipientAsync(LmtpTransaction transaction, LmtpRecipient recipient, CancellationToken cancellationToken);

    /// <summary>Delivers the message to every accepted recipient, each on its own.</summary>
    /// <returns>One reply for each of <see cref="LmtpTransaction.Recipients"/>, in that order.</returns>
    ValueTask<IReadOnlyList<LmtpReply>> DeliverAsync(LmtpTransaction transaction, MessageSpool message, CancellationToken cancellationToken);
}

/// <summary>A recipient as RCPT TO gave it.</summary>
/// <param name="Address">The path without its angle brackets, quotes resolved: <c>local@domain</c>.</param>
/// <param name="Assertion">What a director says of it, where it says something and <see cref="LmtpServerOptions.TakesAssertions"/> is set. Good once: what the handler
/// finds in it, it has to remember.</param>
public sealed record LmtpRecipient(string Address, string? Assertion = null)
{
    /// <summary>The epoch of the user's assignment, where the handler has found one.</summary>
    public long? Epoch { get; set; }
}

/// <summary>The envelope of one message.</summary>
public sealed class LmtpTransaction
{
    /// <summary>The connection's id, for logs.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>The sender's address and port.</summary>
    public required IPEndPoint Peer { get; init; }

    /// <summary>What the peer called itself in LHLO.</summary>
    public required string PeerName { get; init; }

    /// <summary>The reverse path without its brackets; empty for a bounce.</summary>
    public required string ReversePath { get; init; }

    /// <summary>Whether <c>SMTPUTF8</c> was given with MAIL.</summary>
    public bool IsUtf8 { get; init; }

    /// <summary>Whether <c>BODY=8BITMIME</c> was given with MAIL.</summary>
    public bool Is8Bit { get; init; }

    /// <summary>The accepted recipients, in order.</summary>
    public List<LmtpRecipient> Recipients { get; } = [];
}

/// <summary>An LMTP reply.</summary>
/// <param name="Code">Three digits, 200 to 599.</param>
/// <param name="Enhanced">The enhanced status code (RFC 3463), such as <c>2.1.5</c>, or empty.</param>
/// <param name="Text">One line of text; control characters are replaced when it is written.</param>
public readonly record struct LmtpReply(int Code, string Enhanced, string Text)
{
    /// <summary>Whether it is a 2xx.</summary>
    public bool IsSuccess => Code is >= 200 and < 300;
}
