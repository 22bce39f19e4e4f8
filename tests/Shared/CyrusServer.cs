using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImapDirector.Tests.Shared;

/// <summary>A private Cyrus on free loopback ports, with its own data. <see cref="MasterUser"/> may log in as anybody, and a mailbox is made for everybody who
/// logs in or gets mail.</summary>
public sealed class CyrusServer : IAsyncDisposable
{
    public const string MasterUser = "director";
    public const string MasterPassword = "master secret";

    /// <summary>The imapd of package cyrus-imapd, as test.sh lays it beside Dovecot, together with which it cannot be installed. Besides it, packages
    /// cyrus-common and sasl2-bin have to be.</summary>
    public const string Program = "/usr/local/lib/cyrus/imapd";

    private const string Binaries = "/usr/lib/cyrus/bin";
    private const string Host = "cyrus.test";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _directory;
    private readonly Process _master;

    private CyrusServer(string directory, Process master, IPAddress address, int imapPort, int lmtpPort)
    {
        (_directory, _master) = (directory, master);
        EndPoint = new IPEndPoint(address, imapPort);
        LmtpEndPoint = new IPEndPoint(address, lmtpPort);
    }

    public IPEndPoint EndPoint { get; }

    public IPEndPoint LmtpEndPoint { get; }

    /// <param name="accounts">Users with a password of their own, besides the master.</param>
    public static Task<CyrusServer> StartAsync(params (string User, string Password)[] accounts) => StartAsync(IPAddress.Loopback, accounts);

    /// <param name="address">Where it listens.</param>
    /// <param name="accounts">As above.</param>
    public static async Task<CyrusServer> StartAsync(IPAddress address, params (string User, string Password)[] accounts)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("cyrus-").FullName;
        foreach (var folder in (string[])["spool", "conf/socket", "conf/db", "conf/proc", "conf/log", "conf/msg", "conf/ptclient"])
            System.IO.Directory.CreateDirectory(Path.Combine(directory, folder));
        var (imapPort, lmtpPort) = (FreePort.Next(), FreePort.Next());
        // Started by root, its processes become another user, who then has to own the data.
        var (user, group) = Environment.IsPrivilegedProcess ? ("cyrus", "mail") : (Environment.UserName, Environment.UserName);
        var settings = Path.Combine(directory, "imapd.conf");
        await File.WriteAllTextAsync(settings, $"""
            configdirectory: {directory}/conf
            defaultpartition: default
            partition-default: {directory}/spool
            cyrus_user: {user}
            cyrus_group: {group}
            servername: {Host}
            proxyservers: {MasterUser}
            allowplaintext: yes
            sasl_mech_list: PLAIN
            sasl_pwcheck_method: auxprop
            sasl_auxprop_plugin: sasldb
            sasl_sasldb_path: {directory}/sasldb
            virtdomains: userid
            defaultdomain: {Host}
            unixhierarchysep: yes
            altnamespace: yes
            autocreate_quota: 0
            autocreate_post: yes
            lmtpsocket: {directory}/conf/socket/lmtp
            idlesocket: {directory}/conf/socket/idle
            notifysocket: {directory}/conf/socket/notify

            """);
        var services = Path.Combine(directory, "cyrus.conf");
        await File.WriteAllTextAsync(services, $$"""
            START {
              recover cmd="{{Binaries}}/ctl_cyrusdb -C {{settings}} -r"
            }
            SERVICES {
              imap cmd="{{Program}} -C {{settings}}" listen="{{address}}:{{imapPort}}" prefork=0
              lmtp cmd="{{Binaries}}/lmtpd -C {{settings}} -a" listen="{{address}}:{{lmtpPort}}" prefork=0
            }

            """);
        await AddAccountAsync(directory, MasterUser, Host, MasterPassword);
        foreach (var (name, password) in accounts)
        {
            var at = name.IndexOf('@', StringComparison.Ordinal);
            await AddAccountAsync(directory, name[..at], name[(at + 1)..], password);
        }
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", "-R", $"{user}:{group}", directory);
        // Asked to end, it ends its whole process group, which must not be the one of other tests' servers.
        var master = Process.Start(new ProcessStartInfo("setsid", [$"{Binaries}/master", "-C", settings, "-M", services, "-p", Path.Combine(directory, "conf/pid"), "-D"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var server = new CyrusServer(directory, master, address, imapPort, lmtpPort);
        await server.WaitUntilReadyAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        // Its master takes the others with it when it is asked to end.
        if (!_master.HasExited)
        {
            await RunAsync("kill", $"{_master.Id}");
            try
            {
                await _master.WaitForExitAsync().WaitAsync(Patience);
            }
            catch (TimeoutException)
            {
                // On a busy machine it can miss that a child has ended, and waits for it for ever.
                _master.Kill(entireProcessTree: true);
                await _master.WaitForExitAsync();
            }
        }
        _master.Dispose();
        System.IO.Directory.Delete(_directory, recursive: true);
    }

    private static async Task AddAccountAsync(string directory, string name, string realm, string password)
    {
        using var process = Process.Start(new ProcessStartInfo("saslpasswd2", ["-f", Path.Combine(directory, "sasldb"), "-c", "-p", "-u", realm, name]) { RedirectStandardInput = true })!;
        await process.StandardInput.WriteAsync(password);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"saslpasswd2 ended with {process.ExitCode}.");
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
    }

    private async Task WaitUntilReadyAsync()
    {
        var waiting = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(EndPoint);
                // The port is open before the database is there: the greeting comes when it is.
                if (await probe.GetStream().ReadAsync(new byte[64]).AsTask().WaitAsync(TimeSpan.FromSeconds(20)) > 0) return;
                throw new IOException("Its master listens, and there is no greeting.");
            }
            catch (Exception notYet) when (notYet is SocketException or IOException or TimeoutException && waiting.Elapsed < Patience && !_master.HasExited)
            {
                await Task.Delay(50);
            }
        }
    }
}
