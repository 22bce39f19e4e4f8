using System.Globalization;
using ImapDirector.Director;
using Microsoft.Extensions.Configuration;

namespace ImapDirector.Configuration;

/// <summary>The director's configuration, as <c>config/director.json</c> shows it.</summary>
/// <param name="Director">The role's own settings.</param>
/// <param name="Process">Those every role has.</param>
internal sealed record DirectorSettings(DirectorOptions Director, ProcessSettings Process)
{
    private static readonly BackendNode NodeDefaults = new() { Name = "", Host = "" };

    /// <exception cref="ConfigurationException">Something is wrong with it.</exception>
    public static DirectorSettings Read(IConfiguration configuration)
    {
        var settings = new SettingsReader(configuration, []);
        var process = ProcessSettings.Read(settings);
        var director = ReadDirector(settings);
        settings.RefuseUnknown();
        process.Check(settings.Errors, needsCertificate: true);
        // Bounds are only looked at once everything could be read: an error is told once.
        if (settings.Errors.Count == 0) settings.Errors.AddRange(director.Validate());
        return settings.Errors.Count == 0 ? new DirectorSettings(director, process) : throw new ConfigurationException(settings.Errors);
    }

    /// <summary>Only what is needed to manage accounts: Redis and the default domain.</summary>
    /// <exception cref="ConfigurationException">Something is wrong with it.</exception>
    public static DirectorOptions ReadAccountsOnly(IConfiguration configuration)
    {
        var settings = new SettingsReader(configuration, []);
        var defaults = new DirectorOptions();
        var director = defaults with
        {
            DefaultDomain = settings.Text("DefaultDomain"),
            Redis = settings.Secret("Redis") ?? defaults.Redis,
            RedisTimeout = settings.Time("RedisTimeout", defaults.RedisTimeout),
        };
        if (settings.Errors.Count == 0) settings.Errors.AddRange(director.ValidateForAccounts());
        return settings.Errors.Count == 0 ? director : throw new ConfigurationException(settings.Errors);
    }

    /// <summary>Only what is needed to give orders to directors: Redis, the default domain, and of the nodes what is no secret.</summary>
    /// <exception cref="ConfigurationException">Something is wrong with it.</exception>
    public static DirectorOptions ReadForOrders(IConfiguration configuration) => ReadAccountsOnly(configuration) with
    {
        DefaultPool = configuration["DefaultPool"] ?? NodeDefaults.Pool,
        Nodes = [.. configuration.GetSection("Nodes").GetChildren().Where(static node => !string.IsNullOrEmpty(node["Name"])).Select(static node => NodeDefaults with
        {
            Name = node["Name"]!,
            Host = node["Host"] ?? "",
            ImapPort = NumberOf(node["ImapPort"]) ?? NodeDefaults.ImapPort,
            Pool = node["Pool"] ?? NodeDefaults.Pool,
            Weight = NumberOf(node["Weight"]) ?? NodeDefaults.Weight,
        })],
    };

    // Directors have refused to start with anything else.
    private static int? NumberOf(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static DirectorOptions ReadDirector(SettingsReader settings)
    {
        var defaults = new DirectorOptions();
        var password = settings.Secret("MasterPassword");
        return new DirectorOptions
        {
            Name = settings.Text("Name") ?? defaults.Name,
            Imap = settings.EndPoint("Imap"),
            Imaps = settings.EndPoint("Imaps"),
            Lmtp = settings.EndPoint("Lmtp"),
            DefaultDomain = settings.Text("DefaultDomain"),
            AllowPlainTextLogin = settings.Flag("AllowPlainTextLogin", defaults.AllowPlainTextLogin),
            Authentication = settings.Within("Authentication", AuthenticationSettings.Read),
            Redis = settings.Secret("Redis") ?? defaults.Redis,
            RedisTimeout = settings.Time("RedisTimeout", defaults.RedisTimeout),
            AssignmentCacheAge = settings.Time("AssignmentCacheAge", defaults.AssignmentCacheAge),
            DefaultPool = settings.Text("DefaultPool") ?? defaults.DefaultPool,
            BackendConnectTimeout = settings.Time("BackendConnectTimeout", defaults.BackendConnectTimeout),
            BackendLoginTimeout = settings.Time("BackendLoginTimeout", defaults.BackendLoginTimeout),
            NodeCaFile = settings.Text("NodeCaFile"),
            AssertionKeyFile = settings.Text("AssertionKeyFile"),
            AssertionValidity = settings.Time("AssertionValidity", defaults.AssertionValidity),
            NodeCheckInterval = settings.Time("NodeCheckInterval", defaults.NodeCheckInterval),
            NodeCheckFall = settings.Number("NodeCheckFall", defaults.NodeCheckFall),
            NodeCheckRise = settings.Number("NodeCheckRise", defaults.NodeCheckRise),
            NodeCheckJitter = settings.Number("NodeCheckJitter", defaults.NodeCheckJitter),
            NodeCheckUser = settings.Text("NodeCheckUser"),
            MaxLoginsPerNode = settings.Number("MaxLoginsPerNode", defaults.MaxLoginsPerNode),
            MaxWaitingLoginsPerNode = settings.Number("MaxWaitingLoginsPerNode", defaults.MaxWaitingLoginsPerNode),
            DeliveryTimeout = settings.Time("DeliveryTimeout", defaults.DeliveryTimeout),
            LoginTimeout = settings.Time("LoginTimeout", defaults.LoginTimeout),
            HandshakeTimeout = settings.Time("HandshakeTimeout", defaults.HandshakeTimeout),
            FailureDelay = settings.Time("FailureDelay", defaults.FailureDelay),
            DrainSpread = settings.Time("DrainSpread", defaults.DrainSpread),
            NodeLossSpread = settings.Time("NodeLossSpread", defaults.NodeLossSpread),
            ReusePort = settings.Flag("ReusePort", defaults.ReusePort),
            RelayThreads = settings.Number("RelayThreads", defaults.RelayThreads),
            RelayIdleTimeout = settings.Time("RelayIdleTimeout", defaults.RelayIdleTimeout),
            MaxConnections = settings.Number("MaxConnections", defaults.MaxConnections),
            MaxConnectionsPerAddress = settings.Number("MaxConnectionsPerAddress", defaults.MaxConnectionsPerAddress),
            MaxSessionsPerUserAddress = settings.Number("MaxSessionsPerUserAddress", defaults.MaxSessionsPerUserAddress),
            MaxMessageBytes = settings.LongNumber("MaxMessageBytes", defaults.MaxMessageBytes),
            LmtpNetworks = settings.Networks("LmtpNetworks"),
            ProxyNetworks = settings.Networks("ProxyNetworks"),
            DirectorNetworks = settings.Networks("DirectorNetworks"),
            SpoolDirectory = settings.Text("SpoolDirectory") ?? defaults.SpoolDirectory,
            NodeNetworks = settings.Networks("NodeNetworks"),
            MasterUser = settings.Text("MasterUser") ?? defaults.MasterUser,
            MasterPassword = password,
            Nodes = settings.Each("Nodes", node => ReadNode(node, settings.Text("MasterUser") ?? defaults.MasterUser, password)),
        };
    }

    private static BackendNode? ReadNode(SettingsReader settings, string masterUser, string? masterPassword)
    {
        var (name, host, password) = (settings.Text("Name"), settings.Text("Host"), settings.Secret("MasterPassword") ?? masterPassword);
        var page = settings.Value<Uri?>("Http", null, static (string text, out Uri? uri) => Uri.TryCreate(text, UriKind.Absolute, out uri), "the node's HTTP address, such as http://10.0.0.7:1180");
        var defaults = NodeDefaults;
        var login = settings.Choice("Login", defaults.Login);
        var node = new BackendNode
        {
            Name = name ?? "",
            Host = host ?? "",
            ImapPort = settings.Number("ImapPort", defaults.ImapPort),
            LmtpPort = settings.Number("LmtpPort", defaults.LmtpPort),
            Tls = settings.Choice("Tls", defaults.Tls),
            TlsName = settings.Text("TlsName"),
            TlsFingerprint = settings.Text("TlsFingerprint"),
            SendProxyHeader = settings.Flag("SendProxyHeader", defaults.SendProxyHeader),
            Pool = settings.Text("Pool") ?? defaults.Pool,
            Weight = settings.Number("Weight", defaults.Weight),
            Http = page,
            Login = login,
            Kind = settings.Choice("Kind", defaults.Kind),
            MasterUser = settings.Text("MasterUser") ?? masterUser,
            MasterPassword = password ?? "",
        };
        if (name is null) settings.Require("Name", "give the node a name, such as node1");
        if (host is null) settings.Require("Host", "give the node's host name or address");
        return name is null || host is null ? null : node;
    }
}
