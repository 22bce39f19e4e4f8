using System.Net.Security;
using ImapDirector.Network.Tls.OpenSsl;

namespace ImapDirector.Network.Tls;

/// <summary>What handshakes show, as it was in the files at one time: the first certificate, or the one whose name the client asks for.</summary>
internal sealed class ShownCertificates : SharedUse
{
    private static readonly SslApplicationProtocol Imap = new("imap");

    // Who learns the keys of tickets can read what is said under TLS 1.2 with one of them: they do not live long.
    private static readonly TimeSpan TicketKeysLive = TimeSpan.FromHours(8);

    private readonly TlsPolicy _policy;
    private readonly Lock _renewing = new();
    private readonly CertificateNames? _names;
    private readonly Dictionary<ShownCertificate, TlsContext> _further = [];
    private TlsContext? _context;
    private TlsContext? _formerContext;
    private long _renewedAt = Environment.TickCount64;

    /// <param name="all">The certificates, at least one; a use of each is taken over.</param>
    /// <param name="policy">What may be agreed on.</param>
    /// <param name="clients">Likewise, who signs clients' certificates; <c>null</c> to ask for none.</param>
    /// <param name="isDirect">Whether handshakes are OpenSSL's directly, where it can be called.</param>
    public ShownCertificates(IReadOnlyList<ShownCertificate> all, TlsPolicy policy, ClientAuthorities? clients, bool isDirect)
    {
        (All, _policy, Clients) = (all, policy, clients);
        Options = NewOptions(all[0]);
        if (all.Count > 1) _names = new CertificateNames(all);
        if (!isDirect) return;
        foreach (var certificate in all.Skip(1))
        {
            if (TlsContext.TryCreate(certificate, policy, clients) is not { } context) return;
            _further.Add(certificate, context);
        }
        _context = NewContext();
    }

    /// <summary>The certificates, the one without a name first.</summary>
    public IReadOnlyList<ShownCertificate> All { get; }

    /// <summary>Who signs clients' certificates; <c>null</c> where none is asked for.</summary>
    public ClientAuthorities? Clients { get; }

    /// <summary>For .NET's TLS, with the first certificate.</summary>
    public SslServerAuthenticationOptions Options { get; }

    /// <summary>For OpenSSL; <c>null</c> where .NET's TLS has to do. Made anew from time to time, with other keys for tickets; connections keep theirs alive.</summary>
    public TlsContext? Context
    {
        get
        {
            if (_context is null || Environment.TickCount64 - Volatile.Read(ref _renewedAt) < TicketKeysLive.TotalMilliseconds) return _context;
            lock (_renewing)
            {
                if (Environment.TickCount64 - _renewedAt < TicketKeysLive.TotalMilliseconds) return _context;
                if (NewContext() is { } renewed)
                {
                    // Whoever was given the one before has long begun.
                    _formerContext?.Dispose();
                    (_formerContext, _context) = (_context, renewed);
                }
                Volatile.Write(ref _renewedAt, Environment.TickCount64);
                return _context;
            }
        }
    }

    /// <summary>Whose name it is that a client asks for; the first where it is nobody's, or it asks for none.</summary>
    public ShownCertificate For(string? name) => _names?.Find(name) ?? All[0];

    /// <summary>For one handshake of .NET's TLS.</summary>
    /// <param name="certificate">What is shown in it.</param>
    /// <param name="identified">Hears who the client is.</param>
    public SslServerAuthenticationOptions OptionsFor(ShownCertificate certificate, Action<ClientIdentity> identified)
    {
        return Clients is null && certificate == All[0] ? Options : NewOptionsFor(certificate, identified);
    }

    /// <summary>As above, and nobody else's.</summary>
    public SslServerAuthenticationOptions NewOptionsFor(ShownCertificate certificate, Action<ClientIdentity> identified)
    {
        var options = NewOptions(certificate);
        Clients?.AskIn(options, identified);
        return options;
    }

    /// <summary>The certificates, for another to take over; while this is in use.</summary>
    public IReadOnlyList<ShownCertificate> UseAll() => [.. All.Where(static one => one.TryUse())];

    /// <summary>Likewise.</summary>
    public ClientAuthorities? UseClients() => Clients?.TryUse() == true ? Clients : null;

    /// <inheritdoc />
    protected override void Free()
    {
        _formerContext?.Dispose();
        _context?.Dispose();
        foreach (var context in _further.Values) context.Dispose();
        foreach (var certificate in All) certificate.EndUse();
        Clients?.EndUse();
    }

    private TlsContext? NewContext() => TlsContext.TryCreate(All[0], _policy, Clients, _names is null ? null : new TlsChoice(_names, _further));

    private SslServerAuthenticationOptions NewOptions(ShownCertificate certificate) => new()
    {
        ServerCertificateContext = certificate.RuntimeContext,
        EnabledSslProtocols = _policy.Versions,
        // Elsewhere the system says which.
        CipherSuitesPolicy = OperatingSystem.IsLinux() ? new CipherSuitesPolicy(_policy.Suites) : null,
        ApplicationProtocols = [Imap],
        AllowRenegotiation = false,
        ClientCertificateRequired = false,
        EncryptionPolicy = EncryptionPolicy.RequireEncryption,
    };
}
