using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>The calls of OpenSSL 3 that we make by ourselves, each named as its manual page in section 3. The library is the one that .NET uses.</summary>
/// <remarks>
/// Pointers to its objects are held by <see cref="SslContextHandle"/> and <see cref="SslHandle"/> alone. No call blocks: bytes come and go through
/// <see cref="RecordTransfer"/>, never through a descriptor.
/// </remarks>
internal static unsafe partial class OpenSslCalls
{
    // From openssl/ssl.h, SSL_get_error(3).
    public const int ErrorSsl = 1;
    public const int ErrorWantRead = 2;
    public const int ErrorWantWrite = 3;
    public const int ErrorZeroReturn = 6;

    // SSL_CTX_set_options(3).
    public const ulong NoCompression = 1ul << 17;
    public const ulong PreferOurCiphers = 1ul << 22;
    public const ulong PreferChaChaWithClient = 1ul << 21;
    public const ulong NoRenegotiation = 1ul << 30;

    // SSL_CTX_set_mode(3): a part of a write may be taken, the rest may come from elsewhere, and what is idle holds no buffers.
    public const int PartialWrite = 1;
    public const int MovingWriteBuffer = 2;
    public const int ReleaseBuffers = 16;
    public const int AutoRetry = 4;

    // Those of SSL_CTX_ctrl(3) that the headers have macros for.
    public const int SetMode = 33;
    public const int ClearMode = 78;
    public const int SetSessionCacheMode = 44;
    public const int SetMostChainBytes = 51;
    public const int SetServerNameCallback = 53;
    public const int AddChainCertificate = 89;
    public const int SetLowestVersion = 123;

    public const int Tls12 = 0x0303;
    public const int Tls13 = 0x0304;

    // SSL_CTX_set_alpn_select_cb(3).
    public const int AlpnChosen = 0;
    public const int AlpnRefused = 2;
    public const int AlpnNone = 3;

    // SSL_CTX_set_tlsext_servername_callback(3).
    public const int HostName = 0;
    public const int NameTaken = 0;
    public const int NameRefused = 2;
    public const int NameIgnored = 3;

    // SSL_CTX_set_tlsext_status_cb(3).
    public const int SetStatusCallback = 63;
    public const int SetStatusResponse = 71;
    public const int Stapled = 0;
    public const int NothingStapled = 3;

    // SSL_CTX_set_verify(3) and SSL_get_verify_result(3).
    public const int VerifyPeer = 1;
    public const int FailWithoutPeerCertificate = 2;
    public const int Verified = 0;

    // From openssl/bio.h, BIO_should_retry(3) and BIO_ctrl(3).
    public const int BioSourceSink = 0x0400;
    public const int BioRetryRead = 0x01 | 0x08;
    public const int BioRetryWrite = 0x02 | 0x08;
    public const int BioRetryFlags = 0x0f;
    public const int BioFlush = 11;

    private const string Ssl = "libssl.so.3";
    public const string Crypto = "libcrypto.so.3";

#pragma warning disable SYSLIB1092, CA5392, IDE1006 // They are found as the system finds libraries, and these are their names.
    [LibraryImport(Ssl)]
    public static partial nint TLS_server_method();

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_new(nint method);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_free(nint context);

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_ctrl(SslContextHandle context, int command, nint number, nint pointer);

    [LibraryImport(Ssl)]
    public static partial ulong SSL_CTX_set_options(SslContextHandle context, ulong options);

    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_cipher_list(SslContextHandle context, string ciphers);

    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_ciphersuites(SslContextHandle context, string ciphers);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_use_certificate(SslContextHandle context, nint certificate);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_use_PrivateKey(SslContextHandle context, nint key);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_check_private_key(SslContextHandle context);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_num_tickets(SslContextHandle context, nuint tickets);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_session_id_context(SslContextHandle context, byte* name, uint length);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_alpn_select_cb(SslContextHandle context, delegate* unmanaged[Cdecl]<nint, byte**, byte*, byte*, uint, nint, int> choose, nint argument);

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_callback_ctrl(SslContextHandle context, int command, delegate* unmanaged[Cdecl]<nint, int*, nint, int> callback);

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_callback_ctrl(SslContextHandle context, int command, delegate* unmanaged[Cdecl]<nint, nint, int> callback);

    [LibraryImport(Ssl)]
    public static partial nint SSL_ctrl(nint ssl, int command, nint number, nint pointer);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_servername(nint ssl, int type);

    [LibraryImport(Ssl)]
    public static partial nint SSL_set_SSL_CTX(nint ssl, SslContextHandle context);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_verify(SslContextHandle context, int mode, nint callback);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_verify_depth(SslContextHandle context, int depth);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_cert_verify_callback(SslContextHandle context, delegate* unmanaged[Cdecl]<nint, nint, int> verify, nint argument);

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_get_cert_store(SslContextHandle context);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_add_client_CA(SslContextHandle context, nint certificate);

    [LibraryImport(Crypto)]
    public static partial int X509_STORE_add_cert(nint store, nint certificate);

    [LibraryImport(Crypto)]
    public static partial int X509_verify_cert(nint store);

    [LibraryImport(Crypto)]
    public static partial nint X509_verify_cert_error_string(CLong error);

    [LibraryImport(Ssl)]
    public static partial CLong SSL_get_verify_result(nint ssl);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get1_peer_certificate(nint ssl);

    [LibraryImport(Crypto)]
    public static partial int i2d_X509(nint certificate, byte** to);

    [LibraryImport(Crypto)]
    public static partial nint d2i_X509(nint reuse, byte** from, CLong length);

    [LibraryImport(Crypto)]
    public static partial void X509_free(nint certificate);

    [LibraryImport(Crypto)]
    public static partial nint d2i_AutoPrivateKey(nint reuse, byte** from, CLong length);

    [LibraryImport(Crypto)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Ssl)]
    public static partial nint SSL_new(SslContextHandle context);

    [LibraryImport(Ssl)]
    public static partial void SSL_free(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_bio(nint ssl, nint readFrom, nint writeTo);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_accept_state(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_read(nint ssl, byte* to, int count);

    [LibraryImport(Ssl)]
    public static partial int SSL_peek(nint ssl, byte* to, int count);

    [LibraryImport(Ssl)]
    public static partial int SSL_write(nint ssl, byte* from, int count);

    [LibraryImport(Ssl)]
    public static partial int SSL_shutdown(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_get_error(nint ssl, int result);

    [LibraryImport(Ssl)]
    public static partial int SSL_pending(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_version(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_session_reused(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_export_keying_material(nint ssl, byte* to, nuint count, byte* label, nuint labelLength, byte* context, nuint contextLength, int hasContext);

    [LibraryImport(Crypto)]
    public static partial nint BIO_meth_new(int type, byte* name);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_read(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> read);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_write(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> write);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged[Cdecl]<nint, int, CLong, nint, CLong> control);

    [LibraryImport(Crypto)]
    public static partial nint BIO_new(nint method);

    [LibraryImport(Crypto), SuppressGCTransition]
    public static partial void BIO_set_init(nint bio, int value);

    [LibraryImport(Crypto), SuppressGCTransition]
    public static partial void BIO_set_flags(nint bio, int flags);

    [LibraryImport(Crypto), SuppressGCTransition]
    public static partial void BIO_clear_flags(nint bio, int flags);

    [LibraryImport(Crypto)]
    public static partial void* CRYPTO_malloc(nuint count, byte* file, int line);

    [LibraryImport(Crypto)]
    public static partial void ERR_clear_error();

    [LibraryImport(Crypto)]
    public static partial CULong ERR_peek_error();

    [LibraryImport(Crypto)]
    public static partial nint ERR_reason_error_string(CULong error);
#pragma warning restore SYSLIB1092, CA5392, IDE1006

    /// <summary>What OpenSSL says of the last failure on this thread, which is forgotten by it then. A reason, never any data.</summary>
    public static string LastReason()
    {
        var reason = Marshal.PtrToStringUTF8(ERR_reason_error_string(ERR_peek_error()));
        ERR_clear_error();
        return reason ?? "unknown reason";
    }
}
