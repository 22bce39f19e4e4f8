using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>Lets a handshake show the certificate whose name the client asks for.</summary>
/// <param name="names">Which certificate goes with which name.</param>
/// <param name="contexts">The contexts of all certificates but the one that is shown without a name.</param>
internal sealed unsafe class TlsChoice(CertificateNames names, IReadOnlyDictionary<ShownCertificate, TlsContext> contexts)
{
    /// <summary>Of the handshake that is under way on this thread, from within which OpenSSL asks; <c>null</c> elsewhere.</summary>
    [ThreadStatic]
    public static TlsChoice? Current;

    /// <summary>What was chosen last on this thread.</summary>
    [ThreadStatic]
    public static ShownCertificate? Chosen;

    /// <summary>SSL_CTX_set_tlsext_servername_callback(3). OpenSSL takes no name of more than 255 bytes, or with a NUL in it, and we none that is not ASCII.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Choose(nint ssl, int* alert, nint argument)
    {
        var name = OpenSslCalls.SSL_get_servername(ssl, OpenSslCalls.HostName);
        if (name == 0 || Current is not { } choice) return OpenSslCalls.NameIgnored;
        var bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)name);
        Span<char> text = stackalloc char[CertificateNames.MostNameBytes];
        if (bytes.Length > text.Length || !Ascii.IsValid(bytes)) return OpenSslCalls.NameIgnored;
        try
        {
            return choice.Choose(ssl, text[..Encoding.ASCII.GetChars(bytes, text)]);
        }
        catch (ObjectDisposedException)
        {
            // The certificates go while somebody shakes hands; nothing may be thrown through OpenSSL.
            return OpenSslCalls.NameRefused;
        }
    }

    private int Choose(nint ssl, ReadOnlySpan<char> name)
    {
        if (names.Find(name) is not { } certificate) return OpenSslCalls.NameIgnored;
        // The connection keeps it alive from here on. Only the certificate is another; tickets have the keys of the first.
        if (contexts.TryGetValue(certificate, out var context) && OpenSslCalls.SSL_set_SSL_CTX(ssl, context.Handle) == 0) return OpenSslCalls.NameRefused;
        Chosen = certificate;
        return OpenSslCalls.NameTaken;
    }
}
