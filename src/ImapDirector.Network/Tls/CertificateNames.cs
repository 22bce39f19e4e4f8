using System.Collections.Frozen;

namespace ImapDirector.Network.Tls;

/// <summary>Which certificate goes with which name that clients ask for (SNI, RFC 6066 section 3). It is made once and never grows: a name that nobody has costs two
/// look-ups and leaves nothing behind.</summary>
internal sealed class CertificateNames
{
    /// <summary>The longest name that is looked up, in bytes (limits P22).</summary>
    public const int MostNameBytes = 255;

    private readonly FrozenDictionary<string, ShownCertificate> _byName;

    /// <param name="certificates">The certificates; of two with the same name the first has it. <c>*.</c> in front of a name stands for one label.</param>
    public CertificateNames(IEnumerable<ShownCertificate> certificates)
    {
        var byName = new Dictionary<string, ShownCertificate>(StringComparer.OrdinalIgnoreCase);
        foreach (var certificate in certificates)
            foreach (var name in certificate.Names) byName.TryAdd(name, certificate);
        _byName = byName.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Looks a name up: first as it is, then with <c>*</c> for its first label (RFC 9525 section 6.3).</summary>
    /// <returns><c>null</c> where it is nobody's.</returns>
    public ShownCertificate? Find(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MostNameBytes || name.Contains('*')) return null;
        var lookup = _byName.GetAlternateLookup<ReadOnlySpan<char>>();
        if (lookup.TryGetValue(name, out var exact)) return exact;
        var dot = name.IndexOf('.');
        if (dot <= 0) return null;
        Span<char> wildcard = stackalloc char[MostNameBytes + 1];
        wildcard[0] = '*';
        name[dot..].CopyTo(wildcard[1..]);
        return lookup.TryGetValue(wildcard[..(1 + name.Length - dot)], out var any) ? any : null;
    }
}
