using System.Net;
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using ImapDirector.Director;
using ImapDirector.Director.Relay;
using ImapDirector.Network;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;

namespace ImapDirector.Micro;

/// <summary>The way of a command to the node and of its answer back, through one session between plain sockets: with both ends' own calls.</summary>
[MemoryDiagnoser]
public class RelayBenchmarks : IDisposable
{
    private readonly Ended _ended = new();
    private readonly byte[] _command = "a NOOP\r\n"u8.ToArray();
    private readonly byte[] _received = new byte[256 * 1024];
    private byte[] _answer = [];
    private RelayLoops _loops = null!;
    private RelayWatch _watch = null!;
    private (Socket Far, Connection Near) _client;
    private (Socket Far, Connection Near) _node;

    /// <summary>Threads of the relay; with none the runtime's move the bytes.</summary>
    [Params(0, 1)]
    public int Threads { get; set; }

    /// <summary>Length of the answer.</summary>
    [Params(30, 4096, 65536)]
    public int AnswerBytes { get; set; }

    /// <summary>Connects.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _answer = new byte[AnswerBytes];
        Array.Fill(_answer, (byte)'x');
        (_loops, _watch) = (new RelayLoops(Threads, NullLogger.Instance), new RelayWatch(TimeSpan.FromHours(1), TimeSpan.FromSeconds(1)));
        var loop = _loops.All is [var first, ..] ? first : null;
        (_client, _node) = (Pair(loop), Pair(loop));
        var metrics = new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()));
        SessionRelay.Create(_client.Near, _node.Near, _watch, metrics, _ended).Begin();
    }

    /// <summary>One command and its answer.</summary>
    [Benchmark]
    public void PassCommandAndAnswer()
    {
        _client.Far.Send(_command);
        Receive(_node.Far, _command.Length);
        _node.Far.Send(_answer);
        Receive(_client.Far, _answer.Length);
    }

    /// <summary>Ends the session.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _client.Far.Dispose();
        _node.Far.Dispose();
        _ended.Task.Wait(TimeSpan.FromSeconds(10));
        _client.Near.Abort();
        _node.Near.Abort();
        _watch.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(10));
        _loops.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Receive(Socket socket, int count)
    {
        while (count > 0) count -= socket.Receive(_received);
    }

    private static (Socket Far, Connection Near) Pair(PollLoop? loop)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var near = Connection.ConnectAsync(listener.LocalEndpoint, CancellationToken.None, loop);
        var far = listener.AcceptSocket();
        far.NoDelay = true;
        return (far, near.GetAwaiter().GetResult());
    }

    private sealed class Ended : IRelayOwner
    {
        private readonly TaskCompletionSource _ended = new();

        public Task Task => _ended.Task;

        public TimeSpan KeepClient() => TimeSpan.Zero;

        public void OnEnded(SessionEnd end, Exception? fault) => _ended.SetResult();
    }
}
