using System.Net;
using System.Net.Sockets;
using Garnet;
using Garnet.server;
using Garnet.server.Auth.Settings;
using Microsoft.Extensions.Logging;
using Tsavorite.core;

namespace ImapDirector.Standalone;

/// <summary>The Redis-compatible server of the stand-alone role: Garnet in this process, on a loopback port, its data on disk.</summary>
/// <remarks>A write is answered after its record in the append-only file is on disk, so an answered write survives <c>kill -9</c>.</remarks>
/// <param name="directory">Where the data lives; made when it is missing.</param>
/// <param name="port">The loopback port, 0 for a free one.</param>
/// <param name="password">What clients must give, ASCII without commas.</param>
/// <param name="loggers">Garnet's own lines come out of it from warnings upwards.</param>
internal sealed class EmbeddedRedis(string directory, int port, string password, ILoggerFactory loggers) : IAsyncDisposable
{
    private GarnetServer? _server;

    /// <summary>What <c>DirectorOptions.Redis</c> takes: end point and password. Set once started.</summary>
    public string ConnectionString => $"127.0.0.1:{Port},password={password}";

    /// <summary>The port it listens on.</summary>
    public int Port { get; private set; } = port;

    /// <summary>Recovers what the directory holds and listens.</summary>
    /// <exception cref="IOException">The port is taken; the message names it.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (Port == 0) Port = FreePort();
        var path = System.IO.Directory.CreateDirectory(directory).FullName;
        try
        {
            _server = new GarnetServer(Options(path, Port, password), new WarningsOnly(loggers));
            _server.Start();
        }
        catch (Exception failed) when (failed.GetBaseException() is SocketException refused)
        {
            throw new IOException($"Redis cannot listen on \"127.0.0.1:{Port}\" ({refused.SocketErrorCode}): free the port, or choose another one.", failed);
        }
        return Task.CompletedTask;
    }

    /// <summary>Writes what is left to disk and stops.</summary>
    public ValueTask DisposeAsync()
    {
        _server?.Dispose(false);
        _server = null;
        return ValueTask.CompletedTask;
    }

    private static GarnetServerOptions Options(string path, int port, string password) => new()
    {
        EndPoints = [new IPEndPoint(IPAddress.Loopback, port)],
        AuthSettings = new PasswordAuthenticationSettings(password),
        QuietMode = true,
        // The default device needs libaio, which a fresh machine does not have.
        DeviceType = DeviceType.RandomAccess,
        EnableStorageTier = true,
        LogDir = path,
        CheckpointDir = path,
        Recover = true,
        FailOnRecoveryError = true,
        EnableAOF = true,
        CommitFrequencyMs = 0,
        WaitForCommit = true,
        // A session that waits for its commit holds a thread of the pool; on few cores the pool would be slow to lend the next.
        ThreadPoolMinThreads = 64,
        // Beyond this a checkpoint is taken and the file begins anew; without a limit it would grow with every lease renewal.
        AofSizeLimit = "64m",
        EnableLua = true,
        // Garnet runs sessions in parallel: without this a script is not atomic, and two first logins could be given two nodes.
        LuaTransactionMode = true,
        LuaOptions = new LuaOptions(LuaMemoryManagementMode.Native, "", TimeSpan.FromSeconds(2), LuaLoggingMode.Silent, []),
        LogMemorySize = "64m",
        PageSize = "1m",
        IndexMemorySize = "4m",
        AofMemorySize = "16m",
        AofPageSize = "2m",
    };

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
