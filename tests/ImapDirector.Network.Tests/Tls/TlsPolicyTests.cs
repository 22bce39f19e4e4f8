using System.Net.Security;
using System.Security.Authentication;
using ImapDirector.Network.Tls;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

public sealed class TlsPolicyTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData(true, SslProtocols.Tls12, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")]
    [InlineData(false, SslProtocols.Tls12, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")]
    [InlineData(true, SslProtocols.Tls13, "TLS_AES_128_GCM_SHA256")]
    [InlineData(false, SslProtocols.Tls13, "TLS_AES_128_GCM_SHA256")]
    public async Task What_costs_least_is_agreed_on_by_itself(bool isDirect, SslProtocols version, string suite) =>
        Assert.Equal(suite, await AgreedAsync(isDirect, TlsPolicy.Default, version));

    [Theory]
    [InlineData(true, SslProtocols.Tls12, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")]
    [InlineData(false, SslProtocols.Tls12, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")]
    [InlineData(true, SslProtocols.Tls13, "TLS_AES_256_GCM_SHA384")]
    [InlineData(false, SslProtocols.Tls13, "TLS_AES_256_GCM_SHA384")]
    public async Task The_first_that_is_named_is_agreed_on(bool isDirect, SslProtocols version, string suite)
    {
        var policy = TlsPolicy.Create("1.2", ["TLS_AES_256_GCM_SHA384", "tls_ecdhe_ecdsa_with_aes_256_gcm_sha384", "TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]);
        Assert.Equal(suite, await AgreedAsync(isDirect, policy, version));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_version_below_the_lowest_is_refused(bool isDirect)
    {
        var policy = TlsPolicy.Create("1.3", []);
        Assert.Equal("TLS_AES_128_GCM_SHA256", await AgreedAsync(isDirect, policy, SslProtocols.Tls13));
        Assert.Null(await AgreedAsync(isDirect, policy, SslProtocols.Tls12));
    }

    [Theory]
    [InlineData("1.1", "TLS_AES_128_GCM_SHA256", "MinimumTlsVersion is \"1.1\": give 1.2 or 1.3.")]
    [InlineData("1.3", "TLS_RSA_WITH_AES_128_CBC_SHA", "TlsCipherSuites names \"TLS_RSA_WITH_AES_128_CBC_SHA\": give some of TLS_AES_128_GCM_SHA256, ")]
    [InlineData(null, "TLS_AES_128_GCM_SHA256", "TlsCipherSuites has none of TLS 1.2: ")]
    [InlineData(null, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TlsCipherSuites has none of TLS 1.3: ")]
    public void What_would_be_weak_or_nothing_cannot_be_set(string? version, string suite, string message) =>
        Assert.StartsWith(message, Assert.Throws<InvalidDataException>(() => TlsPolicy.Create(version, [suite])).Message, StringComparison.Ordinal);

    /// <returns>The suite; <c>null</c> when the server refuses.</returns>
    private async Task<string?> AgreedAsync(bool isDirect, TlsPolicy policy, SslProtocols version)
    {
        using var certificate = ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"], isDirect, policy: policy);
        await using var pair = await SocketPair.ConnectAsync();
        var server = pair.Server.StartTlsServerAsync(certificate, CancellationToken.None);
        var options = new SslClientAuthenticationOptions { TargetHost = "policy.example.com", EnabledSslProtocols = version, AllowTlsResume = false };
#pragma warning disable CA5359 // The certificate is self-signed, on a socket pair.
        options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        var client = pair.Client.StartTlsClientAsync(options, CancellationToken.None);
        try
        {
            await server.WaitAsync(TestBytes.Patience);
        }
        catch (AuthenticationException)
        {
            pair.Server.Abort();
            await Assert.ThrowsAnyAsync<Exception>(() => client);
            return null;
        }
        await client.WaitAsync(TestBytes.Patience);
        return pair.Client.Tls!.NegotiatedCipherSuite.ToString();
    }
}
