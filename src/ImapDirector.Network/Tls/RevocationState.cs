namespace ImapDirector.Network.Tls;

/// <summary>A file with lists of revoked certificates.</summary>
/// <param name="File">It, as it was named.</param>
/// <param name="Expires">When the first list in it is out of date: from then on no certificate that it is about counts.</param>
public readonly record struct RevocationState(string File, DateTimeOffset Expires);
