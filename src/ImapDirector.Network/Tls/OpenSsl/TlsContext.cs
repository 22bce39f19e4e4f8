using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>What all connections of a server have in common: certificate, protocol versions, ciphers, ALPN and the keys of session tickets. Made by
/// OpenSSL directly; where that is not to be had, .NET's SslStream serves.</summary>
internal sealed class TlsContext : IDisposable
{
    private TlsContext(SslContextHandle handle, ShownCertificate certificate, ClientAuthorities? clients, TlsChoice? choice) =>
        (Handle, Certificate, Clients, Choice) = (handle, certificate, clients, choice);

    /// <summary>Whether OpenSSL 3 can be called here.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && HasLibraries();

    /// <summary>What is shown, unless <see cref="Choice"/> chooses something else.</summary>
    public ShownCertificate Certificate { get; }

    /// <summary>Which certificate is shown to whom; <c>null</c> where there is one alone.</summary>
    public TlsChoice? Choice { get; }

    /// <summary>Who signs clients' certificates; <c>null</c> where none is asked for.</summary>
    public ClientAuthorities? Clients { get; }

    internal SslContextHandle Handle { get; }

    /// <summary>Makes one.</summary>
    /// <param name="certificate">The server's certificate, with its key.</param>
    /// <param name="policy">What may be agreed on.</param>
    /// <param name="clients">Who signs clients' certificates; <c>null</c> to ask for none.</param>
    /// <param name="choice">Which other certificates are shown to whom; <c>null</c> for none.</param>
    /// <returns><c>null</c> when OpenSSL or the key does not allow it, as with a key that cannot be taken out of where it is.</returns>
    public static TlsContext? TryCreate(ShownCertificate certificate, TlsPolicy policy, ClientAuthorities? clients, TlsChoice? choice = null)
    {
        if (!IsSupported || ExportKey(certificate.Leaf) is not { } key) return null;
        var handle = new SslContextHandle(OpenSslCalls.SSL_CTX_new(OpenSslCalls.TLS_server_method()));
        try
        {
            if (handle.IsInvalid || !TrySetUp(handle, policy) || !TryUse(handle, certificate.Leaf, certificate.Chain, key) || (clients is not null && !TryAsk(handle, clients)))
            {
                handle.Dispose();
                return null;
            }
            if (choice is not null) AskForName(handle);
            if (certificate.Staple is not null) AnswerStatus(handle);
            return new TlsContext(handle, certificate, clients, choice);
        }
        finally
        {
            OpenSslCalls.ERR_clear_error();
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <inheritdoc />
    public void Dispose() => Handle.Dispose();

    private static bool HasLibraries()
    {
        // With another OpenSSL than .NET's there would be two in the process, each with a state of its own.
        if (!IsOpenSsl3() || !NativeLibrary.TryLoad("libssl.so.3", out var library)) return false;
        return NativeLibrary.TryGetExport(library, "SSL_CTX_set_ciphersuites", out _);
    }

    private static bool IsOpenSsl3()
    {
        try
        {
            return !OperatingSystem.IsWindows() && SafeEvpPKeyHandle.OpenSslVersion >> 28 == 3;
        }
        catch (Exception missing) when (missing is PlatformNotSupportedException or TypeInitializationException or DllNotFoundException)
        {
            return false;
        }
    }

    private static unsafe bool TrySetUp(SslContextHandle context, TlsPolicy policy)
    {
        _ = OpenSslCalls.SSL_CTX_set_options(context, OpenSslCalls.NoCompression | OpenSslCalls.NoRenegotiation | OpenSslCalls.PreferOurCiphers | OpenSslCalls.PreferChaChaWithClient);
        _ = OpenSslCalls.SSL_CTX_ctrl(context, OpenSslCalls.SetMode, OpenSslCalls.PartialWrite | OpenSslCalls.MovingWriteBuffer | OpenSslCalls.ReleaseBuffers, 0);
        // Records that carry nothing are counted (TlsEngine), and not gone over as long as there are more.
        _ = OpenSslCalls.SSL_CTX_ctrl(context, OpenSslCalls.ClearMode, OpenSslCalls.AutoRetry, 0);
        // Sessions are resumed by tickets, which the clients keep. One for each handshake, for the next connection: a second one has to be sealed and sent as well.
        _ = OpenSslCalls.SSL_CTX_set_num_tickets(context, 1);
        _ = OpenSslCalls.SSL_CTX_ctrl(context, OpenSslCalls.SetSessionCacheMode, 0, 0);
        OpenSslCalls.SSL_CTX_set_alpn_select_cb(context, &ChooseProtocol, 0);
        fixed (byte* name = "imap"u8)
        {
            return OpenSslCalls.SSL_CTX_ctrl(context, OpenSslCalls.SetLowestVersion, policy.MinimumVersion == SslProtocols.Tls13 ? OpenSslCalls.Tls13 : OpenSslCalls.Tls12, 0) == 1
                && (policy.SuitesOf12.Length == 0 || OpenSslCalls.SSL_CTX_set_cipher_list(context, policy.SuitesOf12) == 1)
                && OpenSslCalls.SSL_CTX_set_ciphersuites(context, policy.SuitesOf13) == 1
                && OpenSslCalls.SSL_CTX_set_session_id_context(context, name, 4) == 1;
        }
    }

    private static unsafe void AskForName(SslContextHandle context) => _ = OpenSslCalls.SSL_CTX_callback_ctrl(context, OpenSslCalls.SetServerNameCallback, &TlsChoice.Choose);

    private static unsafe void AnswerStatus(SslContextHandle context) => _ = OpenSslCalls.SSL_CTX_callback_ctrl(context, OpenSslCalls.SetStatusCallback, &TlsStaple.Give);

    private static unsafe bool TryUse(SslContextHandle context, X509Certificate2 leaf, X509Certificate2Collection chain, byte[] key)
    {
        if (!TryWith(leaf.RawData, certificate => OpenSslCalls.SSL_CTX_use_certificate(context, certificate) == 1)) return false;
        foreach (var above in chain)
        {
            // "add1": it counts itself in.
            if (!TryWith(above.RawData, certificate => OpenSslCalls.SSL_CTX_ctrl(context, OpenSslCalls.AddChainCertificate, 1, certificate) == 1)) return false;
        }
        fixed (byte* first = key)
        {
            var from = first;
            var parsed = OpenSslCalls.d2i_AutoPrivateKey(0, &from, new CLong(key.Length));
            if (parsed == 0) return false;
            var isUsed = OpenSslCalls.SSL_CTX_use_PrivateKey(context, parsed) == 1;
            OpenSslCalls.EVP_PKEY_free(parsed);
            return isUsed && OpenSslCalls.SSL_CTX_check_private_key(context) == 1;
        }
    }

    /// <summary>Asks clients for a certificate. The store of a new context is empty: who is put into it is trusted, and nobody else.</summary>
    private static unsafe bool TryAsk(SslContextHandle context, ClientAuthorities clients)
    {
        var store = OpenSslCalls.SSL_CTX_get_cert_store(context);
        foreach (var authority in clients.Certificates)
        {
            if (!TryWith(authority.RawData, certificate => OpenSslCalls.X509_STORE_add_cert(store, certificate) == 1 && OpenSslCalls.SSL_CTX_add_client_CA(context, certificate) == 1)) return false;
        }
        _ = OpenSslCalls.SSL_CTX_ctrl(context, OpenSslCalls.SetMostChainBytes, ClientAuthorities.MostChainBytes, 0);
        OpenSslCalls.SSL_CTX_set_verify_depth(context, ClientAuthorities.MostBetween);
        OpenSslCalls.SSL_CTX_set_verify(context, OpenSslCalls.VerifyPeer | (clients.IsRequired ? OpenSslCalls.FailWithoutPeerCertificate : 0), 0);
        if (!clients.IsRequired) OpenSslCalls.SSL_CTX_set_cert_verify_callback(context, &VerifyAndGoOn, 0);
        return true;
    }

    /// <summary>Has OpenSSL parse a certificate, for as long as it is used.</summary>
    /// <returns>Whether it could, and what the use returned.</returns>
    internal static unsafe bool TryWith(byte[] encoded, Func<nint, bool> use)
    {
        fixed (byte* first = encoded)
        {
            var from = first;
            var certificate = OpenSslCalls.d2i_X509(0, &from, new CLong(encoded.Length));
            if (certificate == 0) return false;
            try
            {
                return use(certificate);
            }
            finally
            {
                OpenSslCalls.X509_free(certificate);
            }
        }
    }

    private static byte[]? ExportKey(X509Certificate2 leaf)
    {
        try
        {
            using AsymmetricAlgorithm? key = leaf.GetECDsaPrivateKey() ?? (AsymmetricAlgorithm?)leaf.GetRSAPrivateKey();
            return key?.ExportPkcs8PrivateKey();
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Verifies a client's chain as OpenSSL does by itself, and lets the handshake go on however that ends: SSL_get_verify_result(3) tells it then.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int VerifyAndGoOn(nint store, nint argument)
    {
        _ = OpenSslCalls.X509_verify_cert(store);
        // Else the rest of the handshake would find the reason, and take it for its own.
        OpenSslCalls.ERR_clear_error();
        return 1;
    }

    /// <summary>ALPN (RFC 7301): <c>imap</c> where the client offers it; whoever speaks of other protocols alone is turned away (limits P22). The list is of one
    /// length byte and a name each, which OpenSSL has checked, and we again.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe int ChooseProtocol(nint ssl, byte** chosen, byte* chosenLength, byte* offered, uint offeredLength, nint argument)
    {
        var offers = new ReadOnlySpan<byte>(offered, (int)offeredLength);
        for (var at = 0; at < offers.Length; at += 1 + offers[at])
        {
            if (at + 1 + offers[at] > offers.Length) break;
            if (!offers.Slice(at + 1, offers[at]).SequenceEqual("imap"u8)) continue;
            *chosen = offered + at + 1;
            *chosenLength = offers[at];
            return OpenSslCalls.AlpnChosen;
        }
        return OpenSslCalls.AlpnRefused;
    }
}
