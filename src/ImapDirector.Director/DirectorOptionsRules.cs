using System.Globalization;
using System.Net;
using ImapDirector.Director.Backends;
using ImapDirector.Protocol.Assertions;
using static ImapDirector.Network.SettingRules;

namespace ImapDirector.Director;

/// <summary>The bounds of <see cref="DirectorOptions"/>. A sentence for each setting outside them: the key, the value and the fix; never a secret.</summary>
internal static class DirectorOptionsRules
{
    private const int Sha256HexLength = 64;

    public static IReadOnlyList<string> Check(DirectorOptions options)
    {
        var errors = new List<string>();
        CheckNameAndListeners(options, errors);
        CheckAccounts(options, errors);
        AuthenticationRules.Check(options.Authentication, errors);
        if (options.Authentication.Mechanisms.Contains("EXTERNAL") && options.ClientCertificates is null)
            errors.Add("Authentication:Mechanisms has \"EXTERNAL\", while ClientCertificates is unset: name the ClientCertificates:AuthorityFile whose certificates count, or take it out.");
        CheckThrottle(options.Throttle, errors);
        CheckTimes(options, errors);
        CheckLimits(options, errors);
        CheckNodeAuthorities(options, errors);
        CheckNodes(options, errors);
        CheckAssertionKey(options, errors);
        return errors;
    }

    /// <summary>What is right as a whole may be wrong as long as the settings that need a restart are as they were: the rules that look at both kinds.</summary>
    public static IReadOnlyList<string> CheckReloaded(DirectorOptions options)
    {
        var errors = new List<string>();
        CheckCheckUser(options, errors);
        CheckNodes(options, errors);
        return [.. errors.Select(static error => "It needs a restart, for with the settings that hold from the next start on as they still are this holds: " + error)];
    }

    private static void CheckCheckUser(DirectorOptions options, List<string> errors)
    {
        if (options.NodeCheckUser is { } user && !Protocol.UserName.TryCreate(user, options.DefaultDomain, out _))
            errors.Add($"NodeCheckUser is \"{Shown(user)}\", which can be no user: give a name that the nodes know, such as \"check@example.com\", or leave it out.");
    }

    private static void CheckNameAndListeners(DirectorOptions options, List<string> errors)
    {
        if (options.Name.Length is 0 or > 64 || !options.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            errors.Add($"Name is \"{Shown(options.Name)}\": give this director 1 to 64 characters out of letters, digits, '.', '-' and '_'.");
        if (options.Imap is null && options.Imaps is null && options.Lmtp is null)
            errors.Add("Imap, Imaps and Lmtp are all unset: set at least one address to listen on, such as \"0.0.0.0:993\" for Imaps.");
        foreach (var (first, firstKey, second, secondKey) in new[]
        {
            (options.Imap, "Imap", options.Imaps, "Imaps"),
            (options.Imap, "Imap", options.Lmtp, "Lmtp"),
            (options.Imaps, "Imaps", options.Lmtp, "Lmtp"),
        })
        {
            if (first is { Port: not 0 } && first.Equals(second))
                errors.Add($"{secondKey} is \"{second}\", which {firstKey} has already: give each listener a port of its own.");
        }
        if (!System.IO.Directory.Exists(options.SpoolDirectory))
            errors.Add($"SpoolDirectory is \"{Shown(options.SpoolDirectory)}\", which is not a directory: make it, or name one that exists.");
    }

    /// <summary>What is needed to manage accounts.</summary>
    public static void CheckAccounts(DirectorOptions options, List<string> errors)
    {
        if (options.DefaultDomain is { } domain && !IsDomain(domain))
            errors.Add($"DefaultDomain is \"{Shown(domain)}\": give a domain name such as \"example.com\", or leave it out.");
        CheckRedis(options, errors);
        Between(errors, "RedisTimeout", options.RedisTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(30));
        Between(errors, "AssignmentReplicas", options.AssignmentReplicas ?? 0, 0, 5);
        Between(errors, "AssignmentReplicaWait", options.AssignmentReplicaWait, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10));
    }

    // The value may hold a password, so it is never shown.
    private static void CheckRedis(DirectorOptions options, List<string> errors)
    {
        if (string.IsNullOrWhiteSpace(options.Redis))
        {
            errors.Add("Redis is empty: give the server's address, such as \"127.0.0.1:6379\".");
            return;
        }
        try
        {
            if (StackExchange.Redis.ConfigurationOptions.Parse(options.Redis).EndPoints.Count == 0)
                errors.Add("Redis names no server (the value is not shown, it may hold a password): give an address, such as \"127.0.0.1:6379\".");
        }
        catch (ArgumentException)
        {
            errors.Add("Redis cannot be read (the value is not shown, it may hold a password): write it as \"host:port,password=…,ssl=true\".");
        }
    }

    private static void CheckAssertionKey(DirectorOptions options, List<string> errors)
    {
        if (options.AssertionKeyFile is not { } file) return;
        try
        {
            AssertionIssuer.ReadKey([file]).Dispose();
        }
        catch (InvalidDataException unusable)
        {
            errors.Add($"AssertionKeyFile is \"{Shown(file)}\", which {unusable.Message}: name the private key that \"imapdirector keys new\" made.");
        }
    }

    private static void CheckTimes(DirectorOptions options, List<string> errors)
    {
        var hour = TimeSpan.FromHours(1);
        Between(errors, "AssignmentCacheAge", options.AssignmentCacheAge, TimeSpan.Zero, TimeSpan.FromDays(1));
        Between(errors, "BackendConnectTimeout", options.BackendConnectTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        if (options.NodeCheckInterval != TimeSpan.Zero) Between(errors, "NodeCheckInterval", options.NodeCheckInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5));
        Between(errors, "NodeCheckFall", options.NodeCheckFall, 1, 20);
        Between(errors, "NodeCheckRise", options.NodeCheckRise, 1, 20);
        Between(errors, "NodeCheckJitter", options.NodeCheckJitter, 0, 50);
        CheckCheckUser(options, errors);
        Between(errors, "DeliveryTimeout", options.DeliveryTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(9));
        Between(errors, "MoveWait", options.MoveWait, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Between(errors, "UnfencedMoveDelay", options.UnfencedMoveDelay, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Between(errors, "AssertionValidity", options.AssertionValidity, TimeSpan.FromSeconds(1), AssertionVerifier.MaxValidity);
        Between(errors, "BackendLoginTimeout", options.BackendLoginTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(5));
        Between(errors, "LoginTimeout", options.LoginTimeout, TimeSpan.FromMilliseconds(100), hour);
        Between(errors, "HandshakeTimeout", options.HandshakeTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5));
        Between(errors, "FailureDelay", options.FailureDelay, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Between(errors, "DrainSpread", options.DrainSpread, TimeSpan.Zero, hour);
        Between(errors, "NodeLossSpread", options.NodeLossSpread, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        if (options.ReusePort && !OperatingSystem.IsLinux()) errors.Add("ReusePort is \"true\", which this system does not know: set it to false.");
        Between(errors, "RelayIdleTimeout", options.RelayIdleTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromDays(7));
    }

    private static void CheckThrottle(ThrottleOptions throttle, List<string> errors)
    {
        const string key = "Throttle:";
        Between(errors, key + "AddressFailures", throttle.AddressFailures, 1, 100_000);
        Between(errors, key + "UserFailures", throttle.UserFailures, 1, 100_000);
        Between(errors, key + "FailuresPerMinute", throttle.FailuresPerMinute, 1, 10_000_000);
        Between(errors, key + "PolicyTimeout", throttle.PolicyTimeout, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(10));
        AuthenticationRules.CheckCa(throttle.PolicyCaFile, key + "Policy", errors);
        if (throttle.PolicyUrl is { } url && (url.Scheme != "https" && !(url.Scheme == "http" && url.IsLoopback) || url.UserInfo.Length > 0))
            errors.Add($"{key}PolicyUrl is no address of a service with https, or with http on this machine (the value is not shown, it may hold a password): write http://127.0.0.1:8084/.");
    }

    private static void CheckLimits(DirectorOptions options, List<string> errors)
    {
        Between(errors, "AcceptBacklog", options.AcceptBacklog, 1, ushort.MaxValue);
        Between(errors, "RelayThreads", options.RelayThreads, 0, 256);
        Between(errors, "MaxMoveWaiters", options.MaxMoveWaiters, 0, 100_000);
        Between(errors, "MaxMoves", options.MaxMoves, 0, 100);
        Between(errors, "MaxConnections", options.MaxConnections, 1, 1_000_000);
        Between(errors, "MaxConnectionsPerAddress", options.MaxConnectionsPerAddress, 1, 1_000_000);
        Between(errors, "MaxSessionsPerUserAddress", options.MaxSessionsPerUserAddress, 1, 100_000);
        Between(errors, "MaxSessionsPerUser", options.MaxSessionsPerUser, 1, 100_000);
        Between(errors, "MaxSessionsPerAddress", options.MaxSessionsPerAddress, 0, 10_000_000);
        Between(errors, "MaxSessionsPerNode", options.MaxSessionsPerNode, 0, 10_000_000);
        Between(errors, "MaxLoginsPerNode", options.MaxLoginsPerNode, 1, 100_000);
        Between(errors, "MaxWaitingLoginsPerNode", options.MaxWaitingLoginsPerNode, 0, 1_000_000);
        Between(errors, "MaxMessageBytes", options.MaxMessageBytes, 1024, 2L * 1024 * 1024 * 1024);
    }

    private static void CheckNodeAuthorities(DirectorOptions options, List<string> errors)
    {
        if (options.NodeCaFile is not { } file) return;
        try
        {
            if (Backends.BackendTlsOptions.Load(options).HasAuthorities) return;
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            // Told below.
        }
        errors.Add($"NodeCaFile is \"{Shown(file)}\", which holds no certificate that can be read: name a PEM file, or leave it out for those the system trusts.");
    }

    private static void CheckNodes(DirectorOptions options, List<string> errors)
    {
        if (options.Nodes.Count == 0 && options.NodeNetworks.Count == 0)
            errors.Add("Nodes is empty: name at least one storage node, or the NodeNetworks that nodes are added in.");
        foreach (var pool in options.SharedStoragePools)
            if (!IsName(pool)) errors.Add($"SharedStoragePools names \"{Shown(pool)}\": {NameRule}.");
        if (options.MasterPassword is not null) CheckCredentials(options.MasterUser, options.MasterPassword, "", errors);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Nodes.Count; i++)
        {
            var node = options.Nodes[i];
            var key = string.Create(CultureInfo.InvariantCulture, $"Nodes:{i}");
            if (!IsName(node.Name))
                errors.Add($"{key}:Name is \"{Shown(node.Name)}\": {NameRule}.");
            else if (!seen.Add(node.Name))
                errors.Add($"{key}:Name is \"{node.Name}\", which another node has already: names must be unique.");
            CheckNode(node, options, key, errors);
        }
        if (options.Nodes.Count > 0 && !options.Nodes.Any(node => node.Pool == options.DefaultPool))
            errors.Add($"DefaultPool is \"{Shown(options.DefaultPool)}\", but no node is in it: name the Pool of at least one node.");
    }

    /// <summary>What holds of a node wherever it comes from.</summary>
    public static void CheckNode(BackendNode node, DirectorOptions options, string key, List<string> errors)
    {
        if (Uri.CheckHostName(node.Host) == UriHostNameType.Unknown)
            errors.Add($"{key}:Host is \"{Shown(node.Host)}\": give a host name or an address.");
        Between(errors, $"{key}:ImapPort", node.ImapPort, 1, IPEndPoint.MaxPort);
        Between(errors, $"{key}:LmtpPort", node.LmtpPort, 1, IPEndPoint.MaxPort);
        Between(errors, $"{key}:Weight", node.Weight, 0, BackendNode.MaxWeight);
        if (!IsName(node.Pool))
            errors.Add($"{key}:Pool is \"{Shown(node.Pool)}\": {NameRule}.");
        if (!Enum.IsDefined(node.Tls))
            errors.Add($"{key}:Tls is \"{node.Tls}\": use None, StartTls or Implicit.");
        if (node.TlsName is { } name && Uri.CheckHostName(name) == UriHostNameType.Unknown)
            errors.Add($"{key}:TlsName is \"{Shown(name)}\": give the name that the certificate carries.");
        if (node.TlsFingerprint is { } fingerprint && !IsFingerprint(fingerprint))
            errors.Add($"{key}:TlsFingerprint is \"{Shown(fingerprint)}\": give the SHA-256 of the certificate or of its public key as {Sha256HexLength} hexadecimal digits.");
        if (node.Tls == BackendTls.None && (node.TlsFingerprint is not null || node.TlsName is not null))
            errors.Add($"{key}:Tls is \"None\" while a certificate is named: set Tls to StartTls or Implicit, or leave TlsName and TlsFingerprint out.");
        CheckPage(node.Http, key, errors);
        if (!Enum.IsDefined(node.Login))
            errors.Add($"{key}:Login is \"{node.Login}\": use Master or Password.");
        if (!Enum.IsDefined(node.Kind))
            errors.Add($"{key}:Kind is \"{node.Kind}\": use Bundled or Generic.");
        // What directors log in with at a bundled node is their key, where they have one.
        if (node.Login == NodeLogin.Master && !(node.IsBundled && options.AssertionKeyFile is not null)) CheckCredentials(node.MasterUser, node.MasterPassword, key + ":", errors);
    }

    private static void CheckCredentials(string user, string password, string path, List<string> errors)
    {
        if (!IsSaslText(user))
            errors.Add($"{path}MasterUser is \"{Shown(user)}\": give 1 to 255 characters without control characters.");
        if (!IsSaslText(password))
            errors.Add($"{path}MasterPassword is empty, too long or has control characters (the value is not shown): give 1 to 255 characters.");
    }

    private static void CheckPage(Uri? page, string key, List<string> errors)
    {
        if (page is null) return;
        if (!page.IsAbsoluteUri || (page.Scheme != Uri.UriSchemeHttp && page.Scheme != Uri.UriSchemeHttps))
            errors.Add($"{key}:Http is \"{Shown(page.OriginalString)}\": give the node's HTTP address, such as \"http://10.0.0.7:1180\".");
        else if (page.UserInfo.Length > 0)
            errors.Add($"{key}:Http has a user name or a password in it (the value is not shown): leave that out.");
        else if (page.PathAndQuery != "/" || page.Fragment.Length > 0)
            errors.Add($"{key}:Http is \"{Shown(page.OriginalString)}\": end it after the host and the port, such as \"{page.GetLeftPart(UriPartial.Authority)}\".");
    }

    /// <summary>The fingerprint's digits as <see cref="Convert.ToHexString(byte[])"/> writes them; colons, as openssl prints them, are allowed.</summary>
    public static string NormalizeFingerprint(string fingerprint) => fingerprint.Replace(":", "", StringComparison.Ordinal).ToUpperInvariant();

    private static bool IsFingerprint(string text)
    {
        var digits = NormalizeFingerprint(text);
        return digits.Length == Sha256HexLength && digits.All(char.IsAsciiHexDigit);
    }

    private static bool IsDomain(string text) => Protocol.UserName.TryCreate("user@" + text, null, out _);

    private static bool IsSaslText(string text) => text.Length is > 0 and <= 255 && !text.Any(char.IsControl);
}
