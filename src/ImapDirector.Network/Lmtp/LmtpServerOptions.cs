namespace ImapDirector.Network.Lmtp;

/// <summary>Settings of an <see cref="LmtpServerSession"/>.</summary>
/// <param name="ServerName">How it calls itself.</param>
/// <param name="MaxMessageBytes">The largest message, in bytes (limits N5).</param>
/// <param name="SpoolDirectory">Where large messages wait while they come in.</param>
public sealed record LmtpServerOptions(string ServerName, long MaxMessageBytes, string SpoolDirectory)
{
    /// <summary>Whether directors may say with RCPT what they know of a recipient (<c>XASSERTION</c>): it is offered to them then, and left to the handler.</summary>
    public bool TakesAssertions { get; init; }

    /// <summary>How long a client may take for its next command, or to take our replies (limits L4). Not reset by a command's first bytes.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a message may take from <c>354</c> to its end (limits L4), and the handler to deliver it: RFC 5321 section 4.5.3.2.6 has
    /// clients wait ten minutes for the replies, and one that gave up sends the message again.</summary>
    public TimeSpan DataTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>What each refused recipient or sender costs once a client had too many of them (limits L3).</summary>
    public TimeSpan RefusalDelay { get; init; } = TimeSpan.FromSeconds(1);
}
