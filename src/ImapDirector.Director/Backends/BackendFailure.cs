namespace ImapDirector.Director.Backends;

/// <summary>Every way a login at a node can fail. The client is told <c>NO [UNAVAILABLE]</c> in each case; logs and metrics say which.</summary>
internal enum BackendFailure
{
    /// <summary>It did not fail.</summary>
    None,
    /// <summary>Nobody listens at the node's address.</summary>
    Refused,
    /// <summary>The connection was reset.</summary>
    Reset,
    /// <summary>The node's name is not known, or there is no way to its address.</summary>
    Unreachable,
    /// <summary>No connection within <see cref="DirectorOptions.BackendConnectTimeout"/>.</summary>
    ConnectTimeout,
    /// <summary>Connected, but without TLS, a greeting and what the node offers within <see cref="DirectorOptions.BackendConnectTimeout"/>.</summary>
    GreetingTimeout,
    /// <summary>Too many logins at this node wait for their turn, or this one has waited too long.</summary>
    Crowded,
    /// <summary>No login within <see cref="DirectorOptions.BackendLoginTimeout"/>.</summary>
    LoginTimeout,
    /// <summary>The TLS handshake failed, or the certificate is not the node's (limits R4).</summary>
    TlsFailed,
    /// <summary>STARTTLS is configured and the node refused it.</summary>
    StartTlsRefused,
    /// <summary>The node closed the connection without a word.</summary>
    Closed,
    /// <summary>The node said <c>* BYE</c>.</summary>
    Bye,
    /// <summary>The node wrote a line over the limit (limits R3).</summary>
    LineTooLong,
    /// <summary>The node wrote more lines than the limit (limits R3).</summary>
    TooManyLines,
    /// <summary>The node wrote what is no IMAP, or what has no place here: PREAUTH, another's tag, a literal.</summary>
    Nonsense,
    /// <summary>Something came behind the node's answer to STARTTLS, in the clear: not from the node, which has to wait for us.</summary>
    StartTlsInjected,
    /// <summary>The node wants the user's own password (<see cref="NodeLogin.Password"/>), and they have given none, or one that IMAP cannot carry.</summary>
    NoPassword,
    /// <summary>The node does not offer what is configured for it: OAUTHBEARER for assertions; else AUTHENTICATE PLAIN, or LOGIN where that would do.</summary>
    NoMechanism,
    /// <summary>The node refused our credentials or the user.</summary>
    LoginRefused,
    /// <summary>The node says that the user is at another one (RFC 2221), which was not followed.</summary>
    Referred,
    /// <summary>The node was not asked: it has been away for some time.</summary>
    KnownAway,
    /// <summary>The node said that it cannot serve the user now (<c>NO [UNAVAILABLE]</c>, <c>NO [INUSE]</c>, <c>NO [LIMIT]</c>).</summary>
    Unavailable,
}
