using System.Net;
using System.Net.Sockets;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests;

/// <summary>The runtime accepts and waits.</summary>
[Collection(nameof(Descriptors))]
public sealed class RuntimeListenerTests() : ListenerTests(loops: 0);

public abstract class ListenerTests : IDisposable
{
    private static readonly IPEndPoint Anywhere = new(IPAddress.Loopback, 0);

    protected ListenerTests(int loops) => Loops = [.. Enumerable.Range(0, loops).Select(static number => new PollLoop($"listener {number}", NullLogger.Instance))];

    /// <summary>The threads that accept.</summary>
    public IReadOnlyList<PollLoop> Loops { get; }

    public void Dispose()
    {
        foreach (var loop in Loops) loop.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Each_connection_is_served_and_closed_when_its_handler_returns()
    {
        await using var listener = Listen(new ConnectionLimits(10, 10), async (connection, _) => await connection.SayAsync("hi\r\n"));
        for (var i = 0; i < 3; i++)
        {
            await using var client = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
            Assert.Equal("hi\r\n", await client.HearAsync(4));
            Assert.Equal("", await client.HearAsync(1));
        }
    }

    [Fact]
    public async Task What_is_accepted_sends_at_once_and_finds_out_about_clients_that_vanish()
    {
        var found = new TaskCompletionSource<object[]>();
        await using var listener = Listen(new ConnectionLimits(10, 10), (connection, _) =>
        {
            var socket = connection.Socket;
            found.SetResult([socket.NoDelay, socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!,
                .. new[] { SocketOptionName.TcpKeepAliveTime, SocketOptionName.TcpKeepAliveInterval, SocketOptionName.TcpKeepAliveRetryCount }.Select(option => socket.GetSocketOption(SocketOptionLevel.Tcp, option)!)]);
            return Task.CompletedTask;
        });
        await using var client = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);

        Assert.Equal([true, 1, 120, 30, 4], await found.Task);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("::1", "::1")]
    [InlineData("::", "::1")]
    [InlineData("::", "127.0.0.1")]
    public async Task What_is_accepted_has_the_clients_address_and_ours_and_none_in_IPv6_clothes(string listening, string connecting)
    {
        var found = new TaskCompletionSource<(IPEndPoint Remote, IPEndPoint Local)>();
        await using var listener = Listen(new ConnectionLimits(10, 10), (connection, _) =>
        {
            found.SetResult((connection.RemoteEndPoint, connection.LocalEndPoint));
            return Task.CompletedTask;
        }, new IPEndPoint(IPAddress.Parse(listening), 0));
        var address = IPAddress.Parse(connecting);
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, listener.LocalEndPoint.Port);

        Assert.Equal(((IPEndPoint)socket.LocalEndPoint!, (IPEndPoint)socket.RemoteEndPoint!), await found.Task.WaitAsync(TestBytes.Patience));
        Assert.Equal(address, (await found.Task).Local.Address);
    }

    [Fact]
    public async Task Clients_that_reset_before_they_are_accepted_cost_nobody_anything()
    {
        await using var listener = Listen(new ConnectionLimits(1000, 1000), (connection, _) => connection.SayAsync("hi\r\n"));
        for (var i = 0; i < 500; i++)
        {
            using var gone = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            gone.Connect(listener.LocalEndPoint);
            gone.Close(timeout: 0);
        }
        await using var client = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        Assert.Equal("hi\r\n", await client.HearAsync(4));
        await TestBytes.UntilAsync(() => listener.Count == 0);
    }

    [Fact]
    public async Task A_connection_over_the_limit_is_closed_without_a_handler()
    {
        await using var listener = Listen(new ConnectionLimits(10, 1), async (connection, _) =>
        {
            await connection.SayAsync("hi\r\n");
            await connection.Input.ReadAsync(CancellationToken.None);
        });
        await using var first = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        Assert.Equal("hi\r\n", await first.HearAsync(4));
        await AssertRefusedAsync(listener.LocalEndPoint);
        Assert.Equal(1, listener.Refused);
        Assert.Equal(1, listener.Count);
    }

    [Fact]
    public async Task A_handler_that_fails_ends_its_own_connection_only()
    {
        var served = 0;
        await using var listener = Listen(new ConnectionLimits(10, 10), async (connection, _) =>
        {
            if (Interlocked.Increment(ref served) == 1) throw new InvalidOperationException("a fault");
            await connection.SayAsync("hi\r\n");
        });
        await using var first = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        await AssertClosedAsync(first);
        await using var second = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        Assert.Equal("hi\r\n", await second.HearAsync(4));
    }

    [Fact]
    public async Task A_drain_lets_handlers_say_goodbye_and_accepts_nobody()
    {
        var listener = Listen(new ConnectionLimits(10, 10), async (connection, drain) =>
        {
            await connection.SayAsync("hi\r\n");
            await Task.Delay(Timeout.Infinite, drain).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await connection.SayAsync("bye\r\n");
        });
        await using var client = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        Assert.Equal("hi\r\n", await client.HearAsync(4));
        await listener.DrainAsync(TestBytes.Patience);
        Assert.Equal("bye\r\n", await client.HearAsync(5));
        Assert.Equal(0, listener.Count);
        await Assert.ThrowsAsync<SocketException>(() => Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None));
        await listener.DisposeAsync();
    }

    [Fact]
    public async Task Handlers_that_do_not_end_in_time_are_cut()
    {
        var listener = Listen(new ConnectionLimits(10, 10), async (connection, _) =>
        {
            await connection.SayAsync("hi\r\n");
            while (!(await connection.Input.ReadAsync(CancellationToken.None)).IsCompleted)
            {
                // It ends only with its connection.
            }
        });
        await using var client = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        Assert.Equal("hi\r\n", await client.HearAsync(4));
        await listener.DrainAsync(TimeSpan.FromMilliseconds(50)).WaitAsync(TestBytes.Patience);
        Assert.Equal(0, listener.Count);
        await AssertClosedAsync(client);
        await listener.DisposeAsync();
    }

    [Fact]
    public async Task The_oldest_stranger_is_cut_when_all_places_are_taken()
    {
        await using var listener = Listen(new ConnectionLimits(2, 10), async (connection, _) =>
        {
            await connection.SayAsync("hi\r\n");
            await connection.Input.ReadAsync(CancellationToken.None);
        });
        await using var first = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        Assert.Equal("hi\r\n", await first.HearAsync(4));
        await using var second = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        Assert.Equal("hi\r\n", await second.HearAsync(4));
        await using var third = await Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None);
        Assert.Equal("hi\r\n", await third.HearAsync(4));
        await AssertClosedAsync(first);
    }

    [Fact]
    public void An_address_that_is_taken_is_an_error_at_the_start()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(Anywhere);
        other.Listen();
        var listener = new Listener("imap", (IPEndPoint)other.LocalEndPoint!, new ConnectionLimits(1, 1), (_, _) => Task.CompletedTask, NullLogger.Instance, loops: Loops);
        var refused = Assert.Throws<IOException>(listener.Start);
        Assert.Equal($"Imap cannot listen on \"{other.LocalEndPoint}\" (AddressAlreadyInUse): free the port, or configure another address.", refused.Message);
    }

    [Fact]
    public async Task Two_may_listen_on_one_port_when_both_say_so_and_who_drains_leaves_all_new_clients_to_the_other()
    {
        Listener Open(IPEndPoint at, string words)
        {
            var listener = new Listener("test", at, new ConnectionLimits(1000, 1000), (connection, _) => connection.SayAsync(words), NullLogger.Instance, reusePort: true, loops: Loops);
            listener.Start();
            return listener;
        }
        await using var old = Open(Anywhere, "old\r\n");
        await using var young = Open(old.LocalEndPoint, "new\r\n");

        async Task<string> ConnectAsync()
        {
            await using var client = await Connection.ConnectAsync(old.LocalEndPoint, CancellationToken.None);
            return await client.HearAsync(5);
        }
        var before = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => ConnectAsync()));
        Assert.Contains("new\r\n", before);
        Assert.Contains("old\r\n", before);
        await old.DrainAsync(TimeSpan.FromSeconds(30));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => ConnectAsync())), static heard => Assert.Equal("new\r\n", heard));
    }

    [Fact]
    public async Task Five_thousand_that_come_at_once_are_all_served()
    {
        const int storm = 5_000;
        await using var listener = Listen(new ConnectionLimits(storm, storm), async (connection, _) =>
        {
            await connection.SayAsync("hi\r\n");
            await connection.Input.ReadAsync(CancellationToken.None);
        });
        var coming = Enumerable.Range(0, storm).Select(_ => Connection.ConnectAsync(listener.LocalEndPoint, CancellationToken.None)).ToArray();
        var clients = await Task.WhenAll(coming);
        try
        {
            Assert.All(await Task.WhenAll(clients.Select(static client => client.HearAsync(4))), static heard => Assert.Equal("hi\r\n", heard));
            Assert.Equal((storm, 0), (listener.Count, listener.Refused));
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_port_can_be_taken_again_right_after_its_connections_were_closed_by_us()
    {
        var first = Listen(new ConnectionLimits(10, 10), (connection, _) => connection.SayAsync("hi\r\n"));
        await using (var client = await Connection.ConnectAsync(first.LocalEndPoint, CancellationToken.None)) await client.HearAsync(5);
        await first.DisposeAsync();
        await using var second = new Listener("again", first.LocalEndPoint, new ConnectionLimits(1, 1), (_, _) => Task.CompletedTask, NullLogger.Instance, loops: Loops);
        second.Start();
        Assert.Equal(first.LocalEndPoint, second.LocalEndPoint);
    }

    private protected Listener Listen(ConnectionLimits limits, Func<Connection, CancellationToken, Task> handler, IPEndPoint? endPoint = null)
    {
        var listener = new Listener("test", endPoint ?? Anywhere, limits, handler, NullLogger.Instance, loops: Loops);
        listener.Start();
        return listener;
    }

    private static async Task AssertRefusedAsync(IPEndPoint endPoint)
    {
        try
        {
            await using var client = await Connection.ConnectAsync(endPoint, CancellationToken.None);
            await AssertClosedAsync(client);
        }
        catch (SocketException reset)
        {
            // The reset can be there before the connection is looked at.
            Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        }
    }

    private static async Task AssertClosedAsync(Connection client)
    {
        try
        {
            Assert.Equal("", await client.HearAsync(1));
        }
        catch (IOException)
        {
            // A reset is a close as well.
        }
    }
}
