using ImapDirector.Network.Tls;

namespace ImapDirector.Director.Tests.Login;

/// <summary>A self-signed certificate for <c>localhost</c>; the caller disposes it.</summary>
internal static class TestCertificate
{
    public static ServerCertificate Create(bool isDirect = true, ClientCertificateOptions? clients = null)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("certificate-").FullName;
        try
        {
            return ServerCertificate.LoadOrCreateSelfSigned(directory, ["localhost"], isDirect, clients);
        }
        finally
        {
            System.IO.Directory.Delete(directory, true);
        }
    }
}
