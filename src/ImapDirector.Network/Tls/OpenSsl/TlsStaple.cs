using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>Lets a handshake show what the authority says of its certificate, to clients that ask for it.</summary>
internal static unsafe class TlsStaple
{
    /// <summary>What the handshake that is under way on this thread shows, unless <see cref="TlsChoice.Chosen"/> is something else.</summary>
    [ThreadStatic]
    public static ShownCertificate? Current;

    /// <summary>SSL_CTX_set_tlsext_status_cb(3).</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Give(nint ssl, nint argument)
    {
        if ((TlsChoice.Chosen ?? Current)?.Staple is not { } staple || staple.Expires <= DateTimeOffset.UtcNow) return OpenSslCalls.NothingStapled;
        // OpenSSL takes it over, and frees it.
        var copy = OpenSslCalls.CRYPTO_malloc((nuint)staple.Encoded.Length, null, 0);
        if (copy == null) return OpenSslCalls.NothingStapled;
        staple.Encoded.CopyTo(new Span<byte>(copy, staple.Encoded.Length));
        _ = OpenSslCalls.SSL_ctrl(ssl, OpenSslCalls.SetStatusResponse, staple.Encoded.Length, (nint)copy);
        return OpenSslCalls.Stapled;
    }
}
