namespace ImapDirector.Director;

/// <summary>A storage node as the director sees it.</summary>
public sealed record BackendNode
{
    /// <summary>The greatest <see cref="Weight"/>.</summary>
    public const int MaxWeight = 1000;

    /// <summary>Its name: what Redis holds. 1 to 64 of <c>a-z 0-9 . - _</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Host name or address.</summary>
    public required string Host { get; init; }

    /// <summary>IMAP port.</summary>
    public int ImapPort { get; init; } = 143;

    /// <summary>LMTP port.</summary>
    public int LmtpPort { get; init; } = 24;

    /// <summary>How the IMAP connection to it is secured.</summary>
    public BackendTls Tls { get; init; } = BackendTls.None;

    /// <summary>The name its certificate must carry; <c>null</c> for <see cref="Host"/>.</summary>
    public string? TlsName { get; init; }

    /// <summary>SHA-256 in hexadecimal of its certificate, or of its public key (SubjectPublicKeyInfo), which outlives the certificate: accept exactly this one
    /// instead of a chain to a trusted root. <c>null</c> for the chain.</summary>
    public string? TlsFingerprint { get; init; }

    /// <summary>Where its HTTP is, such as <c>http://10.0.0.7:1180</c>; <c>null</c> where it has none.</summary>
    public Uri? Http { get; init; }

    /// <summary>Whether each IMAP connection begins with a PROXY header, version 2, which tells the client's address.</summary>
    public bool SendProxyHeader { get; init; }

    /// <summary>The pool it belongs to.</summary>
    public string Pool { get; init; } = "default";

    /// <summary>Its share of new users, 0 (none) to <see cref="MaxWeight"/>.</summary>
    public int Weight { get; init; } = 100;

    /// <summary>What it is.</summary>
    public BackendKind Kind { get; init; }

    /// <summary>Whether it keeps epochs, and believes assertions: one that wants users' passwords is none of ours.</summary>
    internal bool IsBundled => Kind == BackendKind.Bundled && Login == NodeLogin.Master;

    /// <summary>Who logs in at it.</summary>
    public NodeLogin Login { get; init; }

    /// <summary>The same node, where users log in with their own passwords.</summary>
    internal BackendNode AsUsers => Login == NodeLogin.Password ? this : this with { Login = NodeLogin.Password };

    /// <summary>The name under which directors log in at it (SASL PLAIN authentication identity).</summary>
    public string MasterUser { get; init; } = "director";

    /// <summary>The password that goes with it. Never logged. Empty where <see cref="Login"/> is <see cref="NodeLogin.Password"/>, or directors log in with assertions.</summary>
    public string MasterPassword { get; init; } = "";

    /// <summary>Leaves the password out.</summary>
    public override string ToString() => $"{Name} ({Host}:{ImapPort})";
}

/// <summary>How the connection to a node is secured.</summary>
public enum BackendTls
{
    /// <summary>Not at all: loopback or a private network.</summary>
    None,
    /// <summary>STARTTLS before anything else.</summary>
    StartTls,
    /// <summary>TLS from the first byte.</summary>
    Implicit,
}

/// <summary>Who logs in at a node when a user's session is opened there.</summary>
public enum NodeLogin
{
    /// <summary>The director, with the master credentials and the user as authorization identity (SASL PLAIN, RFC 4616).</summary>
    Master,
    /// <summary>The user, with the name and password they have given us.</summary>
    Password,
}
