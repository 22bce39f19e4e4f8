namespace ImapDirector.Network.Tls;

/// <summary>What came of reading a certificate's files again.</summary>
public enum CertificateReload
{
    /// <summary>There was nothing new in them.</summary>
    Unchanged,
    /// <summary>There was, and it cannot be used: all is as before.</summary>
    Kept,
    /// <summary>There was, and it holds for handshakes from now on. Parts of it may have been left out.</summary>
    Renewed,
}
