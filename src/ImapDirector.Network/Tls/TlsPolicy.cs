using System.Net.Security;
using System.Security.Authentication;

namespace ImapDirector.Network.Tls;

/// <summary>What handshakes with clients may agree on. Nothing without forward secrecy and authenticated encryption can be named (RFC 9325, section 4).</summary>
public sealed record TlsPolicy
{
    // AES-128 comes first: it costs a quarter less and nobody can break either.
    private static readonly (TlsCipherSuite Suite, string? NameOf12)[] Known =
    [
        (TlsCipherSuite.TLS_AES_128_GCM_SHA256, null),
        (TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, null),
        (TlsCipherSuite.TLS_AES_256_GCM_SHA384, null),
        (TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256"),
        (TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256"),
        (TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305"),
        (TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305"),
        (TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384"),
        (TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384"),
    ];

    /// <summary>TLS 1.2 and 1.3, with every suite that can be named.</summary>
    public static TlsPolicy Default { get; } = new();

    /// <summary>The lowest version: <see cref="SslProtocols.Tls12"/> or <see cref="SslProtocols.Tls13"/>.</summary>
    public SslProtocols MinimumVersion { get; private init; } = SslProtocols.Tls12;

    /// <summary>The suites of all versions, those that are preferred first.</summary>
    public IReadOnlyList<TlsCipherSuite> Suites { get; private init; } = [.. Known.Select(static one => one.Suite)];

    internal SslProtocols Versions => MinimumVersion == SslProtocols.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>As OpenSSL calls those of TLS 1.3.</summary>
    internal string SuitesOf13 { get; private init; } = NamesOf13(Known.Select(static one => one.Suite));

    /// <summary>As OpenSSL calls those of TLS 1.2.</summary>
    internal string SuitesOf12 { get; private init; } = NamesOf12(Known.Select(static one => one.Suite));

    /// <summary>Makes one of settings.</summary>
    /// <param name="minimumVersion"><c>1.2</c> or <c>1.3</c>; <c>null</c> for <c>1.2</c>.</param>
    /// <param name="suites">The names of suites, as IANA has registered them, those that are preferred first; none for all.</param>
    /// <exception cref="InvalidDataException">A value cannot be used; the message names it and the fix.</exception>
    public static TlsPolicy Create(string? minimumVersion, IReadOnlyList<string> suites)
    {
        var version = minimumVersion switch
        {
            null or "1.2" => SslProtocols.Tls12,
            "1.3" => SslProtocols.Tls13,
            _ => throw new InvalidDataException($"MinimumTlsVersion is \"{minimumVersion}\": give 1.2 or 1.3."),
        };
        if (suites.Count == 0) return Default with { MinimumVersion = version };
        var chosen = suites.Select(Find).Distinct().ToArray();
        var (of13, of12) = (NamesOf13(chosen), NamesOf12(chosen));
        if (of13.Length == 0) throw new InvalidDataException("TlsCipherSuites has none of TLS 1.3: add TLS_AES_128_GCM_SHA256.");
        if (of12.Length == 0 && version == SslProtocols.Tls12) throw new InvalidDataException("TlsCipherSuites has none of TLS 1.2: add one, such as TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, or set MinimumTlsVersion to 1.3.");
        return new TlsPolicy { MinimumVersion = version, Suites = chosen, SuitesOf13 = of13, SuitesOf12 = of12 };
    }

    private static TlsCipherSuite Find(string name)
    {
        foreach (var (suite, _) in Known)
            if (string.Equals(suite.ToString(), name, StringComparison.OrdinalIgnoreCase)) return suite;
        throw new InvalidDataException($"TlsCipherSuites names \"{name}\": give some of {string.Join(", ", Known.Select(static one => one.Suite))}.");
    }

    private static string NamesOf13(IEnumerable<TlsCipherSuite> suites) => string.Join(':', suites.Where(static suite => NameOf12(suite) is null));

    private static string NamesOf12(IEnumerable<TlsCipherSuite> suites) => string.Join(':', suites.Select(NameOf12).Where(static name => name is not null));

    private static string? NameOf12(TlsCipherSuite suite) => Known.Single(one => one.Suite == suite).NameOf12;
}
