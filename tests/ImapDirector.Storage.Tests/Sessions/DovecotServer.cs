using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>A private Dovecot on a free loopback port, with its own data, for comparing answers.</summary>
internal sealed class DovecotServer : IAsyncDisposable
{
    private readonly string _directory;
    private readonly Process _process;

    private DovecotServer(string directory, Process process, int port)
    {
        _directory = directory;
        _process = process;
        EndPoint = new IPEndPoint(IPAddress.Loopback, port);
    }

    public IPEndPoint EndPoint { get; }

    public static async Task<DovecotServer> StartAsync()
    {
        var directory = Directory.CreateTempSubdirectory("dovecot-").FullName;
        var mail = Directory.CreateDirectory(Path.Combine(directory, "mail")).FullName;
        var port = FreePort();
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
        var configuration = Path.Combine(directory, "dovecot.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            base_dir = {{directory}}/run
            state_dir = {{directory}}/run
            log_path = {{directory}}/log
            protocols = imap
            listen = 127.0.0.1
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
            }
            passdb {
              driver = static
              args = nopassword=y
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

            """);
        var process = Process.Start(new ProcessStartInfo("dovecot", ["-F", "-c", configuration]) { RedirectStandardError = true })!;
        var server = new DovecotServer(directory, process, port);
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
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task WaitUntilReadyAsync()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(EndPoint);
                return;
            }
            catch (SocketException) when (attempt < 200 && !_process.HasExited)
            {
                await Task.Delay(50);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
