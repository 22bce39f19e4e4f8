using System.Net;
using System.Net.Sockets;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests;

/// <summary>What happens to others when something goes wrong with one that is accepted on a loop.</summary>
public sealed class LoopAcceptorTests : IDisposable
{
    private readonly PollLoop _loop = new("accepts", NullLogger.Instance);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public async Task A_fault_of_whoever_gets_a_connection_ends_that_one_alone()
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen();
        var (faults, taken) = (new List<Exception>(), 0);
        var acceptor = new LoopAcceptor(_loop, listening, (_, descriptor, _) =>
        {
            if (++taken % 2 == 1) throw new InvalidOperationException("a fault");
            _ = LinuxCalls.Send((int)descriptor.DangerousGetHandle(), "hello"u8);
            descriptor.Dispose();
        }, faults.Add, static _ => { });
        acceptor.Begin();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(SocketError.ConnectionReset, (await Assert.ThrowsAsync<SocketException>(() => HearAsync(listening.LocalEndPoint!))).SocketErrorCode);
            Assert.Equal(5, await HearAsync(listening.LocalEndPoint!));
        }
        await acceptor.EndAsync().WaitAsync(TestBytes.Patience);
        Assert.Equal(0, _loop.Count);
        Assert.Equal(3, faults.Count);
        Assert.All(faults, static fault => Assert.Equal("a fault", fault.Message));
    }

    private static async Task<int> HearAsync(EndPoint endPoint)
    {
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(endPoint);
        return await client.ReceiveAsync(new byte[5].AsMemory()).AsTask().WaitAsync(TestBytes.Patience);
    }
}
