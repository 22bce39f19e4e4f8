using System.Net.Security;

namespace ImapDirector.Network.Tls;

/// <summary>The certificate we show, and the TLS settings that go with it: 1.2 and 1.3, ALPN <c>imap</c> or nothing (limits P22).</summary>
public sealed class ServerCertificate : IDisposable
{
    /// <summary>Loads a PEM chain and its key.</summary>
    /// <exception cref="InvalidDataException">A file is missing, not PEM, or the key is another certificate's; the message names the file and the fix.</exception>
    public static ServerCertificate Load(string certificateFile, string keyFile) => throw new NotImplementedException();

    /// <summary>Loads <c>cert.pem</c> and <c>key.pem</c> from the directory; makes a self-signed ECDSA P-256 pair there (key file mode 0600) where there is
    /// none or it has expired.</summary>
    public static ServerCertificate LoadOrCreateSelfSigned(string directory, IReadOnlyList<string> names) => throw new NotImplementedException();

    /// <summary>SHA-256 of the leaf certificate, upper-case hexadecimal.</summary>
    public string Fingerprint => throw new NotImplementedException();

    /// <summary>Options for <see cref="Connection.StartTlsServerAsync"/>; one object shared by all connections.</summary>
    public SslServerAuthenticationOptions ServerOptions => throw new NotImplementedException();

    /// <inheritdoc />
    public void Dispose() => throw new NotImplementedException();
}
