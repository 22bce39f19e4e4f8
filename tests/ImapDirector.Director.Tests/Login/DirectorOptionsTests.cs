using System.Net;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

public sealed class DirectorOptionsTests
{
    private const string Secret = "s3cret-of-the-node";

    private static readonly BackendNode Node = new() { Name = "node1", Host = "127.0.0.1", MasterPassword = Secret };

    private static readonly DirectorOptions Good = new()
    {
        Name = "d1",
        Imap = new IPEndPoint(IPAddress.Loopback, 1143),
        Imaps = new IPEndPoint(IPAddress.Loopback, 1993),
        Nodes = [Node],
    };

    [Fact]
    public void Good_settings_have_no_errors() => Assert.Empty(Good.Validate());

    [Theory]
    [InlineData("https://policy.example.com:8084/")]
    [InlineData("http://127.0.0.1:8084/")]
    public void A_policy_service_is_asked_over_TLS_or_on_this_machine(string url) => Assert.Empty((Good with { Throttle = new ThrottleOptions { PolicyUrl = new Uri(url) } }).Validate());

    public static TheoryData<string, DirectorOptions> Broken => new()
    {
        { "Name", Good with { Name = "a b" } },
        { "Name", Good with { Name = "" } },
        { "Imap", Good with { Imap = null, Imaps = null } },
        { "Imaps", Good with { Imaps = Good.Imap } },
        { "DefaultDomain", Good with { DefaultDomain = "not a domain" } },
        { "Redis", Good with { Redis = "" } },
        { "RedisTimeout", Good with { RedisTimeout = TimeSpan.Zero } },
        { "AssignmentCacheAge", Good with { AssignmentCacheAge = TimeSpan.FromDays(2) } },
        { "BackendConnectTimeout", Good with { BackendConnectTimeout = TimeSpan.FromMinutes(2) } },
        { "NodeCheckInterval", Good with { NodeCheckInterval = TimeSpan.FromMilliseconds(99) } },
        { "BackendLoginTimeout", Good with { BackendLoginTimeout = TimeSpan.Zero } },
        { "LoginTimeout", Good with { LoginTimeout = TimeSpan.FromDays(1) } },
        { "HandshakeTimeout", Good with { HandshakeTimeout = TimeSpan.Zero } },
        { "FailureDelay", Good with { FailureDelay = TimeSpan.FromSeconds(-1) } },
        { "FailureDelay", Good with { FailureDelay = TimeSpan.FromSeconds(31) } },
        { "AcceptBacklog", Good with { AcceptBacklog = 0 } },
        { "AcceptBacklog", Good with { AcceptBacklog = 65536 } },
        { "RelayThreads", Good with { RelayThreads = 257 } },
        { "RelayIdleTimeout", Good with { RelayIdleTimeout = TimeSpan.Zero } },
        { "MaxConnections", Good with { MaxConnections = 0 } },
        { "MaxConnections", Good with { MaxConnections = 1_000_001 } },
        { "MaxConnectionsPerAddress", Good with { MaxConnectionsPerAddress = 0 } },
        { "MaxSessionsPerUserAddress", Good with { MaxSessionsPerUserAddress = 0 } },
        { "MaxSessionsPerUser", Good with { MaxSessionsPerUser = 0 } },
        { "MaxSessionsPerUser", Good with { MaxSessionsPerUser = 100_001 } },
        { "MaxSessionsPerAddress", Good with { MaxSessionsPerAddress = -1 } },
        { "MaxSessionsPerNode", Good with { MaxSessionsPerNode = 10_000_001 } },
        { "AssignmentReplicas", Good with { AssignmentReplicas = -1 } },
        { "AssignmentReplicas", Good with { AssignmentReplicas = 6 } },
        { "AssignmentReplicaWait", Good with { AssignmentReplicaWait = TimeSpan.FromMilliseconds(9) } },
        { "AssignmentReplicaWait", Good with { AssignmentReplicaWait = TimeSpan.FromSeconds(11) } },
        { "MaxMessageBytes", Good with { MaxMessageBytes = 1023 } },
        { "Throttle:PolicyCaFile", Good with { Throttle = new ThrottleOptions { PolicyCaFile = "/nonexistent" } } },
        { "Throttle:PolicyUrl", Good with { Throttle = new ThrottleOptions { PolicyUrl = new Uri("http://policy.example.com:8084/") } } },
        { "Throttle:PolicyUrl", Good with { Throttle = new ThrottleOptions { PolicyUrl = new Uri("https://user:word@policy.example.com/") } } },
        { "SpoolDirectory", Good with { SpoolDirectory = "/nonexistent/spool" } },
        { "Nodes", Good with { Nodes = [] } },
        { "DefaultPool", Good with { DefaultPool = "other" } },
        { "Nodes:1:Name", Good with { Nodes = [Node, Node] } },
        { "Nodes:0:Name", Good with { Nodes = [Node with { Name = "UPPER" }] } },
        { "Nodes:0:Host", Good with { Nodes = [Node with { Host = "a b" }] } },
        { "Nodes:0:ImapPort", Good with { Nodes = [Node with { ImapPort = 65536 }] } },
        { "Nodes:0:LmtpPort", Good with { Nodes = [Node with { LmtpPort = 0 }] } },
        { "Nodes:0:Weight", Good with { Nodes = [Node with { Weight = 1001 }] } },
        { "Nodes:0:TlsFingerprint", Good with { Nodes = [Node with { Tls = BackendTls.Implicit, TlsFingerprint = "abc" }] } },
        { "Nodes:0:Tls", Good with { Nodes = [Node with { TlsName = "node1.example.com" }] } },
        { "Nodes:0:MasterUser", Good with { Nodes = [Node with { MasterUser = "" }] } },
        { "AssertionKeyFile", Good with { AssertionKeyFile = "/nowhere/key", Nodes = [Node with { MasterPassword = "" }] } },
        { "Nodes:0:Kind", Good with { Nodes = [Node with { Kind = (BackendKind)7 }] } },
        { "AssertionValidity", Good with { AssertionValidity = TimeSpan.FromSeconds(301) } },
        { "Nodes:0:MasterPassword", Good with { Nodes = [Node with { MasterPassword = Secret + "\n" }] } },
        { "Nodes:0:MasterPassword", Good with { Nodes = [Node with { MasterPassword = "" }] } },
        { "Nodes:0:Login", Good with { Nodes = [Node with { Login = (NodeLogin)7 }] } },
        { "NodeCaFile", Good with { NodeCaFile = "/nonexistent/ca.pem" } },
        { "NodeCaFile", Good with { NodeCaFile = "/dev/null" } },
    };

    [Theory]
    [MemberData(nameof(Broken), DisableDiscoveryEnumeration = true)]
    public void A_setting_outside_its_bounds_is_named_once_and_no_secret_is_shown(string key, DirectorOptions options)
    {
        var error = Assert.Single(options.Validate());
        Assert.StartsWith(key, error, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_redis_string_is_never_shown_because_it_may_hold_a_password()
    {
        var options = Good with { Redis = "127.0.0.1:6379,nosuchoption=hunter2" };
        Assert.DoesNotContain("hunter2", string.Concat(options.Validate()), StringComparison.Ordinal);
    }

    [Fact]
    public void Bounds_themselves_are_allowed() => Assert.Empty((Good with
    {
        FailureDelay = TimeSpan.FromSeconds(30),
        MaxConnections = 1_000_000,
        Nodes = [Node with { Weight = 1000, ImapPort = 65535 }, Node with { Name = "node2", Login = NodeLogin.Password, MasterPassword = "" }],
    }).Validate());
}
