using System.Formats.Asn1;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls.OpenSsl;

namespace ImapDirector.Network.Tls;

/// <summary>Those who sign the certificates of clients. Nobody else is trusted, the system's roots neither, and nothing is fetched from anywhere.</summary>
internal sealed class ClientAuthorities : SharedUse
{
    /// <summary>The most there can be: clients are told the name of each.</summary>
    public const int MostAuthorities = 64;

    /// <summary>The most that a client may show, its whole chain, in bytes: with what else it sends unanswered then, it is within
    /// <see cref="OpenSsl.TlsSession.MostUnanswered"/>.</summary>
    public const int MostChainBytes = 12 * 1024;

    /// <summary>The most that may stand between a client's certificate and its root.</summary>
    public const int MostBetween = 4;

    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly CertificateField _userFrom;

    private ClientAuthorities(ClientCertificateOptions options, X509Certificate2Collection certificates, RevocationLists? revoked) =>
        (_userFrom, IsRequired, Certificates, Revoked, Keys) = (options.UserFrom, options.IsRequired, certificates, revoked, certificates.Select(RevocationList.KeyOf).ToHashSet(StringComparer.Ordinal));

    /// <summary>The roots, and what may stand below them.</summary>
    public X509Certificate2Collection Certificates { get; }

    /// <summary>What stands for each of them.</summary>
    public HashSet<string> Keys { get; }

    /// <summary>What they have taken back; <c>null</c> where nothing is looked up.</summary>
    public RevocationLists? Revoked { get; }

    /// <summary>Whether a handshake without a certificate that counts fails.</summary>
    public bool IsRequired { get; }

    /// <summary>Reads them.</summary>
    /// <param name="options">What they are for.</param>
    /// <param name="pem">What is in their file.</param>
    /// <param name="lists">What is in each of the files with lists of revoked certificates.</param>
    /// <param name="former">Those before, of whose lists the newest hold; <c>null</c> for nobody.</param>
    /// <exception cref="InvalidDataException">They cannot be used; the message names the file and the fix. Of lists <see cref="RevocationLists.Faults"/> tells it.</exception>
    public static ClientAuthorities Parse(ClientCertificateOptions options, string pem, IReadOnlyList<FileContent>? lists = null, ClientAuthorities? former = null)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException broken)
        {
            throw Unusable("has what is no PEM certificate", broken);
        }
        if (certificates.Count is 0 or > MostAuthorities) throw Unusable($"has {certificates.Count} certificates");
        if (!MayAllSign()) throw Unusable("has a certificate that may sign no others (its basic constraints do not say CA)");
        if (!certificates.Any(static one => one.SubjectName.RawData.AsSpan().SequenceEqual(one.IssuerName.RawData))) throw Unusable("has no root, which is signed by itself");
        return new ClientAuthorities(options, certificates, options.CrlFiles is { } files ? RevocationLists.Parse(files, lists!, certificates, former?.Revoked) : null);

        bool MayAllSign()
        {
            try
            {
                return certificates.All(IsAuthority);
            }
            catch (CryptographicException broken)
            {
                throw Unusable("has a certificate whose extensions cannot be read", broken);
            }
        }

        InvalidDataException Unusable(string fault, Exception? cause = null) =>
            new($"The authority file \"{options.AuthorityFile}\" {fault}: give 1 to {MostAuthorities} PEM certificates of those who sign clients' certificates, their roots among them.", cause);
    }

    /// <summary>Says who a client is, whose handshake has proved that it has the certificate's key.</summary>
    /// <param name="shown">The certificate in DER; <c>null</c> for none.</param>
    /// <param name="fault">What was wrong with its chain, or <c>null</c>.</param>
    public ClientIdentity Identify(byte[]? shown, string? fault)
    {
        if (shown is null) return default;
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(shown);
            return Identify(certificate, fault ?? Revoked?.FaultOf(certificate));
        }
        catch (CryptographicException)
        {
            return Refused("it cannot be read");
        }
    }

    /// <summary>Asks for certificates with .NET's TLS.</summary>
    /// <param name="options">What else holds of the handshake; for one alone.</param>
    /// <param name="told">Hears who the client is.</param>
    public void AskIn(SslServerAuthenticationOptions options, Action<ClientIdentity> told)
    {
        options.ClientCertificateRequired = true;
        // Who is resumed is not asked again.
        options.AllowTlsResume = false;
        options.CertificateChainPolicy = NewPolicy();
        options.RemoteCertificateValidationCallback = (_, shown, chain, errors) =>
        {
            var identity = shown is X509Certificate2 certificate ? Identify(certificate, errors == SslPolicyErrors.None ? Revoked?.FaultOf(certificate) : FaultOf(chain)) : default;
            told(identity);
            return identity.IsVerified || !IsRequired;
        };
    }

    /// <inheritdoc />
    protected override void Free()
    {
        Revoked?.Dispose();
        foreach (var certificate in Certificates) certificate.Dispose();
    }

    private ClientIdentity Identify(X509Certificate2 certificate, string? fault)
    {
        if (fault is not null) return Refused(fault);
        try
        {
            // A session that is resumed was looked at some time ago.
            if (DateTime.Now < certificate.NotBefore || DateTime.Now > certificate.NotAfter) return Refused("its time is over, or has not begun");
            if (!IsForClients(certificate)) return Refused("its extended key usage does not say clientAuth");
            var user = CertificateFields.ValueOf(certificate, _userFrom);
            return new ClientIdentity(true, user, user is null ? $"it has no {_userFrom}, or several" : null);
        }
        catch (Exception broken) when (broken is CryptographicException or AsnContentException)
        {
            return Refused("it cannot be read");
        }
    }

    private X509ChainPolicy NewPolicy()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(Certificates);
        policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return policy;
    }

    private static ClientIdentity Refused(string fault) => new(false, null, fault);

    private static string FaultOf(X509Chain? chain) =>
        chain is { ChainStatus.Length: > 0 } ? string.Join(", ", chain.ChainStatus.Select(static status => status.Status)) : "its chain does not hold";

    private static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(static constraints => constraints.CertificateAuthority);

    // Without that extension a certificate may be used for everything (RFC 5280 section 4.2.1.12), so for a server as well: that is not enough here.
    private static bool IsForClients(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(static usage => usage.EnhancedKeyUsages.Cast<Oid>().Any(static oid => oid.Value == ClientAuthentication));
}
