namespace ImapDirector.Director.Login;

/// <summary>What the director says before login that it, or every bundled node behind it, can do. After login the node speaks for itself.</summary>
internal static class Capabilities
{
    private const string Always = "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE SPECIAL-USE CHILDREN LIST-EXTENDED";
    private const string Passwords = " AUTH=PLAIN AUTH=LOGIN";

    /// <summary>With TLS active.</summary>
    public const string Secure = Always + Passwords;

    /// <summary>Without TLS, from where a password may come in the clear.</summary>
    public const string PlainAllowed = Always + " STARTTLS" + Passwords;

    /// <summary>Without TLS, where a password may not be sent (limits P20).</summary>
    public const string TlsFirst = Always + " STARTTLS LOGINDISABLED";
}
