namespace ImapDirector.Network.Tls;

/// <summary>A certificate and where it is.</summary>
/// <param name="CertificateFile">The PEM chain, the server's own certificate first.</param>
/// <param name="KeyFile">Its key, PEM, not encrypted.</param>
/// <param name="OcspFile">What its authority says of its being good (OCSP, RFC 6960), DER, for clients that ask; or <c>null</c>. .NET's TLS does not show it.</param>
public sealed record CertificatePair(string CertificateFile, string KeyFile, string? OcspFile = null);
