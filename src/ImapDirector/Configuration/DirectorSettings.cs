using System.Net;
using ImapDirector.Director;
using ImapDirector.Operations.Api;
using Microsoft.Extensions.Configuration;

namespace ImapDirector.Configuration;

/// <summary>The director's configuration, as <c>config/director.json</c> shows it.</summary>
/// <param name="Director">The role's own settings.</param>
/// <param name="Process">Those every role has.</param>
/// <param name="ApiTokenFile">The file with what operators have to show; <c>null</c> for no API.</param>
internal sealed record DirectorSettings(DirectorOptions Director, ProcessSettings Process, string? ApiTokenFile)
{
    /// <summary>The keys that need no restart.</summary>
    public static readonly IReadOnlySet<string> AtOnce = new HashSet<string>([.. DirectorReload.Keys, "LogLevel", "MasterPasswordFile"], StringComparer.OrdinalIgnoreCase);

    private static readonly BackendNode NodeDefaults = new() { Name = "", Host = "" };

    /// <exception cref="ConfigurationException">Something is wrong with it.</exception>
    public static DirectorSettings Read(IConfiguration configuration)
    {
        var settings = new SettingsReader(configuration, []);
        var process = ProcessSettings.Read(settings);
        var director = ReadDirector(settings);
        var token = settings.Text("ApiTokenFile");
        if (token is not null && process.Http is null) settings.Errors.Add("ApiTokenFile is set while Http is not: give Http an address, such as 127.0.0.1:1180, or leave ApiTokenFile out.");
        settings.RefuseUnknown();
        process.Check(settings.Errors, needsCertificate: true);
        // Bounds are only looked at once everything could be read: an error is told once.
        if (settings.Errors.Count == 0) settings.Errors.AddRange(director.Validate());
        return settings.Errors.Count == 0 ? new DirectorSettings(director, process, token) : throw new ConfigurationException(settings.Errors);
    }

    /// <summary>Only what is needed to ask the director: where its HTTP is, and the file with its token.</summary>
    /// <exception cref="ConfigurationException">It has no API, or something is wrong with these.</exception>
    public static (IPEndPoint Http, string TokenFile) ReadApi(IConfiguration configuration)
    {
        var settings = new SettingsReader(configuration, []);
        var (http, file) = (settings.EndPoint("Http"), settings.Text("ApiTokenFile"));
        if (http is null or { Port: 0 }) settings.Require("Http", "give the address where the director is asked, such as 127.0.0.1:1180");
        if (file is null) settings.Require("ApiTokenFile", "name the file with the token that the director asks for");
        return settings.Errors.Count == 0 ? (http!, file!) : throw new ConfigurationException(settings.Errors);
    }

    /// <summary>What operators have to show; <c>null</c> where there is no API.</summary>
    /// <exception cref="ConfigurationException">The file holds none.</exception>
    public ApiToken? LoadApiToken()
    {
        try
        {
            return ApiTokenFile is null ? null : ApiToken.Load(ApiTokenFile);
        }
        catch (InvalidDataException unusable)
        {
            throw new ConfigurationException(unusable.Message);
        }
    }

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
            PlainTextNetworks = settings.Networks("PlainTextNetworks", defaults.PlainTextNetworks),
            Authentication = settings.Within("Authentication", AuthenticationSettings.Read),
            ClientCertificates = settings.Within("ClientCertificates", static below => ClientCertificateSettings.Read(below, isRequired: false)),
            Throttle = settings.Within("Throttle", ThrottleSettings.Read),
            Redis = settings.Secret("Redis") ?? defaults.Redis,
            RedisTimeout = settings.Time("RedisTimeout", defaults.RedisTimeout),
            AssignmentReplicas = settings.NumberOrNone("AssignmentReplicas"),
            AssignmentReplicaWait = settings.Time("AssignmentReplicaWait", defaults.AssignmentReplicaWait),
            AssignmentCacheAge = settings.Time("AssignmentCacheAge", defaults.AssignmentCacheAge),
            DefaultPool = settings.Text("DefaultPool") ?? defaults.DefaultPool,
            BackendConnectTimeout = settings.Time("BackendConnectTimeout", defaults.BackendConnectTimeout),
            BackendLoginTimeout = settings.Time("BackendLoginTimeout", defaults.BackendLoginTimeout),
            NodeCaFile = settings.Text("NodeCaFile"),
            AssertionKeyFile = settings.Text("AssertionKeyFile"),
            MoveWait = settings.Time("MoveWait", defaults.MoveWait),
            MaxMoveWaiters = settings.Number("MaxMoveWaiters", defaults.MaxMoveWaiters),
            MaxMoves = settings.Number("MaxMoves", defaults.MaxMoves),
            SharedStoragePools = settings.Texts("SharedStoragePools", defaults.SharedStoragePools),
            UnfencedMoveDelay = settings.Time("UnfencedMoveDelay", defaults.UnfencedMoveDelay),
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
            AcceptBacklog = settings.Number("AcceptBacklog", defaults.AcceptBacklog),
            RelayThreads = settings.Number("RelayThreads", defaults.RelayThreads),
            RelayIdleTimeout = settings.Time("RelayIdleTimeout", defaults.RelayIdleTimeout),
            MaxConnections = settings.Number("MaxConnections", defaults.MaxConnections),
            MaxConnectionsPerAddress = settings.Number("MaxConnectionsPerAddress", defaults.MaxConnectionsPerAddress),
            MaxSessionsPerUserAddress = settings.Number("MaxSessionsPerUserAddress", defaults.MaxSessionsPerUserAddress),
            MaxSessionsPerUser = settings.Number("MaxSessionsPerUser", defaults.MaxSessionsPerUser),
            MaxSessionsPerAddress = settings.Number("MaxSessionsPerAddress", defaults.MaxSessionsPerAddress),
            MaxSessionsPerNode = settings.Number("MaxSessionsPerNode", defaults.MaxSessionsPerNode),
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
