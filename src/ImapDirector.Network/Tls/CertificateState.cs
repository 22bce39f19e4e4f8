namespace ImapDirector.Network.Tls;

/// <summary>A certificate that is shown now.</summary>
/// <param name="File">Where it was read, as it was named.</param>
/// <param name="Fingerprint">SHA-256, upper-case hexadecimal.</param>
/// <param name="Expires">When it ends to be valid.</param>
public readonly record struct CertificateState(string File, string Fingerprint, DateTimeOffset Expires);
