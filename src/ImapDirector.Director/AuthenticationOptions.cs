using ImapDirector.Director.Authentication;

namespace ImapDirector.Director;

/// <summary>How users prove who they are.</summary>
public sealed record AuthenticationOptions
{
    /// <summary>The password databases, asked in this order; at least one.</summary>
    public IReadOnlyList<PasswordDatabaseOptions> Databases { get; init; } = [new RedisDatabaseOptions()];

    /// <summary>What is offered to clients, out of <see cref="KnownMechanisms"/>; LOGIN (the command) goes with PLAIN.</summary>
    public IReadOnlyList<string> Mechanisms { get; init; } = ["PLAIN", "LOGIN"];

    /// <summary>Whether what SCRAM needs is made at a login with the password, for accounts in Redis.</summary>
    public bool MakeScramVerifiers { get; init; }

    /// <summary>The iterations of what is made for SCRAM, and of names that do not exist: 4096 to 1000000. Clients with Cyrus SASL take 65536 at most.</summary>
    public int ScramIterations { get; init; } = 60_000;

    /// <summary>How tokens are checked, for OAUTHBEARER and XOAUTH2.</summary>
    public TokenOptions Tokens { get; init; } = new();

    /// <summary>Who may log in as a user with a password of their own, or <c>null</c> for nobody.</summary>
    public MasterOptions? Masters { get; init; }

    /// <summary>Whether a stored password may be the password itself (<c>{PLAIN}</c>).</summary>
    public bool AllowPlainHashes { get; init; }

    /// <summary>Whether a stored password that costs less to guess at than a new one would is replaced at the next login, where the database is ours to
    /// write.</summary>
    public bool UpgradeHashes { get; init; } = true;

    /// <summary>Memory of a new Argon2id hash, in KiB: 8 for each lane to 262144.</summary>
    public int Argon2MemoryKiB { get; init; } = HashCost.Default.MemoryKiB;

    /// <summary>Passes of a new Argon2id hash: 1 to 16.</summary>
    public int Argon2Iterations { get; init; } = HashCost.Default.Iterations;

    /// <summary>Lanes of a new Argon2id hash: 1 to 16.</summary>
    public int Argon2Lanes { get; init; } = HashCost.Default.Lanes;

    /// <summary>Hashes at work at one time: 1 to 256.</summary>
    public int MaxHashes { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Logins that may wait for theirs, beyond which others are told to come again: 0 to 100000.</summary>
    public int MaxWaitingHashes { get; init; } = 512;

    /// <summary>Every mechanism there is.</summary>
    public static IReadOnlyList<string> KnownMechanisms { get; } = ["PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "OAUTHBEARER", "XOAUTH2", "EXTERNAL"];

    /// <summary>Whether one of those with tokens is.</summary>
    internal bool OffersTokens => Mechanisms.Contains("OAUTHBEARER") || Mechanisms.Contains("XOAUTH2");

    /// <summary>Whether a mechanism is offered, with channel binding or without.</summary>
    internal bool Offers(string mechanism) => Mechanisms.Any(offered => offered == mechanism || offered == mechanism + "-PLUS");
}

/// <summary>A password database, and what its answers mean for those behind it.</summary>
public abstract record PasswordDatabaseOptions
{
    /// <summary>After <em>no such user</em>.</summary>
    public ChainRule OnNoSuchUser { get; init; } = ChainRule.Continue;

    /// <summary>After <em>wrong password</em>.</summary>
    public ChainRule OnWrongPassword { get; init; } = ChainRule.Stop;

    /// <summary>After <em>no answer</em>. When nobody else knows the user either, the login is told to come again, and never that the password is wrong.</summary>
    public ChainRule OnFailure { get; init; } = ChainRule.Stop;
}

/// <summary>Whether the next database is asked.</summary>
public enum ChainRule
{
    /// <summary>It is.</summary>
    Continue,
    /// <summary>It is not: the answer counts.</summary>
    Stop,
}

/// <summary>The accounts in Redis.</summary>
public sealed record RedisDatabaseOptions : PasswordDatabaseOptions;

/// <summary>A file in the form of Dovecot's passwd-file.</summary>
public sealed record PasswdFileOptions : PasswordDatabaseOptions
{
    /// <summary>The file, at most 64 MiB.</summary>
    public required string File { get; init; }
}

/// <summary>An LDAP directory.</summary>
public sealed record LdapDatabaseOptions : PasswordDatabaseOptions
{
    /// <summary><c>ldap://host</c> or <c>ldaps://host</c>, with a port or without.</summary>
    public required Uri Url { get; init; }

    /// <summary>STARTTLS before anything else, on <c>ldap://</c>.</summary>
    public bool StartTls { get; init; }

    /// <summary>Whether passwords may go to a directory elsewhere than on this machine without TLS.</summary>
    public bool AllowPlainText { get; init; }

    /// <summary>PEM certificates that sign the directory's, or <c>null</c> for the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>Whom we are when we search; empty for nobody.</summary>
    public string LookupDn { get; init; } = "";

    /// <summary>The password that goes with it. Never logged.</summary>
    public string LookupPassword { get; init; } = "";

    /// <summary>Where users are searched for; empty where <see cref="UserDn"/> tells it.</summary>
    public string SearchBase { get; init; } = "";

    /// <summary>Which entry is the user's: <c>{user}</c> is the whole name, <c>{local}</c> and <c>{domain}</c> its parts.</summary>
    public string SearchFilter { get; init; } = "(&(objectClass=inetOrgPerson)(mail={user}))";

    /// <summary>The user's distinguished name without a search, with the same placeholders; or <c>null</c> to search.</summary>
    public string? UserDn { get; init; }

    /// <summary>The attribute that holds the hash, which is then compared here; or <c>null</c> to log in to the directory as the user.</summary>
    public string? PasswordAttribute { get; init; }

    /// <summary>An attribute that refuses logins where it is <c>TRUE</c> or <c>1</c>, or <c>null</c>.</summary>
    public string? DisabledAttribute { get; init; }

    /// <summary>Connections kept to it: 1 to 64. Twice as many logins may wait for one.</summary>
    public int MaxConnections { get; init; } = 8;

    /// <summary>What one question may take, all in all: 100 ms to 30 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Leaves the password out.</summary>
    public override string ToString() => Url.ToString();
}

/// <summary>An HTTP service that speaks the protocol of nginx's <c>auth_http</c>.</summary>
public sealed record HttpDatabaseOptions : PasswordDatabaseOptions
{
    /// <summary>Where it is.</summary>
    public required Uri Url { get; init; }

    /// <summary>Whether passwords may go to another machine without TLS.</summary>
    public bool AllowPlainText { get; init; }

    /// <summary>The name of a header that proves to the service who asks, or <c>null</c>.</summary>
    public string? HeaderName { get; init; }

    /// <summary>Its value. Never logged.</summary>
    public string HeaderValue { get; init; } = "";

    /// <summary>PEM certificates that sign the service's, or <c>null</c> for the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>Connections to it: 1 to 256.</summary>
    public int MaxConnections { get; init; } = 16;

    /// <summary>What one question may take, all in all: 100 ms to 30 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Leaves the header out.</summary>
    public override string ToString() => Url.ToString();
}

/// <summary>The user's own node: whom it lets in with this password is let in.</summary>
public sealed record NodeDatabaseOptions : PasswordDatabaseOptions;
