using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>Lists of revoked certificates (CRL, RFC 5280 section 5). OpenSSL reads them and looks certificates up in them, also where the handshake is .NET's, which has no
/// way to be given one.</summary>
/// <remarks>
/// A client's certificate needs a list of its issuer, signed, begun and not out of date; else it does not count. Of those above it each is looked up where there is a
/// list of its issuer. Of each authority the newest list counts that was ever read, so that nobody is good again by an old one.
/// </remarks>
internal sealed class RevocationLists : IDisposable
{
    /// <summary>The longest file, in bytes: some 100,000 certificates. A list's signature is checked, so all of it is gone over, for each certificate that is looked up in it.</summary>
    public const int MostFileBytes = 4 * 1024 * 1024;

    /// <summary>The most lists, in all files.</summary>
    public const int MostLists = 64;

    private readonly Dictionary<string, RevocationList> _newest = new(StringComparer.Ordinal);
    // Of which authorities each file has, or had, a list.
    private readonly Dictionary<string, HashSet<string>> _authorities = new(StringComparer.Ordinal);
    private readonly List<string> _faults = [];
    private readonly StoreHandle _store = new(RevocationCalls.X509_STORE_new());

    private RevocationLists()
    {
    }

    /// <summary>Of each file, when the first list is out of date that counts of its authorities: the beginning of 1970 where there is none.</summary>
    public IReadOnlyList<RevocationState> States { get; private set; } = [];

    /// <summary>Why files are not used, or lists in them: a sentence each, that names the file and the fix.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Whether what it holds has been freed.</summary>
    public bool IsFreed => _store.IsClosed;

    /// <summary>Reads them. What cannot be used is left out, and told by <see cref="Faults"/>: nobody counts then that it is about, unless something is known from before.</summary>
    /// <param name="files">Where they came from, for messages.</param>
    /// <param name="contents">What is in each.</param>
    /// <param name="authorities">Whose lists they may be.</param>
    /// <param name="former">What was known before; <c>null</c> for nothing.</param>
    /// <exception cref="InvalidDataException">None can be used at all; the message says why.</exception>
    public static RevocationLists Parse(IReadOnlyList<string> files, IReadOnlyList<FileContent> contents, X509Certificate2Collection authorities, RevocationLists? former = null)
    {
        if (!TlsContext.IsSupported) throw new InvalidDataException("CrlFiles is set, and OpenSSL 3, which looks certificates up in them, is not here: install libssl3, or leave CrlFiles out.");
        var lists = new RevocationLists();
        try
        {
            lists.KeepOf(former, files, authorities);
            var count = 0;
            for (var i = 0; i < files.Count; i++) count += lists.Read(files[i], contents[i], authorities, former, MostLists - count);
            if (!lists.TrySetUpStore(authorities)) throw new InvalidDataException("OpenSSL does not take the lists of CrlFiles: " + OpenSslCalls.LastReason());
            lists.States = [.. files.Distinct(StringComparer.Ordinal).Select(file => new RevocationState(file, lists.EndOf(file)))];
            return lists;
        }
        catch
        {
            lists.Dispose();
            throw;
        }
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

    /// <inheritdoc />
    public void Dispose()
    {
        _store.Dispose();
        foreach (var list in _newest.Values) list.Dispose();
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
            // Of a file that is not there nobody knows whose lists would be in it.
            if (_authorities.Values.All(static known => known.Count > 0)) RevocationCalls.X509_STORE_set_verify_cb(store, &Judge);
            return authorities.All(one => TlsContext.TryWith(one.RawData, certificate => OpenSslCalls.X509_STORE_add_cert(store, certificate) == 1))
                && RevocationCalls.X509_STORE_set_depth(store, ClientAuthorities.MostBetween) == 1
                && _newest.Values.All(list => RevocationCalls.X509_STORE_add_crl(store, list.Handle) == 1)
                && RevocationCalls.X509_STORE_set_flags(store, new CULong(RevocationCalls.CheckLists | RevocationCalls.CheckAllLists)) == 1;
        }
        finally
        {
            if (isHeld) _store.DangerousRelease();
        }
    }

    private void KeepOf(RevocationLists? former, IReadOnlyList<string> files, X509Certificate2Collection authorities)
    {
        var allowed = authorities.Select(RevocationList.KeyOf).ToHashSet(StringComparer.Ordinal);
        foreach (var file in files) _authorities[file] = [.. (former?._authorities.GetValueOrDefault(file) ?? []).Where(allowed.Contains)];
        foreach (var (authority, list) in former?._newest ?? [])
            if (allowed.Contains(authority)) _newest.Add(authority, list.Share());
    }

    private int Read(string file, FileContent content, X509Certificate2Collection authorities, RevocationLists? former, int most)
    {
        List<RevocationList> read;
        try
        {
            read = RevocationFile.Parse(file, content, authorities, most);
        }
        catch (InvalidDataException unusable)
        {
            _faults.Add(unusable.Message);
            return 0;
        }
        foreach (var list in read)
        {
            _authorities[file].Add(list.Authority);
            if (_newest.TryGetValue(list.Authority, out var other) && other.IsNewerThan(list))
            {
                if (former?._newest.TryGetValue(list.Authority, out var before) == true && before.IsNewerThan(list)) _faults.Add($"The CRL file \"{file}\" has an older list than was there before, which goes on to hold: see what writes it. Where the authority itself has gone back, restart.");
                list.Dispose();
                continue;
            }
            other?.Dispose();
            _newest[list.Authority] = list;
        }
        return read.Count;
    }

    private DateTimeOffset EndOf(string file) => _authorities[file].Count == 0 ? DateTimeOffset.UnixEpoch : _authorities[file].Min(authority => _newest[authority].End);

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
