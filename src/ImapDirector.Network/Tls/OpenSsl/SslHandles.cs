using System.Runtime.InteropServices;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>Something of OpenSSL's that is ours to free.</summary>
internal abstract class OpenSslHandle : SafeHandle
{
    protected OpenSslHandle(nint something) : base(0, ownsHandle: true) => SetHandle(something);

    public sealed override bool IsInvalid => handle == 0;
}

/// <summary>An SSL_CTX. OpenSSL counts who uses it: connections keep it alive when this is released.</summary>
internal sealed class SslContextHandle(nint context) : OpenSslHandle(context)
{
    protected override bool ReleaseHandle()
    {
        OpenSslCalls.SSL_CTX_free(handle);
        return true;
    }
}

/// <summary>An SSL with its BIO.</summary>
internal sealed class SslHandle(nint ssl) : OpenSslHandle(ssl)
{
    protected override bool ReleaseHandle()
    {
        OpenSslCalls.SSL_free(handle);
        return true;
    }
}

/// <summary>An X509_CRL.</summary>
internal sealed class CrlHandle(nint list) : OpenSslHandle(list)
{
    /// <summary>Another one for the same; OpenSSL counts them.</summary>
    public CrlHandle Share()
    {
        _ = RevocationCalls.X509_CRL_up_ref(this);
        return new CrlHandle(handle);
    }

    protected override bool ReleaseHandle()
    {
        RevocationCalls.X509_CRL_free(handle);
        return true;
    }
}

/// <summary>An X509_STORE of our own.</summary>
internal sealed class StoreHandle(nint store) : OpenSslHandle(store)
{
    protected override bool ReleaseHandle()
    {
        RevocationCalls.X509_STORE_free(handle);
        return true;
    }
}
