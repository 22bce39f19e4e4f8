using System.Runtime.InteropServices;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>The calls of OpenSSL 3 for lists of revoked certificates, each named as its manual page in section 3; the library of <see cref="OpenSslCalls"/>.</summary>
internal static unsafe partial class RevocationCalls
{
    // X509_VERIFY_PARAM_set_flags(3): the client's own certificate, and all above it.
    public const uint CheckLists = 0x4;
    public const uint CheckAllLists = 0x8;

    // X509_STORE_CTX_get_error(3).
    public const int Fine = 0;
    public const int NoList = 3;

    // From openssl/obj_mac.h.
    public const int Number = 88;
    public const int DeltaIndicator = 140;
    public const int DistributionPoint = 770;

    // X509_get_extension_flags(3): of a certificate without a key usage all bits are set.
    public const uint SignsLists = 0x2;

    // X509V3_get_d2i(3): there is no such extension; anything else without a value is one that cannot be read.
    public const int NotThere = -1;

    // From openssl/asn1.h.
    public const int PositiveInteger = 2;

#pragma warning disable SYSLIB1092, CA5392, IDE1006 // They are found as the system finds libraries, and these are their names.
    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial nint d2i_X509_CRL(nint reuse, byte** from, CLong length);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial void X509_CRL_free(nint list);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_CRL_verify(CrlHandle list, nint key);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial nint X509_CRL_get_issuer(CrlHandle list);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial nint X509_CRL_get0_nextUpdate(CrlHandle list);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_CRL_get_ext_by_NID(CrlHandle list, int kind, int behind);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_CRL_get_ext_by_critical(CrlHandle list, int isCritical, int behind);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial nint X509_CRL_get_ext_d2i(CrlHandle list, int kind, int* isCritical, int* index);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial nint X509_CRL_get0_lastUpdate(CrlHandle list);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_CRL_up_ref(CrlHandle list);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial byte* ASN1_STRING_get0_data(nint text);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int ASN1_STRING_length(nint text);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int ASN1_STRING_type(nint text);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial void ASN1_STRING_free(nint text);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int ASN1_TIME_compare(nint one, nint other);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial uint X509_get_key_usage(nint certificate);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int ASN1_TIME_diff(int* days, int* seconds, nint from, nint to);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial nint X509_get_subject_name(nint certificate);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial nint X509_get0_pubkey(nint certificate);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_NAME_cmp(nint one, nint other);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial nint X509_STORE_new();

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial void X509_STORE_free(nint store);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_STORE_add_crl(nint store, CrlHandle list);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_STORE_set_flags(nint store, CULong flags);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_STORE_set_depth(nint store, int depth);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial void X509_STORE_set_verify_cb(nint store, delegate* unmanaged[Cdecl]<int, nint, int> judge);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial nint X509_STORE_CTX_new();

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial void X509_STORE_CTX_free(nint verification);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_STORE_CTX_init(nint verification, StoreHandle store, nint certificate, nint between);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_STORE_CTX_get_error(nint verification);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial void X509_STORE_CTX_set_error(nint verification, int error);

    [LibraryImport(OpenSslCalls.Crypto)]
    public static partial int X509_STORE_CTX_get_error_depth(nint verification);
#pragma warning restore SYSLIB1092, CA5392, IDE1006
}
