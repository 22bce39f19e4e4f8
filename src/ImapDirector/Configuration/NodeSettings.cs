using System.Net;
using ImapDirector.Network;
using ImapDirector.Storage;
using Microsoft.Extensions.Configuration;

namespace ImapDirector.Configuration;

/// <summary>A storage node's configuration, as <c>config/node.json</c> shows it.</summary>
/// <param name="Node">The role's own settings.</param>
/// <param name="Process">Those every role has.</param>
internal sealed record NodeSettings(StorageNodeOptions Node, ProcessSettings Process)
{
    /// <summary>The keys that need no restart.</summary>
    public static readonly IReadOnlySet<string> AtOnce = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "LogLevel" };

    private static readonly IPEndPoint NoEndPoint = new(IPAddress.Loopback, 0);

    /// <exception cref="ConfigurationException">Something is wrong with it.</exception>
    public static NodeSettings Read(IConfiguration configuration)
    {
        var settings = new SettingsReader(configuration, []);
        var process = ProcessSettings.Read(settings);
        var node = ReadNode(settings);
        settings.RefuseUnknown();
        process.Check(settings.Errors, needsCertificate: false);
        if (node is { RequireTls: true, Imap: { } imap } && !AddressList.Contains(node.PlainTextNetworks, imap.Address) && process is { CertificateFile: null, SelfSignedDirectory: null })
            settings.Errors.Add($"Imap is \"{imap}\", where RequireTls asks for TLS, but there is no certificate: set CertificateFile and KeyFile, or RequireTls to false where the network is private.");
        if (process.Https is { Operators.Count: > 0 }) settings.Errors.Add("Https:Operators is set, while a node takes orders of directors alone: leave it out.");
        if (settings.Errors.Count == 0) settings.Errors.AddRange(node.Validate());
        return settings.Errors.Count == 0 ? new NodeSettings(node, process) : throw new ConfigurationException(settings.Errors);
    }

    /// <summary>For commands that work on the data and do not run the node.</summary>
    /// <exception cref="ConfigurationException">It names none.</exception>
    public static string ReadDataDirectoryOnly(IConfiguration configuration)
    {
        var settings = new SettingsReader(configuration, []);
        if (settings.Text("DataDirectory") is { } directory) return directory;
        settings.Require("DataDirectory", "name the directory that holds the mail");
        throw new ConfigurationException(settings.Errors);
    }

    private static StorageNodeOptions ReadNode(SettingsReader settings)
    {
        var (directory, imap, lmtp, password) = (settings.Text("DataDirectory"), settings.EndPoint("Imap"), settings.EndPoint("Lmtp"), settings.Secret("MasterPassword"));
        if (directory is null) settings.Require("DataDirectory", "name the directory that is to hold the mail");
        if (imap is null) settings.Require("Imap", "give the address to listen on, such as 127.0.0.1:2143");
        if (lmtp is null) settings.Require("Lmtp", "give the address to listen on, such as 127.0.0.1:2124");
        var defaults = new StorageNodeOptions { DataDirectory = directory ?? "", Imap = imap ?? NoEndPoint, Lmtp = lmtp ?? NoEndPoint, MasterPassword = password };
        return defaults with
        {
            Name = settings.Text("Name") ?? defaults.Name,
            MasterUser = settings.Text("MasterUser") ?? defaults.MasterUser,
            AssertionKeys = settings.Text("AssertionKeys"),
            ClockTolerance = settings.Time("ClockTolerance", defaults.ClockTolerance),
            TrustedNetworks = settings.Networks("TrustedNetworks"),
            RequireTls = settings.Flag("RequireTls", defaults.RequireTls),
            PlainTextNetworks = settings.Networks("PlainTextNetworks", defaults.PlainTextNetworks),
            MaxMessageBytes = settings.LongNumber("MaxMessageBytes", defaults.MaxMessageBytes),
            QuotaBytes = settings.LongNumber("QuotaBytes", defaults.QuotaBytes),
            QuotaMessages = settings.LongNumber("QuotaMessages", defaults.QuotaMessages),
            SharedUser = settings.Text("SharedUser"),
            SubmitUser = settings.Text("SubmitUser"),
            AllowAnyone = settings.Flag("AllowAnyone", defaults.AllowAnyone),
            DuplicateWindow = settings.Time("DuplicateWindow", defaults.DuplicateWindow),
            MovedRetention = settings.Time("MovedRetention", defaults.MovedRetention),
            Compress = settings.Text("Compress") is null ? null : settings.Flag("Compress", false),
            IdleTimeout = settings.Time("IdleTimeout", defaults.IdleTimeout),
            WriteTimeout = settings.Time("WriteTimeout", defaults.WriteTimeout),
            LoginTimeout = settings.Time("LoginTimeout", defaults.LoginTimeout),
            FailureDelay = settings.Time("FailureDelay", defaults.FailureDelay),
            MaxConnections = settings.Number("MaxConnections", defaults.MaxConnections),
        };
    }
}
