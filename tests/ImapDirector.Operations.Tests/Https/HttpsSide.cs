using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls;
using ImapDirector.Operations.Https;
using ImapDirector.Tests.Shared;

namespace ImapDirector.Operations.Tests.Https;

/// <summary>What an HTTPS listener is set up with, and those who connect to it.</summary>
internal sealed class HttpsSide : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("https-");

    /// <param name="asks">Whether certificates are asked for.</param>
    /// <param name="isRequired">Whether they are required.</param>
    /// <param name="withList">Whether its authority has a list of revoked ones, <see cref="CrlFile"/>, with nobody on it.</param>
    public HttpsSide(bool asks = true, bool isRequired = true, bool withList = false)
    {
        if (withList) File.WriteAllBytes(CrlFile, Authority.Revoke([]));
        File.WriteAllText(AuthorityFile, Authority.Pem);
        Renew();
        Certificate = ServerCertificate.Load(new CertificatePair(PathOf("cert.pem"), PathOf("key.pem")), isDirect: false, asks ? new ClientCertificateOptions(AuthorityFile, isRequired, CrlFiles: withList ? [CrlFile] : null) : null);
    }

    public ClientAuthority Authority { get; } = new();

    public ServerCertificate Certificate { get; }

    public string AuthorityFile => PathOf("clients.pem");

    public string CrlFile => PathOf("list.crl");

    public HttpsOptions Options(params string[] operators) => new(new IPEndPoint(IPAddress.Loopback, 0), Certificate, operators);

    /// <summary>Writes another certificate for the server.</summary>
    /// <returns>Its fingerprint.</returns>
    public string Renew()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(90));
        File.WriteAllText(PathOf("cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(PathOf("key.pem"), key.ExportPkcs8PrivateKeyPem());
        return certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }

    /// <summary>Certificates that do not count, each with what is wrong.</summary>
    public IEnumerable<(string What, X509Certificate2 Shown)> Faulty()
    {
        using var stranger = new ClientAuthority();
        yield return ("of somebody else with our authority's name", stranger.Issue());
        yield return ("that has ended", Authority.Issue(from: TimeSpan.FromDays(-2), to: TimeSpan.FromDays(-1)));
        yield return ("that has not begun", Authority.Issue(from: TimeSpan.FromHours(12)));
        yield return ("for servers", Authority.Issue(usage: ClientAuthority.ForServers));
        yield return ("for whatever", Authority.Issue(usage: null));
        yield return ("with a broken signature", Authority.Issue(isBroken: true));
    }

    /// <summary>One request on a connection of its own.</summary>
    /// <param name="server">Whom to ask.</param>
    /// <param name="shown">The certificate to show, or <c>null</c>.</param>
    /// <param name="path">What to ask for.</param>
    /// <param name="method">How.</param>
    /// <param name="headers">With what.</param>
    /// <exception cref="HttpRequestException">There was no answer.</exception>
    public static async Task<HttpsAnswer> SendAsync(RunningServer server, X509Certificate2? shown, string path, string method = "GET", params (string Name, string Value)[] headers)
    {
        var fingerprint = "";
        using var client = NewClient(server, shown, IPAddress.Loopback, seen => fingerprint = seen);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await client.SendAsync(request);
        return new HttpsAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.ConnectionClose == true, fingerprint);
    }

    /// <summary>A client with one connection, which stays.</summary>
    /// <param name="server">Whom to ask.</param>
    /// <param name="shown">The certificate to show, or <c>null</c>.</param>
    /// <param name="from">Where it comes from.</param>
    /// <param name="told">Hears the fingerprint of the server's certificate.</param>
    public static HttpClient NewClient(RunningServer server, X509Certificate2? shown, IPAddress from, Action<string>? told = null)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, ConnectCallback = async (_, _) => new NetworkStream(await ConnectAsync(server, from), ownsSocket: true) };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
        {
            if (certificate is not null) told?.Invoke(certificate.GetCertHashString(HashAlgorithmName.SHA256));
            return certificate is not null;
        };
        // Also one of an authority that the server does not name.
        if (shown is not null) handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => shown;
        handler.SslOptions.ApplicationProtocols = [SslApplicationProtocol.Http11];
        return new HttpClient(handler) { BaseAddress = new Uri($"https://{server.HttpsEndPoint}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>A connection and no handshake.</summary>
    public static async Task<Socket> ConnectAsync(RunningServer server, IPAddress from)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(server.HttpsEndPoint);
        return socket;
    }

    public void Dispose()
    {
        Certificate.Dispose();
        Authority.Dispose();
        _directory.Delete(recursive: true);
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);
}

/// <summary>What came, and from whom.</summary>
internal sealed record HttpsAnswer(int Status, string Body, bool IsLast, string Fingerprint);
