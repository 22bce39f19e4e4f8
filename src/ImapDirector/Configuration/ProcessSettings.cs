using System.Net;
using ImapDirector.Network.Tls;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Configuration;

/// <summary>How log lines are written.</summary>
internal enum LogFormat
{
    /// <summary>For people.</summary>
    Text,
    /// <summary>For programs: a JSON object a line.</summary>
    Json,
    /// <summary>For journald: without a time, with a priority.</summary>
    Systemd,
}

/// <summary>The settings that every role has.</summary>
internal sealed record ProcessSettings
{
    private const int MostCertificates = 256;

    /// <summary>Where HTTP listens, or <c>null</c> for not at all.</summary>
    public IPEndPoint? Http { get; init; }

    /// <summary>Whether <see cref="Http"/> may be reached from other machines.</summary>
    public bool AllowRemoteHttp { get; init; }

    /// <summary>HTTP with TLS besides, or <c>null</c> for none.</summary>
    public HttpsSettings? Https { get; init; }

    /// <summary>What sessions and deliveries have left when the process is told to end.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(20);

    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    public LogFormat LogFormat { get; init; }

    public string? CertificateFile { get; init; }

    public string? KeyFile { get; init; }

    /// <summary>What the certificate's authority says of it.</summary>
    public string? OcspFile { get; init; }

    /// <summary>Certificates for other names.</summary>
    public IReadOnlyList<CertificatePair> Certificates { get; init; } = [];

    public string? SelfSignedDirectory { get; init; }

    /// <summary>Whether OpenSSL is called directly, where it is there.</summary>
    public bool DirectTls { get; init; } = true;

    /// <summary>What clients' handshakes may agree on.</summary>
    public TlsPolicy Tls { get; init; } = TlsPolicy.Default;

    public static ProcessSettings Read(SettingsReader settings)
    {
        var defaults = new ProcessSettings();
        return new ProcessSettings
        {
            Http = settings.EndPoint("Http"),
            AllowRemoteHttp = settings.Flag("AllowRemoteHttp", defaults.AllowRemoteHttp),
            Https = settings.Within("Https", HttpsSettings.Read),
            DrainTimeout = settings.Time("DrainTimeout", defaults.DrainTimeout),
            LogLevel = settings.Choice("LogLevel", defaults.LogLevel),
            LogFormat = settings.Choice("LogFormat", defaults.LogFormat),
            CertificateFile = settings.Text("CertificateFile"),
            KeyFile = settings.Text("KeyFile"),
            OcspFile = settings.Text("OcspFile"),
            Certificates = settings.Each("Certificates", ReadPair),
            SelfSignedDirectory = settings.Text("SelfSignedDirectory"),
            DirectTls = settings.Flag("DirectTls", defaults.DirectTls),
            Tls = ReadPolicy(settings) ?? defaults.Tls,
        };
    }

    /// <summary>Notes what is out of its bounds.</summary>
    public void Check(List<string> errors, bool needsCertificate)
    {
        if (DrainTimeout > TimeSpan.FromHours(1)) errors.Add($"DrainTimeout is \"{DrainTimeout}\": give at most 1h.");
        if (Https is not null && Http is null) errors.Add("Https is set while Http is not: give Http an address of this machine too, such as 127.0.0.1:1180.");
        if (CertificateFile is null != KeyFile is null) errors.Add("CertificateFile and KeyFile belong together: set both, or neither.");
        if (OcspFile is not null && CertificateFile is null) errors.Add("OcspFile is set while CertificateFile is not: it is about a certificate of an authority.");
        if (Certificates.Count > 0 && CertificateFile is null) errors.Add("Certificates is set while CertificateFile is not: name what is shown to clients that ask for no name, or another.");
        if (Certificates.Count > MostCertificates) errors.Add($"Certificates names {Certificates.Count}: give at most {MostCertificates}.");
        if (CertificateFile is not null && SelfSignedDirectory is not null)
            errors.Add("CertificateFile and SelfSignedDirectory are both set: leave one of them out.");
        if (needsCertificate && CertificateFile is null && SelfSignedDirectory is null)
            errors.Add("CertificateFile and KeyFile are unset: name the PEM files, or, for trying things out, a SelfSignedDirectory to make a certificate in.");
    }

    private static CertificatePair? ReadPair(SettingsReader settings)
    {
        var (certificate, key) = (settings.Text("CertificateFile"), settings.Text("KeyFile"));
        if (certificate is null) settings.Require("CertificateFile", "name the PEM chain");
        if (key is null) settings.Require("KeyFile", "name the key that belongs to the certificate");
        return certificate is null || key is null ? null : new CertificatePair(certificate, key, settings.Text("OcspFile"));
    }

    private static TlsPolicy? ReadPolicy(SettingsReader settings)
    {
        try
        {
            return TlsPolicy.Create(settings.Text("MinimumTlsVersion"), settings.Texts("TlsCipherSuites", []));
        }
        catch (InvalidDataException unusable)
        {
            settings.Errors.Add(unusable.Message);
            return null;
        }
    }

    /// <summary>Loads what HTTPS shows, or nothing.</summary>
    /// <exception cref="ConfigurationException">It cannot be used.</exception>
    public ServerCertificate? LoadHttpsCertificate()
    {
        try
        {
            return Https is null ? null : ServerCertificate.Load(Https.Certificate, isDirect: false, Https.Clients, policy: Tls);
        }
        catch (InvalidDataException unusable)
        {
            throw new ConfigurationException(unusable.Message);
        }
    }

    /// <summary>Loads the certificate that is configured, or none.</summary>
    /// <param name="hostName">A name for one that is made.</param>
    /// <param name="clients">Which certificates clients are asked for, or <c>null</c> for none.</param>
    /// <exception cref="ConfigurationException">It cannot be used.</exception>
    public ServerCertificate? LoadCertificate(string hostName, ClientCertificateOptions? clients = null)
    {
        try
        {
            if (CertificateFile is not null) return ServerCertificate.Load(new CertificatePair(CertificateFile, KeyFile!, OcspFile), DirectTls, clients, Certificates, Tls);
            if (SelfSignedDirectory is null) return null;
            Directory.CreateDirectory(SelfSignedDirectory);
            return ServerCertificate.LoadOrCreateSelfSigned(SelfSignedDirectory, [hostName, "localhost", "127.0.0.1", "::1"], DirectTls, clients, Tls);
        }
        catch (InvalidDataException unusable)
        {
            throw new ConfigurationException(unusable.Message);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"SelfSignedDirectory is \"{SelfSignedDirectory}\", where nothing can be written ({refused.GetType().Name}): name a directory that this process may write to.");
        }
    }
}
