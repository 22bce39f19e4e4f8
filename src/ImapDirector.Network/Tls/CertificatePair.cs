namespace ImapDirector.Network.Tls;

/// <summary>A certificate and where it is.</summary>
/// <param name="CertificateFile">The PEM chain, the server's own certificate first.</param>
/// <param name="KeyFile">Its key, PEM, not encrypted.</param>
public sealed record CertificatePair(string CertificateFile, string KeyFile);
