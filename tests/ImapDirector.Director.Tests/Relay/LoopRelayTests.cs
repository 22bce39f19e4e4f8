using System.Collections.Concurrent;
using System.Text;
using ImapDirector.Director.Tests.Directory;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

/// <summary>With bytes that a thread of the relay moves between plain sockets.</summary>
public sealed class LoopRelayTests() : SessionRelayTests(threads: 1)
{
    [Fact]
    public async Task A_thread_that_ends_takes_its_sessions_with_it_and_no_new_ones()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads: 1);
        await relay.Client.SendAsync("a NOOP\r\n");
        Assert.Equal("a NOOP\r\n", Encoding.ASCII.GetString(await relay.Node.ReadExactlyAsync(8)));
        relay.EndThreads();
        Assert.Equal(SessionEnd.Fault, await relay.EndAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_ended_first_is_the_end_however_late_it_is_told(bool isReset)
    {
        var waits = new LastFirst();
        await using var relay = await RelayUnderTest.StartAsync(threads: 1, isSecure: true, waits: waits);
        await relay.Node.SendAsync("* BYE\r\n");
        await relay.Node.CloseSendingAsync();
        Assert.Equal("* BYE\r\n", await relay.Client.ReadToEndAsync());
        if (isReset) relay.Client.Socket.Close(0);
        else await relay.Client.CloseSendingAsync();

        await TestDirector.UntilAsync(() => Task.FromResult(waits.Count == 2));
        waits.LetGo();
        Assert.Equal(SessionEnd.NodeClosed, await relay.EndAsync());
    }

    /// <summary>Whoever has waited is held back, and then goes on in the other order.</summary>
    private sealed class LastFirst : SynchronizationContext
    {
        private readonly ConcurrentStack<(SendOrPostCallback Next, object? State)> _held = new();
        private volatile bool _isLetGo;

        public int Count => _held.Count;

        public override void Post(SendOrPostCallback d, object? state)
        {
            if (_isLetGo) d(state);
            else _held.Push((d, state));
        }

        public void LetGo()
        {
            _isLetGo = true;
            while (_held.TryPop(out var held)) held.Next(held.State);
        }
    }
}
