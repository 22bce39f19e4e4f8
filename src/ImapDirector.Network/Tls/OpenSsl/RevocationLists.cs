using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>Lists of revoked certificates (CRL, RFC 5280 section 5). OpenSSL reads them and looks certificates up in them, also where the handshake is .NET's, which has no
/// way to be given one.</summary>
/// <remarks>
/// A client's certificate needs a list of its issuer, signed, begun and not out of date; else it does not count. Of those above it each is looked up where there is a
/// list of its issuer.
/// </remarks>
internal sealed class RevocationLists
{
    /// <summary>The longest file, in bytes: some 100,000 certificates. A list's signature is checked, so all of it is gone over, for each certificate that is looked up in it.</summary>
    public const int MostFileBytes = 4 * 1024 * 1024;

    /// <summary>The most lists, in all files.</summary>
    public const int MostLists = 64;

    private const string PemLabel = "X509 CRL";
    private const byte DerSequence = 0x30;
    // A list may say any year from 0 to 9999, and not all of them are a DateTimeOffset.
    private const int MostDays = 700_000;

    private readonly List<CrlHandle> _lists = [];
    private readonly Dictionary<string, DateTimeOffset> _ends = new(StringComparer.Ordinal);
    private readonly StoreHandle _store;

    private RevocationLists(StoreHandle store) => _store = store;

    /// <summary>Of each file, when the first list in it is out of date.</summary>
    public IReadOnlyList<RevocationState> States => [.. _ends.Select(static one => new RevocationState(one.Key, one.Value))];

    /// <summary>Reads them.</summary>
    /// <param name="files">Where they came from, for messages.</param>
    /// <param name="contents">What is in each.</param>
    /// <param name="authorities">Whose lists they may be.</param>
    /// <exception cref="InvalidDataException">They cannot be used; the message names the file and the fix.</exception>
    public static RevocationLists Parse(IReadOnlyList<string> files, IReadOnlyList<byte[]> contents, X509Certificate2Collection authorities)
    {
        if (!TlsContext.IsSupported) throw new InvalidDataException("CrlFiles is set, and OpenSSL 3, which looks certificates up in them, is not here: install libssl3, or leave CrlFiles out.");
        var lists = new RevocationLists(new StoreHandle(RevocationCalls.X509_STORE_new()));
        for (var i = 0; i < files.Count; i++) lists.Read(files[i], contents[i], authorities);
        if (!lists.TrySetUpStore(authorities)) throw new InvalidDataException("OpenSSL does not take the lists of CrlFiles: " + OpenSslCalls.LastReason());
        return lists;
    }

    /// <summary>Looks up a certificate that has been verified, and those above it. Before that nobody may be: OpenSSL goes over the whole list for whoever shows its authority's name, and
    /// looks at their own signature afterwards. They are all among the authorities: else there is no list of its issuer.</summary>
    /// <param name="certificate">The client's.</param>
    /// <returns>What is wrong with it, or <c>null</c>. A text of OpenSSL's, never one of the client's.</returns>
    public string? FaultOf(X509Certificate2 certificate)
    {
        string? fault = "it cannot be looked up";
        var verification = RevocationCalls.X509_STORE_CTX_new();
        try
        {
            _ = TlsContext.TryWith(certificate.RawData, own => (fault = Verify(verification, own)) is null);
            return fault;
        }
        finally
        {
            RevocationCalls.X509_STORE_CTX_free(verification);
            OpenSslCalls.ERR_clear_error();
        }
    }

    private string? Verify(nint verification, nint certificate)
    {
        if (verification == 0 || RevocationCalls.X509_STORE_CTX_init(verification, _store, certificate, 0) != 1) return "it cannot be looked up";
        if (OpenSslCalls.X509_verify_cert(verification) == 1) return null;
        return Marshal.PtrToStringUTF8(OpenSslCalls.X509_verify_cert_error_string(new CLong(RevocationCalls.X509_STORE_CTX_get_error(verification)))) ?? "unknown reason";
    }

    private unsafe bool TrySetUpStore(X509Certificate2Collection authorities)
    {
        var isHeld = false;
        _store.DangerousAddRef(ref isHeld);
        try
        {
            var store = _store.DangerousGetHandle();
            if (store == 0) return false;
            RevocationCalls.X509_STORE_set_verify_cb(store, &Judge);
            return authorities.All(one => TlsContext.TryWith(one.RawData, certificate => OpenSslCalls.X509_STORE_add_cert(store, certificate) == 1))
                && RevocationCalls.X509_STORE_set_depth(store, ClientAuthorities.MostBetween) == 1
                && _lists.All(list => RevocationCalls.X509_STORE_add_crl(store, list) == 1)
                && RevocationCalls.X509_STORE_set_flags(store, new CULong(RevocationCalls.CheckLists | RevocationCalls.CheckAllLists)) == 1;
        }
        finally
        {
            if (isHeld) _store.DangerousRelease();
        }
    }

    private void Read(string file, byte[] content, X509Certificate2Collection authorities)
    {
        try
        {
            if (content.Length > MostFileBytes) throw Unusable($"is longer than {MostFileBytes} bytes");
            var count = _lists.Count;
            if (content is [DerSequence, ..]) Add(content);
            else ReadPem(Encoding.Latin1.GetString(content));
            if (_lists.Count == count) throw Unusable("has no list");
        }
        finally
        {
            OpenSslCalls.ERR_clear_error();
        }

        void ReadPem(ReadOnlySpan<char> text)
        {
            while (PemEncoding.TryFind(text, out var fields))
            {
                if (!text[fields.Label].SequenceEqual(PemLabel)) throw Unusable("has something else in it than lists");
                Add(Convert.FromBase64String(text[fields.Base64Data].ToString()));
                text = text[fields.Location.End..];
            }
        }

        void Add(byte[] encoded)
        {
            var list = TryParse(encoded) ?? throw Unusable("has what is no list");
            // First of all: anybody can write the rest.
            if (!authorities.Any(authority => IsOf(list, authority))) throw Unusable("has a list that nobody of AuthorityFile has signed");
            if (RevocationCalls.X509_CRL_get_ext_by_NID(list, RevocationCalls.DeltaIndicator, -1) >= 0) throw Unusable("has a list of changes alone (a delta)");
            var end = EndOf(list) ?? throw Unusable("has a list that does not say until when it holds");
            if (_lists.Count == MostLists) throw new InvalidDataException($"CrlFiles has more than {MostLists} lists: give one for each authority.");
            _lists.Add(list);
            _ends[file] = _ends.TryGetValue(file, out var other) && other < end ? other : end;
        }

        InvalidDataException Unusable(string why) =>
            new($"The CRL file \"{file}\" {why}: give whole lists of revoked certificates (CRL), PEM or DER, of those in AuthorityFile, or leave it out.");
    }

    private static unsafe CrlHandle? TryParse(byte[] encoded)
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

    private static bool IsOf(CrlHandle list, X509Certificate2 authority) => TlsContext.TryWith(authority.RawData, certificate =>
        RevocationCalls.X509_NAME_cmp(RevocationCalls.X509_CRL_get_issuer(list), RevocationCalls.X509_get_subject_name(certificate)) == 0
        && RevocationCalls.X509_CRL_verify(list, RevocationCalls.X509_get0_pubkey(certificate)) == 1);

    /// <summary>Hears of what is wrong with a certificate, and lets those above the client's be without a list.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Judge(int isFine, nint verification)
    {
        if (isFine == 1) return 1;
        if (RevocationCalls.X509_STORE_CTX_get_error(verification) != RevocationCalls.NoList || RevocationCalls.X509_STORE_CTX_get_error_depth(verification) == 0) return 0;
        RevocationCalls.X509_STORE_CTX_set_error(verification, RevocationCalls.Fine);
        return 1;
    }
}
