using ImapDirector.Configuration;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Architecture;
using Xunit;

namespace ImapDirector.Tests.Configuration;

public sealed class ClientCertificateSettingsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Without_any_of_them_none_is_asked_for() => Assert.Null(Read().Director.ClientCertificates);

    [Fact]
    public void Each_is_read()
    {
        Assert.Equal(new ClientCertificateOptions("/etc/clients.pem"), Read("ClientCertificates:AuthorityFile=/etc/clients.pem").Director.ClientCertificates);
        Assert.Equal(new ClientCertificateOptions("/etc/clients.pem", true, CertificateField.EmailSan),
            Read("ClientCertificates:AuthorityFile=/etc/clients.pem", "ClientCertificates:Require=true", "ClientCertificates:UserFrom=EmailSan").Director.ClientCertificates);
    }

    [Theory]
    [InlineData("ClientCertificates:Require=true", "ClientCertificates:AuthorityFile is unset")]
    [InlineData("ClientCertificates:UserFrom=SerialNumber", "ClientCertificates:UserFrom is \"SerialNumber\"")]
    [InlineData("ClientCertificates:Authority=x", "ClientCertificates:Authority is no setting")]
    [InlineData("Authentication:Mechanisms:0=EXTERNAL", "Authentication:Mechanisms has \"EXTERNAL\", while ClientCertificates is unset")]
    public void What_is_wrong_is_told_with_its_key(string setting, string told) =>
        Assert.Contains(Assert.Throws<ConfigurationException>(() => Read(setting)).Errors, error => error.StartsWith(told, StringComparison.Ordinal));

    private DirectorSettings Read(params string[] settings)
    {
        var keys = AssertionKeyPair.Create(_directory.CreateSubdirectory(Guid.NewGuid().ToString()).FullName, _directory.FullName);
        return DirectorSettings.Read(SettingsSource.Load(Path.Combine(Repository.Root, "config/director.json"), [$"AssertionKeyFile={keys.PrivateFile}", .. settings]));
    }
}
