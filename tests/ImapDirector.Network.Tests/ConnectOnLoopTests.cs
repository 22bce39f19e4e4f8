using System.Net;
using System.Net.Sockets;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests;

[Collection(nameof(Descriptors))]
public sealed class ConnectOnLoopTests : IDisposable
{
    private readonly PollLoop _loop = new("connecting", NullLogger.Instance);

    public void Dispose() => _loop.Dispose();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Whoever_is_there_is_connected_on_the_loop(string address)
    {
        using var listening = Bind(IPAddress.Parse(address));
        listening.Listen();
        await using var connection = await Connection.ConnectAsync(listening.LocalEndPoint!, CancellationToken.None, _loop);
        using var accepted = await listening.AcceptAsync();
        Assert.Same(_loop, connection.Loop);
        Assert.Equal((accepted.LocalEndPoint, accepted.RemoteEndPoint), (connection.RemoteEndPoint, (EndPoint)connection.LocalEndPoint));
        Assert.True(connection.Socket.NoDelay);
        await accepted.SendAsync("hello"u8.ToArray());
        Assert.Equal("hello", await connection.HearAsync(5));
    }

    [Fact]
    public async Task Nobody_listening_is_a_refusal()
    {
        var before = Descriptors.Count();
        using (var bound = Bind(IPAddress.Loopback))
        {
            for (var i = 0; i < 300; i++)
            {
                var refused = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(bound.LocalEndPoint!));
                Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
            }
        }
        AssertNothingIsLeft(before);
    }

    [Fact]
    public async Task What_is_cancelled_ends_and_leaves_nothing_behind()
    {
        using var full = await FullAsync();
        var before = Descriptors.Count();
        for (var i = 0; i < 100; i++)
        {
            using var patience = new CancellationTokenSource();
            var connecting = ConnectAsync(full.EndPoint, patience.Token);
            Assert.False(connecting.IsCompleted);
            Assert.Equal(1, _loop.Count);
            await patience.CancelAsync();
            var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WaitAsync(TestBytes.Patience));
            Assert.Equal(patience.Token, cancelled.CancellationToken);
        }
        AssertNothingIsLeft(before);
    }

    [Fact]
    public async Task What_is_cancelled_already_does_not_begin()
    {
        using var listening = Bind(IPAddress.Loopback);
        listening.Listen();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ConnectAsync(listening.LocalEndPoint!, new CancellationToken(canceled: true)));
        Assert.False(listening.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task Whoever_is_being_connected_when_the_loop_ends_is_lost()
    {
        using var full = await FullAsync();
        var before = Descriptors.Count();
        var connecting = ConnectAsync(full.EndPoint);
        Assert.False(connecting.IsCompleted);
        _loop.Dispose();
        await Assert.ThrowsAsync<IOException>(() => connecting.WaitAsync(TestBytes.Patience));
        await Assert.ThrowsAsync<IOException>(() => ConnectAsync(full.EndPoint).WaitAsync(TestBytes.Patience));
        Assert.InRange(Descriptors.Count(), 0, before);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_name_is_tried_at_each_of_its_addresses(string listensAt)
    {
        var addresses = await Dns.GetHostAddressesAsync("localhost");
        var address = IPAddress.Parse(listensAt);
        using var listening = Bind(address);
        listening.Listen();
        var connecting = ConnectAsync(new DnsEndPoint("localhost", ((IPEndPoint)listening.LocalEndPoint!).Port));
        if (!addresses.Contains(address))
        {
            // Such a system has but one of the two.
            Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => connecting)).SocketErrorCode);
            return;
        }
        await using var connection = await connecting.WaitAsync(TestBytes.Patience);
        Assert.Equal(listening.LocalEndPoint, connection.RemoteEndPoint);
        Assert.Same(_loop, connection.Loop);
    }

    [Fact]
    public async Task A_name_at_none_of_whose_addresses_anybody_listens_is_a_refusal()
    {
        using var bound = Bind(IPAddress.Loopback);
        var refused = await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(new DnsEndPoint("localhost", ((IPEndPoint)bound.LocalEndPoint!).Port)));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }

    [Fact]
    public async Task However_connections_end_no_descriptor_is_left()
    {
        var before = Descriptors.Count();
        using (var listening = Bind(IPAddress.Loopback))
        {
            listening.Listen(100);
            for (var i = 0; i < 400; i++)
            {
                var connection = await ConnectAsync(listening.LocalEndPoint!);
                using var accepted = await listening.AcceptAsync();
                var reading = i % 2 == 0 ? connection.Stream.ReadAsync(new byte[1]).AsTask() : null;
                // With the runtime's socket, and without.
                if (i % 3 == 0) Assert.True(connection.Socket.Connected);
                var aborting = i % 5 == 0 ? Task.Run(connection.Abort) : Task.CompletedTask;
                if (i % 7 == 0) accepted.Close(timeout: 0);
                else if (i % 4 == 0) accepted.Shutdown(SocketShutdown.Send);
                if (reading is not null)
                {
                    connection.Abort();
                    await ((Task)reading.WaitAsync(TestBytes.Patience)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
                await connection.DisposeAsync();
                await aborting;
            }
        }
        AssertNothingIsLeft(before);
    }

    [Fact]
    public async Task Whatever_comes_first_of_a_connection_and_its_cancellation_no_descriptor_is_left()
    {
        var before = Descriptors.Count();
        using (var listening = Bind(IPAddress.Loopback))
        {
            listening.Listen(1000);
            for (var i = 0; i < 500; i++)
            {
                using var patience = new CancellationTokenSource();
                var cancelling = Task.Run(() =>
                {
                    Thread.SpinWait(Random.Shared.Next(3000));
                    patience.Cancel();
                });
                try
                {
                    await using var connection = await ConnectAsync(listening.LocalEndPoint!, patience.Token).WaitAsync(TestBytes.Patience);
                }
                catch (OperationCanceledException)
                {
                    // It came first.
                }
                await cancelling;
                while (listening.Poll(0, SelectMode.SelectRead)) (await listening.AcceptAsync()).Dispose();
            }
        }
        AssertNothingIsLeft(before);
    }

    private Task<Connection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken = default) => Connection.ConnectAsync(endPoint, cancellationToken, _loop);

    private void AssertNothingIsLeft(int before)
    {
        Assert.Equal(0, _loop.Count);
        Assert.InRange(Descriptors.Count(), 0, before);
    }

    private static Socket Bind(IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }

    private static async Task<FullBacklog> FullAsync()
    {
        var full = new FullBacklog();
        await full.FillAsync();
        return full;
    }

    /// <summary>A listening socket that accepts nobody, with as many waiting as may: the system answers no more.</summary>
    private sealed class FullBacklog : IDisposable
    {
        private readonly List<Socket> _sockets = [Bind(IPAddress.Loopback)];

        public EndPoint EndPoint => _sockets[0].LocalEndPoint!;

        public async Task FillAsync()
        {
            _sockets[0].Listen(0);
            while (true)
            {
                var waiting = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                _sockets.Add(waiting);
                var connecting = waiting.ConnectAsync(EndPoint);
                if (await Task.WhenAny(connecting, Task.Delay(300)) != connecting) return;
            }
        }

        public void Dispose()
        {
            foreach (var socket in _sockets) socket.Dispose();
        }
    }
}
