using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Shared;

namespace ImapDirector.Director.Tests.Authentication.Databases;

/// <summary>A real slapd of one test, with the people of example.com in it.</summary>
internal sealed class LdapServer : IAsyncDisposable
{
    public const string People = "ou=people,dc=example,dc=com";
    public const string LookupDn = "cn=admin,dc=example,dc=com";
    public const string LookupPassword = "lookup secret";

    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("ldap-").FullName;
    private readonly int _port = FreePort.Next();
    private readonly int _tlsPort = FreePort.Next();
    private Process? _process;

    /// <summary>In the clear, or with STARTTLS.</summary>
    public Uri Url => new(string.Create(CultureInfo.InvariantCulture, $"ldap://localhost:{_port}"));

    /// <summary>With TLS from the first byte.</summary>
    public Uri TlsUrl => new(string.Create(CultureInfo.InvariantCulture, $"ldaps://localhost:{_tlsPort}"));

    /// <summary>What signs its certificate.</summary>
    public string CaFile => Path.Combine(_directory, "cert.pem");

    /// <param name="passwords">The names before the @, and what is in their userPassword.</param>
    public static async Task<LdapServer> StartAsync(params (string Name, string Password)[] passwords)
    {
        var server = new LdapServer();
        ServerCertificate.LoadOrCreateSelfSigned(server._directory, ["localhost"]).Dispose();
        System.IO.Directory.CreateDirectory(Path.Combine(server._directory, "data"));
        await File.WriteAllTextAsync(Path.Combine(server._directory, "slapd.conf"), $"""
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            pidfile {server._directory}/slapd.pid
            TLSCertificateFile {server._directory}/cert.pem
            TLSCertificateKeyFile {server._directory}/key.pem
            sizelimit 500
            database mdb
            maxsize 10485760
            suffix "dc=example,dc=com"
            rootdn "{LookupDn}"
            rootpw "{LookupPassword}"
            directory {server._directory}/data
            access to attrs=userPassword by anonymous auth by * none
            access to * by anonymous auth by * none

            """);
        var entries = $"""
            dn: dc=example,dc=com
            objectClass: dcObject
            objectClass: organization
            o: Example
            dc: example

            dn: {People}
            objectClass: organizationalUnit
            ou: people


            """ + string.Concat(passwords.Select(person => $"""
            dn: uid={person.Name},{People}
            objectClass: inetOrgPerson
            uid: {person.Name}
            cn: {person.Name}
            sn: {person.Name}
            mail: {person.Name.TrimEnd('2')}@example.com
            employeeType: {(person.Name == "gone" ? "TRUE" : "FALSE")}
            userPassword: {person.Password}


            """));
        await File.WriteAllTextAsync(Path.Combine(server._directory, "people.ldif"), entries);
        await RunAsync("/usr/sbin/slapadd", "-f", Path.Combine(server._directory, "slapd.conf"), "-l", Path.Combine(server._directory, "people.ldif"));
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts it, again after <see cref="StopAsync"/>.</summary>
    public async Task StartAgainAsync()
    {
        _process = Process.Start(new ProcessStartInfo("/usr/sbin/slapd",
            ["-f", Path.Combine(_directory, "slapd.conf"), "-h", $"ldap://127.0.0.1:{_port} ldaps://127.0.0.1:{_tlsPort}", "-d", "0"])
        { RedirectStandardError = true });
        _process!.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, _tlsPort, timeout.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(20, timeout.Token);
            }
        }
    }

    public async Task StopAsync()
    {
        if (_process is not { } process) return;
        _process = null;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        System.IO.Directory.Delete(_directory, true);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException(error);
    }
}
