using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>An authority of <c>openssl ca</c>.</summary>
internal sealed class OpenSslAuthority : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public OpenSslAuthority()
    {
        File.WriteAllText(PathOf("index.txt"), "");
        File.WriteAllText(PathOf("number"), "01\n");
        Run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", PathOf("key.pem"), "-out", PathOf("ca.pem"), "-subj", "/CN=Of openssl", "-days", "10", "-addext", "keyUsage=critical,keyCertSign,cRLSign");
        Certificate = X509Certificate2.CreateFromPem(File.ReadAllText(PathOf("ca.pem")));
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>Its list, in PEM.</summary>
    /// <param name="extension">What it has besides its number, as in x509v3_config(5).</param>
    public string MakeList(string extension)
    {
        File.WriteAllText(PathOf("ca.cnf"), $"""
            [ca]
            default_ca=own
            [own]
            database={PathOf("index.txt")}
            crlnumber={PathOf("number")}
            certificate={PathOf("ca.pem")}
            private_key={PathOf("key.pem")}
            default_md=sha256
            default_crl_days=2
            [list]
            authorityKeyIdentifier=keyid
            {extension}
            [point]
            fullname=URI:http://ca.example.com/part.crl
            onlyuser=TRUE
            """);
        Run("ca", "-config", PathOf("ca.cnf"), "-gencrl", "-crlexts", "list", "-out", PathOf("list.crl"));
        return File.ReadAllText(PathOf("list.crl"));
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _directory.Delete(recursive: true);
    }

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private static void Run(params string[] arguments)
    {
        using var program = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = program.StandardError.ReadToEnd();
        program.WaitForExit();
        Assert.True(program.ExitCode == 0, said);
    }
}
