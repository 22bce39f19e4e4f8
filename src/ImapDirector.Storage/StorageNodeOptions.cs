using System.Net;
using ImapDirector.Network;
using ImapDirector.Protocol;

namespace ImapDirector.Storage;

/// <summary>The storage node's settings.</summary>
public sealed record StorageNodeOptions
{
    /// <summary>This node's name, as the directors' configuration calls it.</summary>
    public string Name { get; init; } = "node1";

    /// <summary>Where the mail is kept. Made, for its owner only, when it is missing.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Where IMAP listens, for directors.</summary>
    public required IPEndPoint Imap { get; init; }

    /// <summary>Where LMTP listens, for directors (or a mail transfer agent beside the node).</summary>
    public required IPEndPoint Lmtp { get; init; }

    /// <summary>The authentication identity directors log in with (SASL PLAIN, the user as authorization identity).</summary>
    public string MasterUser { get; init; } = "director";

    /// <summary>The password that goes with it, 16 characters at least; <c>null</c> where directors log in with assertions alone. Never logged.</summary>
    public string? MasterPassword { get; init; }

    /// <summary>The public keys of directors whose assertions are believed: a PEM file, or a directory with <c>*.pem</c> files; read again when they change.
    /// <c>null</c> for none.</summary>
    public string? AssertionKeys { get; init; }

    /// <summary>How far directors' clocks may be from this node's.</summary>
    public TimeSpan ClockTolerance { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Addresses besides loopback that may connect, as CIDR networks (limits B3, L7).</summary>
    public IReadOnlyList<IPNetwork> TrustedNetworks { get; init; } = [];

    /// <summary>Whether IMAP from elsewhere than <see cref="PlainTextNetworks"/> needs TLS before login.</summary>
    public bool RequireTls { get; init; } = true;

    /// <summary>From where it needs none all the same.</summary>
    public IReadOnlyList<IPNetwork> PlainTextNetworks { get; init; } = AddressList.Loopback;

    /// <summary>The largest message, in bytes, by APPEND or LMTP (limits N5).</summary>
    public long MaxMessageBytes { get; init; } = 50L * 1024 * 1024;

    /// <summary>What one user's messages may take together, in bytes; 0 is no limit (RFC 9208).</summary>
    public long QuotaBytes { get; init; }

    /// <summary>How many messages one user may keep; 0 is no limit.</summary>
    public long QuotaMessages { get; init; }

    /// <summary>The account whose mailboxes all users of the node see under <c>Shared Folders/</c>, as its access lists allow (RFC 4314); <c>null</c> for none.</summary>
    public string? SharedUser { get; init; }

    /// <summary>Whether users may give rights in their own mailboxes to <c>anyone</c>, which is every user of the node, of whatever domain. The account of
    /// <see cref="SharedUser"/> may always.</summary>
    public bool AllowAnyone { get; init; }

    /// <summary>The account with which a mail submission server logs in to fetch what users have let it send (URLs with <c>submit+</c>, RFC 4467);
    /// <c>null</c> for none.</summary>
    public string? SubmitUser { get; init; }

    /// <summary>A message delivered to the same mailbox again within this time, by its Message-ID, is dropped as a duplicate; zero lets every one in.</summary>
    public TimeSpan DuplicateWindow { get; init; }

    /// <summary>How long the store of a user is kept who has moved to another node; zero: it goes within the hour.</summary>
    public TimeSpan MovedRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Whether clients may compress (COMPRESS=DEFLATE, RFC 4978); <c>null</c>: only where there are no <see cref="AssertionKeys"/>, for behind a director
    /// nobody is told of it (limits N14).</summary>
    public bool? Compress { get; init; }

    /// <summary>A session without a command for this long is closed (RFC 9051 section 5.4: at least 30 minutes).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>A client that takes nothing of our output for this long is closed (limits N2).</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>From the greeting to a successful login (limits P9).</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Before every refusal of a login (limits P14).</summary>
    public TimeSpan FailureDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Connections in all, for IMAP and for LMTP each.</summary>
    public int MaxConnections { get; init; } = 20_000;

    /// <summary>Checks every setting.</summary>
    /// <returns>A sentence for each that is out of its bounds, with the key, the value and the fix, and never a secret; empty when all is well.</returns>
    public IReadOnlyList<string> Validate() => StorageNodeOptionsRules.Check(this);

    /// <summary>Whether clients may compress.</summary>
    internal bool OffersCompression => Compress ?? AssertionKeys is null;

    /// <summary>How often a client is told that its command is still at work.</summary>
    internal TimeSpan ProgressInterval { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>What one SEARCH, SORT, THREAD or ESEARCH may take, and one update of the results that are kept up to date (limits N12).</summary>
    internal TimeSpan SearchDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The canonical name of <see cref="SharedUser"/>.</summary>
    internal UserName? FindSharedUser() => UserName.TryCreate(SharedUser, null, out var user) ? user : null;

    /// <summary>The canonical name of <see cref="SubmitUser"/>.</summary>
    internal UserName? FindSubmitUser() => UserName.TryCreate(SubmitUser, null, out var user) ? user : null;

    /// <summary>Leaves the password out.</summary>
    public override string ToString() => $"{Name} ({Imap})";
}
