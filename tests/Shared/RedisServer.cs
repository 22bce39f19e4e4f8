using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace ImapDirector.Tests.Shared;

/// <summary>A real redis-server of one test, on a free loopback port, with every write on disk before it is answered.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly string _directory = System.IO.Directory.CreateTempSubdirectory("redis-").FullName;
    private readonly string[] _more;
    private Process? _process;

    private RedisServer(string[] more) => _more = more;

    public int Port { get; } = FreePort.Next();

    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>Its directory, which goes with it.</summary>
    public string DataDirectory => _directory;

    /// <param name="more">Settings besides the usual ones.</param>
    public static async Task<RedisServer> StartAsync(params string[] more)
    {
        var server = new RedisServer(more);
        await server.RestartAsync();
        return server;
    }

    /// <summary>Starts it again after <see cref="KillAsync"/>, on the same port with the same data.</summary>
    public async Task RestartAsync()
    {
        string[] arguments = ["--port", $"{Port}", "--bind", "127.0.0.1", "--dir", _directory, "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no", .. _more];
        _process = Process.Start(new ProcessStartInfo("redis-server", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException("redis-server did not start.");
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await AnswersAsync(timeout.Token)) await Task.Delay(20, timeout.Token);
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process) return;
        _process = null;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    /// <summary>Stops it from doing anything, with its connections open (SIGSTOP).</summary>
    public Task StallAsync() => SignalAsync("STOP");

    /// <summary>Lets it go on (SIGCONT).</summary>
    public Task ResumeAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        System.IO.Directory.Delete(_directory, true);
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("/bin/kill", [$"-{signal}", $"{_process!.Id}"]);
        await kill.WaitForExitAsync();
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        if (_process!.HasExited) throw new InvalidOperationException("redis-server ended at once.");
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
            await client.GetStream().WriteAsync("PING\r\n"u8.ToArray(), cancellationToken);
            var answer = new byte[5];
            return await client.GetStream().ReadAsync(answer, cancellationToken) == 5 && answer[0] == '+';
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
