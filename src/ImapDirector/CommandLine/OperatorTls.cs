using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Configuration;
using ImapDirector.Network.Tls;

namespace ImapDirector.CommandLine;

/// <summary>TLS of the command line: whom it trusts, and the certificate that it shows.</summary>
internal static class OperatorTls
{
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <param name="certificateFile">The operator's certificate with its chain, PEM, or <c>null</c> for none.</param>
    /// <param name="keyFile">Its key, PEM.</param>
    /// <param name="caFile">Those who may have signed the director's, PEM, instead of those that the system trusts; or <c>null</c>.</param>
    /// <exception cref="ConfigurationException">A file cannot be used.</exception>
    public static SslClientAuthenticationOptions Load(string? certificateFile, string? keyFile, string? caFile)
    {
        var options = OutgoingTls.For(host: null, caFile: null);
        if (caFile is not null)
        {
            Read("--ca-file", caFile, () => options = OutgoingTls.For(host: null, caFile));
            if (options.CertificateChainPolicy!.CustomTrustStore.Count == 0) throw Unusable("--ca-file", caFile);
        }
        if (certificateFile is null) return options;
        if (!OperatingSystem.IsWindows() && File.Exists(keyFile) && (File.GetUnixFileMode(keyFile) & Others) != 0)
            throw new ConfigurationException($"--key-file is \"{keyFile}\", which everybody on this machine may read: take that away (chmod o-rw).");
        var chain = new X509Certificate2Collection();
        Read("--certificate-file", certificateFile, () => chain.ImportFromPemFile(certificateFile));
        Read("--key-file", keyFile!, () => options.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(certificateFile, keyFile), [.. chain.Skip(1)], offline: true));
        return options;
    }

    private static void Read(string option, string file, Action read)
    {
        try
        {
            read();
        }
        catch (Exception unusable) when (unusable is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Unusable(option, file);
        }
    }

    // What is wrong may quote the key.
    private static ConfigurationException Unusable(string option, string file) =>
        new($"{option} is \"{file}\", which cannot be used: name a PEM file that this user may read, and of a key the one that belongs to the certificate, without a passphrase.");
}
