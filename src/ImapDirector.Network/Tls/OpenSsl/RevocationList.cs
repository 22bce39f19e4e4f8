using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>One list of revoked certificates, whole and signed by one who may.</summary>
internal sealed class RevocationList : IDisposable
{
    // A list may say any year from 0 to 9999, and not all of them are a DateTimeOffset.
    private const int MostDays = 700_000;

    private readonly BigInteger? _number;

    private RevocationList(CrlHandle handle, string authority, BigInteger? number, DateTimeOffset end) => (Handle, Authority, _number, End) = (handle, authority, number, end);

    public CrlHandle Handle { get; }

    /// <summary>What stands for whose list it is: as of <see cref="KeyOf"/>.</summary>
    public string Authority { get; }

    /// <summary>When it is out of date.</summary>
    public DateTimeOffset End { get; }

    /// <summary>What stands for an authority: its name and its key, whatever certificate it has for them.</summary>
    public static string KeyOf(X509Certificate2 authority) =>
        Convert.ToHexString(SHA256.HashData([.. authority.SubjectName.RawData, .. authority.PublicKey.ExportSubjectPublicKeyInfo()]));

    /// <summary>Reads one.</summary>
    /// <param name="encoded">In DER.</param>
    /// <param name="authorities">Whose it may be.</param>
    /// <param name="fault">What is wrong with it, to be said of the file, or <c>null</c>.</param>
    public static RevocationList? TryParse(byte[] encoded, X509Certificate2Collection authorities, out string? fault)
    {
        if (TryDecode(encoded) is not { } handle)
        {
            fault = "has what is no list";
            return null;
        }
        // First of all: anybody can write the rest.
        X509Certificate2[] signers = [.. authorities.Where(authority => IsOf(handle, authority))];
        var (number, isBroken) = NumberOf(handle);
        var end = EndOf(handle);
        fault = signers.Length == 0 ? "has a list that nobody of AuthorityFile has signed"
            : !signers.Any(MaySign) ? "has a list of an authority that may sign none (the key usage of its certificate does not say cRLSign)"
            : Has(handle, RevocationCalls.DeltaIndicator) ? "has a list of changes alone (a delta)"
            : Has(handle, RevocationCalls.DistributionPoint) ? "has a list of a part alone, or of others' certificates too (its issuing distribution point says so)"
            : RevocationCalls.X509_CRL_get_ext_by_critical(handle, 1, -1) >= 0 ? "has a list with a critical extension that nobody here knows"
            : isBroken ? "has a list whose number cannot be read"
            : end is null ? "has a list that does not say until when it holds"
            : null;
        if (fault is null) return new RevocationList(handle, KeyOf(signers[0]), number, end!.Value);
        handle.Dispose();
        return null;
    }

    /// <summary>Whether it was made after another one of its authority: their numbers say so (RFC 5280 section 5.2.3), or where those do not, their times.</summary>
    public bool IsNewerThan(RevocationList other)
    {
        if (_number is { } own && other._number is { } others && own != others) return own > others;
        return RevocationCalls.ASN1_TIME_compare(RevocationCalls.X509_CRL_get0_lastUpdate(Handle), RevocationCalls.X509_CRL_get0_lastUpdate(other.Handle)) == 1;
    }

    /// <summary>The same, to be kept for itself.</summary>
    public RevocationList Share() => new(Handle.Share(), Authority, _number, End);

    public void Dispose() => Handle.Dispose();

    private static unsafe CrlHandle? TryDecode(byte[] encoded)
    {
        fixed (byte* first = encoded)
        {
            var from = first;
            var list = new CrlHandle(RevocationCalls.d2i_X509_CRL(0, &from, new CLong(encoded.Length)));
            if (!list.IsInvalid && from == first + encoded.Length) return list;
            list.Dispose();
            return null;
        }
    }

    private static unsafe DateTimeOffset? EndOf(CrlHandle list)
    {
        var (days, seconds) = (0, 0);
        var end = RevocationCalls.X509_CRL_get0_nextUpdate(list);
        // From now on.
        return end != 0 && RevocationCalls.ASN1_TIME_diff(&days, &seconds, 0, end) == 1 ? DateTimeOffset.UtcNow.AddDays(Math.Clamp(days, -MostDays, MostDays)).AddSeconds(seconds) : null;
    }

    private static unsafe (BigInteger? Number, bool IsBroken) NumberOf(CrlHandle list)
    {
        var isCritical = 0;
        var number = RevocationCalls.X509_CRL_get_ext_d2i(list, RevocationCalls.Number, &isCritical, null);
        if (number == 0) return (null, isCritical != RevocationCalls.NotThere);
        try
        {
            return (new BigInteger(new ReadOnlySpan<byte>(RevocationCalls.ASN1_STRING_get0_data(number), RevocationCalls.ASN1_STRING_length(number)), isUnsigned: true, isBigEndian: true),
                RevocationCalls.ASN1_STRING_type(number) != RevocationCalls.PositiveInteger);
        }
        finally
        {
            RevocationCalls.ASN1_STRING_free(number);
        }
    }

    private static bool Has(CrlHandle list, int extension) => RevocationCalls.X509_CRL_get_ext_by_NID(list, extension, -1) >= 0;

    // Of a certificate without that extension it says everything.
    private static bool MaySign(X509Certificate2 authority) => TlsContext.TryWith(authority.RawData, static certificate => (RevocationCalls.X509_get_key_usage(certificate) & RevocationCalls.SignsLists) != 0);

    private static bool IsOf(CrlHandle list, X509Certificate2 authority) => TlsContext.TryWith(authority.RawData, certificate =>
        RevocationCalls.X509_NAME_cmp(RevocationCalls.X509_CRL_get_issuer(list), RevocationCalls.X509_get_subject_name(certificate)) == 0
        && RevocationCalls.X509_CRL_verify(list, RevocationCalls.X509_get0_pubkey(certificate)) == 1);
}
