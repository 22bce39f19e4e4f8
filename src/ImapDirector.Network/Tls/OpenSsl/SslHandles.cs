using System.Runtime.InteropServices;

namespace ImapDirector.Network.Tls.OpenSsl;

/// <summary>An SSL_CTX. OpenSSL counts who uses it: connections keep it alive when this is released.</summary>
internal sealed class SslContextHandle : SafeHandle
{
    public SslContextHandle(nint context) : base(0, ownsHandle: true) => SetHandle(context);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        OpenSslCalls.SSL_CTX_free(handle);
        return true;
    }
}

/// <summary>An SSL with its BIO.</summary>
internal sealed class SslHandle : SafeHandle
{
    public SslHandle(nint ssl) : base(0, ownsHandle: true) => SetHandle(ssl);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        OpenSslCalls.SSL_free(handle);
        return true;
    }
}
