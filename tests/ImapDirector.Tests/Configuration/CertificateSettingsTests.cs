using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using ImapDirector.Configuration;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Architecture;
using Xunit;

namespace ImapDirector.Tests.Configuration;

public sealed class CertificateSettingsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Without_any_of_them_clients_are_asked_for_no_certificate() => Assert.Null(Read().Director.ClientCertificates);

    [Fact]
    public void Those_of_clients_are_read()
    {
        Assert.Equal(new ClientCertificateOptions("/etc/clients.pem"), Read("ClientCertificates:AuthorityFile=/etc/clients.pem").Director.ClientCertificates);
        Assert.Equal(new ClientCertificateOptions("/etc/clients.pem", true, CertificateField.EmailSan),
            Read("ClientCertificates:AuthorityFile=/etc/clients.pem", "ClientCertificates:Require=true", "ClientCertificates:UserFrom=EmailSan").Director.ClientCertificates);
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void There_may_be_so_many_files_with_lists_of_revoked_ones_and_no_more(int count, bool isTaken)
    {
        string[] settings = ["ClientCertificates:AuthorityFile=ca.pem", .. Enumerable.Range(0, count).Select(i => $"ClientCertificates:CrlFiles:{i}={i}.crl")];
        if (isTaken) Assert.Equal(Enumerable.Range(0, count).Select(i => $"{i}.crl"), Read(settings).Director.ClientCertificates!.CrlFiles);
        else Assert.StartsWith("ClientCertificates:CrlFiles names 17:", Assert.Single(Assert.Throws<ConfigurationException>(() => Read(settings)).Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Those_of_HTTPS_are_read_and_wanted_of_everybody_there()
    {
        Assert.Null(Read().Process.Https);
        string[] listener = ["Https:Address=0.0.0.0:1181", "Https:CertificateFile=cert.pem", "Https:KeyFile=key.pem"];
        var bare = Read(listener).Process.Https!;
        Assert.Equal((IPEndPoint.Parse("0.0.0.0:1181"), new CertificatePair("cert.pem", "key.pem"), null), (bare.Address, bare.Certificate, bare.Clients));
        Assert.Empty(bare.Operators);
        var full = Read([.. listener, "Https:ClientCertificates:AuthorityFile=ca.pem", "Https:Operators:0=alice", "Https:Operators:1=*"]).Process.Https!;
        Assert.Equal(new ClientCertificateOptions("ca.pem", IsRequired: true), full.Clients);
        Assert.Equal(["alice", "*"], full.Operators);
        Assert.False(Read([.. listener, "Https:ClientCertificates:AuthorityFile=ca.pem", "Https:ClientCertificates:Require=false"]).Process.Https!.Clients!.IsRequired);
    }

    [Fact]
    public void A_node_has_no_operators() => Assert.Contains("Https:Operators is set, while a node takes orders of directors alone: leave it out.", Assert.Throws<ConfigurationException>(() => NodeSettings.Read(
        SettingsSource.Load(Path.Combine(Repository.Root, "config/node.json"), [$"DataDirectory={_directory.FullName}", "Https:Address=127.0.0.1:1181", "Https:CertificateFile=cert.pem", "Https:KeyFile=key.pem",
            "Https:ClientCertificates:AuthorityFile=ca.pem", "Https:Operators:0=alice"]))).Errors);

    [Fact]
    public void Versions_and_suites_are_read()
    {
        Assert.Equal(TlsPolicy.Default, Read().Process.Tls);
        Assert.Equal(SslProtocols.Tls13, Read("MinimumTlsVersion=1.3").Process.Tls.MinimumVersion);
        Assert.Equal([TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_AES_128_GCM_SHA256],
            Read("MinimumTlsVersion=1.3", "TlsCipherSuites:0=TLS_AES_256_GCM_SHA384", "TlsCipherSuites:1=TLS_AES_128_GCM_SHA256").Process.Tls.Suites);
    }

    [Theory]
    [InlineData(255, true)]
    [InlineData(256, true)]
    [InlineData(257, false)]
    public void There_may_be_so_many_certificates_and_no_more(int count, bool isTaken)
    {
        string[] settings = [.. Enumerable.Range(0, count).SelectMany(i => new[] { $"Certificates:{i}:CertificateFile={i}.pem", $"Certificates:{i}:KeyFile={i}-key.pem" })];
        if (isTaken) Assert.Equal(new CertificatePair("7.pem", "7-key.pem"), Read(settings).Process.Certificates.Single(one => one.CertificateFile == "7.pem"));
        else Assert.StartsWith("Certificates names 257:", Assert.Single(Assert.Throws<ConfigurationException>(() => Read(settings)).Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MinimumTlsVersion=1.1", "MinimumTlsVersion is \"1.1\"")]
    [InlineData("TlsCipherSuites:0=RC4-MD5", "TlsCipherSuites names \"RC4-MD5\"")]
    [InlineData("Certificates:0:CertificateFile=x", "Certificates:0:KeyFile is unset")]
    [InlineData("Certificates:0:KeyFile=x", "Certificates:0:CertificateFile is unset")]
    [InlineData("ClientCertificates:Require=true", "ClientCertificates:AuthorityFile is unset")]
    [InlineData("ClientCertificates:CrlFiles:0=x", "ClientCertificates:AuthorityFile is unset")]
    [InlineData("ClientCertificates:CrlFiles=x", "ClientCertificates:CrlFiles is one value")]
    [InlineData("ClientCertificates:UserFrom=SerialNumber", "ClientCertificates:UserFrom is \"SerialNumber\"")]
    [InlineData("ClientCertificates:Authority=x", "ClientCertificates:Authority is no setting")]
    [InlineData("Https:Address=127.0.0.1:1181", "Https:CertificateFile is unset")]
    [InlineData("Https:CertificateFile=x", "Https:Address is unset")]
    [InlineData("Https:CertificateFile=x", "Https:KeyFile is unset")]
    [InlineData("Https:Operators:0=alice", "Https:ClientCertificates:AuthorityFile is unset")]
    [InlineData("Https:ClientCertificates:Require=true", "Https:ClientCertificates:AuthorityFile is unset")]
    [InlineData("Https:Port=1181", "Https:Port is no setting")]
    [InlineData("Authentication:Mechanisms:0=EXTERNAL", "Authentication:Mechanisms has \"EXTERNAL\", while ClientCertificates is unset")]
    public void What_is_wrong_is_told_with_its_key(string setting, string told) =>
        Assert.Contains(Assert.Throws<ConfigurationException>(() => Read(setting)).Errors, error => error.StartsWith(told, StringComparison.Ordinal));

    private DirectorSettings Read(params string[] settings)
    {
        var keys = AssertionKeyPair.Create(_directory.CreateSubdirectory(Guid.NewGuid().ToString()).FullName, _directory.FullName);
        return DirectorSettings.Read(SettingsSource.Load(Path.Combine(Repository.Root, "config/director.json"), [$"AssertionKeyFile={keys.PrivateFile}", .. settings]));
    }
}
