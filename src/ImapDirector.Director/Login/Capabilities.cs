namespace ImapDirector.Director.Login;

/// <summary>What the director says before login: what it does itself, and what every node behind it can do. After login the node speaks for itself.</summary>
internal static class Capabilities
{
    private const string Own = "IMAP4rev1 SASL-IR ID";

    /// <summary>With TLS active; the mechanisms follow.</summary>
    public static string Secure(string common) => Always(common);

    /// <summary>Without TLS, from where a password may come in the clear; the mechanisms follow.</summary>
    public static string PlainAllowed(string common) => Always(common) + " STARTTLS";

    /// <summary>Without TLS, where a password may not be sent (limits P20).</summary>
    public static string TlsFirst(string common) => Always(common) + " STARTTLS LOGINDISABLED";

    private static string Always(string common) => common.Length == 0 ? Own : $"{Own} {common}";
}
