using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImapDirector.Tests.Shared;

/// <summary>A private Dovecot on free loopback ports, with its own data, which lets every user in with any password and
/// <see cref="MasterUser"/> in as anybody. With package dovecot-lmtpd it takes mail as well.</summary>
public sealed class DovecotServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public const string MasterUser = "director";
    public const string MasterPassword = "master secret";

    /// <summary>What LMTP needs: package dovecot-lmtpd.</summary>
    public const string LmtpProgram = "/usr/lib/dovecot/lmtp";

    private readonly string _directory;
    private readonly string _mail;
    private readonly Process _process;

    private DovecotServer(string directory, string mail, Process process, IPAddress address, int port, int lmtpPort, int proxiedPort)
    {
        (_directory, _mail) = (directory, mail);
        _process = process;
        EndPoint = new IPEndPoint(address, port);
        LmtpEndPoint = new IPEndPoint(address, lmtpPort);
        ProxiedEndPoint = new IPEndPoint(address, proxiedPort);
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>Where it wants a PROXY header first.</summary>
    public IPEndPoint ProxiedEndPoint { get; }

    /// <summary>Where it takes mail, if <see cref="LmtpProgram"/> is there.</summary>
    public IPEndPoint LmtpEndPoint { get; }

    /// <summary>Where a user's Maildir is, or is to be; its processes must be able to write there.</summary>
    public string MaildirOf(string user) => Path.Combine(_mail, user);

    /// <summary>Gives files to the user its processes run as.</summary>
    public static async Task GiveAsync(string directory)
    {
        if (!Environment.IsPrivilegedProcess) return;
        using var chown = Process.Start("chown", ["-R", "nobody:nogroup", directory]);
        await chown.WaitForExitAsync();
    }

    /// <summary>What it has logged so far.</summary>
    public Task<string> ReadLogAsync() => File.ReadAllTextAsync(Path.Combine(_directory, "log"));

    /// <param name="userPassword">The password of every user; <c>null</c> for any.</param>
    /// <param name="address">Where it listens; <c>null</c> for loopback.</param>
    /// <param name="mail">A directory for the mail that it shares with others, and leaves when it goes; <c>null</c> for one of its own.</param>
    /// <param name="everyPlugin">With access lists, quota, annotations, compression and authorised URLs.</param>
    public static async Task<DovecotServer> StartAsync(string? userPassword = null, IPAddress? address = null, string? mail = null, bool everyPlugin = false)
    {
        address ??= IPAddress.Loopback;
        var directory = System.IO.Directory.CreateTempSubdirectory("dovecot-").FullName;
        mail ??= System.IO.Directory.CreateDirectory(Path.Combine(directory, "mail")).FullName;
        var (port, lmtpPort, proxiedPort) = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        var hasLmtp = File.Exists(LmtpProgram);
        // Its processes give up root where they have it; the mail then has to be the unprivileged user's.
        var (user, group) = Environment.IsPrivilegedProcess ? ("nobody", "nogroup") : (Environment.UserName, Environment.UserName);
        if (Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows())
        {
            const UnixFileMode all = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
                | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
            File.SetUnixFileMode(directory, all);
            File.SetUnixFileMode(mail, all);
        }
        var masters = Path.Combine(directory, "masters");
        await File.WriteAllTextAsync(masters, $"{MasterUser}:{{PLAIN}}{MasterPassword}\n");
        var configuration = Path.Combine(directory, "dovecot.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            base_dir = {{directory}}/run
            state_dir = {{directory}}/run
            log_path = {{directory}}/log
            protocols = imap{{(hasLmtp ? " lmtp" : "")}}
            listen = {{address}}
            ssl = no
            disable_plaintext_auth = no
            first_valid_uid = 1
            mail_location = maildir:{{mail}}/%u
            default_internal_user = {{user}}
            default_login_user = {{user}}
            default_internal_group = {{group}}
            service imap-login {
              chroot =
              inet_listener imap {
                port = {{port}}
              }
              inet_listener imaps {
                port = 0
              }
              inet_listener imap_proxied {
                port = {{proxiedPort}}
                haproxy = yes
              }
            }
            {{(hasLmtp ? $$"""
                service lmtp {
                  inet_listener lmtp {
                    port = {{lmtpPort}}
                  }
                }
                lmtp_save_to_detail_mailbox = no
                """ : "")}}
            haproxy_trusted_networks = 127.0.0.1
            login_trusted_networks = 127.0.0.0/8 10.0.0.0/8
            login_log_format_elements = user=<%u> master=<%{orig_user}> rip=%r:%{rport} lip=%l session=<%{session}>
            passdb {
              driver = passwd-file
              args = {{masters}}
              master = yes
            }
            passdb {
              driver = static
              args = {{(userPassword is null ? "nopassword=y" : $"password={userPassword}")}}
            }
            userdb {
              driver = static
              args = uid={{user}} gid={{group}} home={{mail}}/%u
            }
            namespace inbox {
              inbox = yes
              separator = /
              mailbox Archive {
                auto = subscribe
                special_use = \Archive
              }
            }
            {{(everyPlugin ? """
                mail_plugins = acl quota
                protocol imap {
                  mail_plugins = acl quota imap_acl imap_quota imap_zlib
                  imap_metadata = yes
                  imap_urlauth_host = *
                }
                mail_attribute_dict = file:%h/attributes
                plugin {
                  acl = vfile
                  quota = count:User quota
                  quota_vsizes = yes
                  quota_rule = *:storage=1G
                }
                """ : "")}}

            """);
        var process = Process.Start(new ProcessStartInfo("dovecot", ["-F", "-c", configuration]) { RedirectStandardError = true })!;
        var server = new DovecotServer(directory, mail, process, address, port, lmtpPort, proxiedPort);
        await server.WaitUntilReadyAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        // Its master process takes the others with it when it is asked to end.
        if (!_process.HasExited)
        {
            using var terminate = Process.Start("kill", [$"{_process.Id}"]);
            await terminate.WaitForExitAsync();
            try
            {
                await _process.WaitForExitAsync().WaitAsync(Patience);
            }
            catch (TimeoutException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync();
            }
        }
        _process.Dispose();
        System.IO.Directory.Delete(_directory, recursive: true);
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
                return;
            }
            catch (SocketException) when (waiting.Elapsed < Patience && !_process.HasExited)
            {
                await Task.Delay(50);
            }
        }
    }
}
