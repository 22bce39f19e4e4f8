using System.Net;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using ImapDirector.Network.Tls;

namespace ImapDirector.Director;

/// <summary>The director's settings. Defaults are what a provider would start with; <c>docs/configuration.md</c> lists keys and bounds.</summary>
public sealed record DirectorOptions
{
    /// <summary>This director's name, unique in the cluster; part of its incarnation.</summary>
    public string Name { get; init; } = Environment.MachineName;

    /// <summary>Plain IMAP with STARTTLS, or <c>null</c> for none.</summary>
    public IPEndPoint? Imap { get; init; }

    /// <summary>IMAP over TLS, or <c>null</c> for none.</summary>
    public IPEndPoint? Imaps { get; init; }

    /// <summary>LMTP, or <c>null</c> for none.</summary>
    public IPEndPoint? Lmtp { get; init; }

    /// <summary>The domain of user names without one, or <c>null</c>.</summary>
    public string? DefaultDomain { get; init; }

    /// <summary>Whether a password may be sent without TLS from everywhere, and not from <see cref="PlainTextNetworks"/> alone.</summary>
    public bool AllowPlainTextLogin { get; init; }

    /// <summary>From where a password may be sent without TLS. Behind a load balancer that tells no client's address everybody has its own.</summary>
    public IReadOnlyList<IPNetwork> PlainTextNetworks { get; init; } = AddressList.Loopback;

    /// <summary>How users prove who they are.</summary>
    public AuthenticationOptions Authentication { get; init; } = new();

    /// <summary>Which certificates clients are asked for, or <c>null</c> for none.</summary>
    public ClientCertificateOptions? ClientCertificates { get; init; }

    /// <summary>What is done against those who guess passwords.</summary>
    public ThrottleOptions Throttle { get; init; } = new();

    /// <summary>StackExchange.Redis configuration string, such as <c>127.0.0.1:6379,password=…</c>.</summary>
    public string Redis { get; init; } = "127.0.0.1:6379";

    /// <summary>One call to Redis may take this long (limits R7).</summary>
    public TimeSpan RedisTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How many replicas of Redis must have an assignment before it is used: 0 (it is not waited for) to 5; <c>null</c>: one, where Redis has replicas.</summary>
    public int? AssignmentReplicas { get; init; }

    /// <summary>How long a login waits for that, 10 milliseconds to 10 seconds.</summary>
    public TimeSpan AssignmentReplicaWait { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>An assignment that was confirmed by Redis within this time serves logins while Redis is away. Zero: never.</summary>
    public TimeSpan AssignmentCacheAge { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The pool new users are assigned to.</summary>
    public string DefaultPool { get; init; } = "default";

    /// <summary>Connecting to a node, with TLS and its greeting, may take this long (limits R2).</summary>
    public TimeSpan BackendConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The whole login at a node may take this long (limits R2).</summary>
    public TimeSpan BackendLoginTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>PEM certificates that sign those of the nodes, or <c>null</c> for the system's.</summary>
    public string? NodeCaFile { get; init; }

    /// <summary>The private key (PEM, P-256) that this director signs assertions with: what it logs in with at bundled nodes; read again when it changes.
    /// <c>null</c>: it logs in with master passwords.</summary>
    public string? AssertionKeyFile { get; init; }

    /// <summary>For how long an assertion is valid, 1 second to 5 minutes. Nodes allow for clocks that differ.</summary>
    public TimeSpan AssertionValidity { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often each node is greeted to see whether it is there: 100 milliseconds to 5 minutes, or zero for never.</summary>
    public TimeSpan NodeCheckInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After so many failures in a row a node counts as away; 1 to 20.</summary>
    public int NodeCheckFall { get; init; } = 3;

    /// <summary>After so many answers in a row a node that was away counts as back; 1 to 20.</summary>
    public int NodeCheckRise { get; init; } = 2;

    /// <summary>By how much of <see cref="NodeCheckInterval"/> one check comes earlier or later than another, in hundredths: 0 to 50.</summary>
    public int NodeCheckJitter { get; init; } = 20;

    /// <summary>Who is logged in with each check at nodes that take a master login, or <c>null</c> for nobody.</summary>
    public string? NodeCheckUser { get; init; }

    /// <summary>Logins under way at one node at one time; 1 to 100,000. Further ones wait.</summary>
    public int MaxLoginsPerNode { get; init; } = 64;

    /// <summary>Logins that wait for their turn at one node; 0 to 1,000,000. Further ones are refused.</summary>
    public int MaxWaitingLoginsPerNode { get; init; } = 2000;

    /// <summary>One delivery to one node may take this long, from the last byte of the message here to the node's last answer; 1 second to 9 minutes. Mail servers
    /// wait ten minutes for us; when they give up they send again what the other nodes have taken already.</summary>
    public TimeSpan DeliveryTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Logins and deliveries wait for a user who moves for so long, and are then told to come again.</summary>
    public TimeSpan MoveWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many logins and deliveries may wait for users who move; those above it are told to come again at once.</summary>
    public int MaxMoveWaiters { get; init; } = 1000;

    /// <summary>How many moves this director carries out at one time; 0: it leaves them to others.</summary>
    public int MaxMoves { get; init; } = 4;

    /// <summary>How long after the last session's end a user of a node that is not bundled is said to be at another one: nothing else keeps it from writing still.</summary>
    public TimeSpan UnfencedMoveDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The pools whose generic nodes share their storage, so that any of them can serve any user: users of one that is away are moved to another.</summary>
    public IReadOnlyList<string> SharedStoragePools { get; init; } = [];

    /// <summary>From the greeting to a successful login (limits P9).</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A TLS handshake may take this long (limits P10).</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Before every refusal of a login (limits P14). With every further wrong name or password from the same address within an hour it
    /// doubles, up to seven and a half times (limits P15).</summary>
    public TimeSpan FailureDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A relayed session with no byte in either direction for this long is closed (RFC 9051 section 5.4: at least 30 minutes).</summary>
    public TimeSpan RelayIdleTimeout { get; init; } = TimeSpan.FromMinutes(31);

    /// <summary>How long a client or a node that takes nothing may still keep a session that ends. No setting: tests stand still for longer.</summary>
    internal TimeSpan RelayLastPatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>In a drain, the time over which sessions are told to go, a few at a time: zero (all at once) to an hour. It ends with three quarters of the drain's own.</summary>
    public TimeSpan DrainSpread { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>When a node is lost, the time over which its clients are let go: zero (all at once) to 5 minutes.</summary>
    public TimeSpan NodeLossSpread { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether another process of the same user may listen on the same ports (<c>SO_REUSEPORT</c>), as the next one does while this one drains.</summary>
    public bool ReusePort { get; init; }

    /// <summary>Connections that may wait to be accepted at each listener; 1 to 65535. The system has a limit of its own (<c>net.core.somaxconn</c>, listen(2)).</summary>
    public int AcceptBacklog { get; init; } = Listener.DefaultBacklog;

    /// <summary>Threads that accept clients, wait for them and their nodes, and move the bytes of sessions; 0 to 256. Beside them one more reads what Redis answers without TLS. With 0, and on systems other than Linux, the runtime's thread pool does it.</summary>
    public int RelayThreads { get; init; } = PollLoop.IsSupported ? Environment.ProcessorCount : 0;

    /// <summary>Connections in all (limits P12).</summary>
    public int MaxConnections { get; init; } = 20_000;

    /// <summary>Connections that have not authenticated, from one address (limits P12).</summary>
    public int MaxConnectionsPerAddress { get; init; } = 50;

    /// <summary>Sessions of one user from one address (limits P13).</summary>
    public int MaxSessionsPerUserAddress { get; init; } = 10;

    /// <summary>Sessions of one user, from wherever.</summary>
    public int MaxSessionsPerUser { get; init; } = 100;

    /// <summary>Sessions from one IPv4 address or IPv6 /64, of whomever; 0: as many as come. What other directors have counts as they told last, some seconds ago.</summary>
    public int MaxSessionsPerAddress { get; init; }

    /// <summary>Sessions at one node; 0: as many as come. What other directors have counts likewise.</summary>
    public int MaxSessionsPerNode { get; init; }

    /// <summary>The largest message LMTP takes, in bytes (limits N5).</summary>
    public long MaxMessageBytes { get; init; } = 50L * 1024 * 1024;

    /// <summary>Addresses that may talk LMTP to us besides loopback, as CIDR networks (limits L7).</summary>
    public IReadOnlyList<IPNetwork> LmtpNetworks { get; init; } = [];

    /// <summary>Load balancers that send a PROXY header, as CIDR networks; from them it is required.</summary>
    public IReadOnlyList<IPNetwork> ProxyNetworks { get; init; } = [];

    /// <summary>Directors and proxies in front of this one, as CIDR networks: what they say in ID of the client's address counts.</summary>
    public IReadOnlyList<IPNetwork> DirectorNetworks { get; init; } = [];

    /// <summary>Where messages above 128 KiB wait while they are delivered.</summary>
    public string SpoolDirectory { get; init; } = Path.GetTempPath();

    /// <summary>Where nodes may be that are added, or change their address, while directors run; none: only where they are configured.</summary>
    public IReadOnlyList<IPNetwork> NodeNetworks { get; init; } = [];

    /// <summary>What directors log in with at nodes that are added while they run.</summary>
    public string MasterUser { get; init; } = "director";

    /// <summary>The password that goes with it, or <c>null</c>. Never logged.</summary>
    public string? MasterPassword { get; init; }

    /// <summary>The nodes to begin with; at least one, unless <see cref="NodeNetworks"/> lets them be added.</summary>
    public IReadOnlyList<BackendNode> Nodes { get; init; } = [];

    /// <summary>Checks every setting against its bounds.</summary>
    /// <returns>One sentence for each error, naming the key, the value and the fix, and never a secret; empty when all is well.</returns>
    public IReadOnlyList<string> Validate() => DirectorOptionsRules.Check(this);
}
