namespace ImapDirector.Network.Tls;

/// <summary>Which certificates of clients count, and whom they name.</summary>
/// <param name="AuthorityFile">PEM certificates, 1 to 64: those that sign clients' certificates, up to the roots. No others are trusted.</param>
/// <param name="IsRequired">Whether a handshake without a certificate that counts fails.</param>
/// <param name="UserFrom">Where the user's name stands.</param>
/// <param name="CrlFiles">Lists of revoked certificates, PEM or DER, at most 16 files of at most 4 MiB each, signed by those of <paramref name="AuthorityFile"/>. A certificate
/// counts then only where a list of its issuer, that is not out of date, does not name it. <c>null</c>: nothing is looked up.</param>
public sealed record ClientCertificateOptions(string AuthorityFile, bool IsRequired = false, CertificateField UserFrom = CertificateField.SubjectCommonName, IReadOnlyList<string>? CrlFiles = null);

/// <summary>A place for a user's name in a certificate. Where it has several values, or none, the certificate names nobody.</summary>
public enum CertificateField
{
    /// <summary>The subject's <c>CN</c>.</summary>
    SubjectCommonName,
    /// <summary>The subject's <c>emailAddress</c>.</summary>
    SubjectEmail,
    /// <summary>The <c>rfc822Name</c> among the alternative names (RFC 5280 section 4.2.1.6).</summary>
    EmailSan,
}

/// <summary>What a client's certificate says; the default where none was asked for, or shown.</summary>
/// <param name="IsVerified">Whether it counts.</param>
/// <param name="User">Whom it names, as written there; <c>null</c> for nobody.</param>
/// <param name="Fault">Why a certificate that was shown does not count, or names nobody; else <c>null</c>. Never anything out of the certificate.</param>
public readonly record struct ClientIdentity(bool IsVerified, string? User, string? Fault);
