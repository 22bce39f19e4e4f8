namespace ImapDirector.Director;

/// <summary>Why a client's session ended. Each finished session leaves one log line that carries the two-letter code; the codes are an
/// interface (docs/log-reasons.md).</summary>
internal enum SessionEnd
{
    /// <summary><c>XX</c>: a fault of ours; the line before it has the exception.</summary>
    Fault,
    /// <summary><c>PH</c>: a load balancer sent no PROXY header, or a broken one.</summary>
    ProxyHeader,
    /// <summary><c>TM</c>: too many connections that have not logged in, from an address that a PROXY header named.</summary>
    TooManyConnections,
    /// <summary><c>TF</c>: the TLS handshake failed or took too long.</summary>
    TlsFailed,
    /// <summary><c>CL</c>: the client closed before it had logged in.</summary>
    ClientClosedBeforeLogin,
    /// <summary><c>LO</c>: LOGOUT before login.</summary>
    LoggedOut,
    /// <summary><c>LT</c>: no login within <see cref="DirectorOptions.LoginTimeout"/>.</summary>
    LoginTimeout,
    /// <summary><c>LF</c>: too many failed logins on one connection.</summary>
    LoginFailures,
    /// <summary><c>BC</c>: too many bad commands, or too many of any kind, before login; or one over its limits.</summary>
    BadCommands,
    /// <summary><c>DR</c>: the director drained before the login was done.</summary>
    DrainedBeforeLogin,
    /// <summary><c>CC</c>: relayed; the client closed first.</summary>
    ClientClosed,
    /// <summary><c>NC</c>: relayed; the node closed first, as it does after LOGOUT.</summary>
    NodeClosed,
    /// <summary><c>CX</c>: relayed; the connection to the client was lost.</summary>
    ClientLost,
    /// <summary><c>NX</c>: relayed; the connection to the node was lost.</summary>
    NodeLost,
    /// <summary><c>IT</c>: relayed; no byte for <see cref="DirectorOptions.RelayIdleTimeout"/>.</summary>
    Idle,
    /// <summary><c>KI</c>: relayed; the session was told to end, as in a drain.</summary>
    Kicked,
}

/// <summary>The codes of <see cref="SessionEnd"/>.</summary>
internal static class SessionEndCode
{
    public static string Code(this SessionEnd end) => end switch
    {
        SessionEnd.ProxyHeader => "PH",
        SessionEnd.TooManyConnections => "TM",
        SessionEnd.TlsFailed => "TF",
        SessionEnd.ClientClosedBeforeLogin => "CL",
        SessionEnd.LoggedOut => "LO",
        SessionEnd.LoginTimeout => "LT",
        SessionEnd.LoginFailures => "LF",
        SessionEnd.BadCommands => "BC",
        SessionEnd.DrainedBeforeLogin => "DR",
        SessionEnd.ClientClosed => "CC",
        SessionEnd.NodeClosed => "NC",
        SessionEnd.ClientLost => "CX",
        SessionEnd.NodeLost => "NX",
        SessionEnd.Idle => "IT",
        SessionEnd.Kicked => "KI",
        _ => "XX",
    };
}
