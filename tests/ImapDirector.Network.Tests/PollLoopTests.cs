using System.Net.Sockets;
using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class PollLoopTests : IDisposable
{
    private static readonly TimeSpan LongPatience = TimeSpan.FromMinutes(2);

    private readonly PollLoop _loop = new("work", NullLogger.Instance);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public async Task Whatever_many_threads_post_while_the_loop_sleeps_and_wakes_is_done_on_its_thread()
    {
        const int threads = 4;
        const int posts = 75_000;
        // Of the loop's thread alone.
        var (done, elsewhere) = (0, 0);
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var posting = Enumerable.Range(0, threads).Select(seed => Task.Factory.StartNew(() =>
        {
            var random = new Random(seed);
            for (var i = 0; i < posts; i++)
            {
                _loop.Post(() =>
                {
                    if (!_loop.IsCurrent) Interlocked.Increment(ref elsewhere);
                    if (++done == threads * posts) all.SetResult();
                });
                if (random.Next(50) == 0) Thread.SpinWait(random.Next(5000));
                if (random.Next(2000) == 0) Thread.Sleep(1);
            }
        }, TaskCreationOptions.LongRunning)).ToArray();
        await Task.WhenAll(posting);
        await all.Task.WaitAsync(LongPatience);

        Assert.Equal(0, elsewhere);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Work_that_nothing_follows_wakes_the_loop(int threads)
    {
        // Each waits until its own is done, so that one signal that is lost is the end.
        var waiting = Enumerable.Range(0, threads).Select(seed => Task.Factory.StartNew(() =>
        {
            var random = new Random(seed);
            using var done = new SemaphoreSlim(0);
            for (var i = 0; i < 50_000; i++)
            {
                _loop.Post(() => done.Release());
                if (!done.Wait(LongPatience)) return i;
                Thread.SpinWait(random.Next(500));
            }
            return -1;
        }, TaskCreationOptions.LongRunning)).ToArray();

        Assert.All(await Task.WhenAll(waiting), static lost => Assert.Equal(-1, lost));
    }

    [Fact]
    public async Task What_is_posted_on_its_own_thread_is_done_later_and_in_order()
    {
        const int posts = 10_000;
        var order = new List<int>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Next()
        {
            var count = order.Count;
            order.Add(count);
            if (count + 1 == posts) all.SetResult();
            else _loop.Post(Next);
            // Not before this returns.
            if (order.Count != count + 1) all.TrySetException(new InvalidOperationException("It was done at once."));
        }
        _loop.Post(Next);
        await all.Task.WaitAsync(LongPatience);
        Assert.Equal(Enumerable.Range(0, posts), order);

        var many = new List<int>();
        await _loop.RunAsync(() =>
        {
            // More than are done in a row.
            for (var i = 0; i < 1000; i++)
            {
                var number = i;
                _loop.Post(() => many.Add(number));
            }
        }).WaitAsync(LongPatience);
        await _loop.RunAsync(static () => { }).WaitAsync(LongPatience);
        Assert.Equal(Enumerable.Range(0, 1000), many);
    }

    [Fact]
    public async Task Work_that_fails_ends_nothing_else()
    {
        _loop.Post(static () => throw new InvalidOperationException("a fault"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => _loop.RunAsync(static () => throw new InvalidOperationException("another")));
        var isOnIt = false;
        await _loop.RunAsync(() => isOnIt = _loop.IsCurrent).WaitAsync(LongPatience);
        Assert.True(isOnIt);
    }

    [Fact]
    public async Task Who_switches_goes_on_on_its_thread_and_who_leaves_does_not()
    {
        var seen = await Task.Run(async () =>
        {
            var loops = new List<PollLoop?> { PollLoop.Current };
            await _loop.SwitchAsync();
            loops.Add(PollLoop.Current);
            await PollLoop.LeaveAsync();
            loops.Add(PollLoop.Current);
            return loops;
        }).WaitAsync(LongPatience);
        Assert.Equal([null, _loop, null], seen);
    }

    [Fact]
    public async Task Whoever_ends_it_on_its_own_thread_is_not_held_up_and_it_ends_behind_them()
    {
        var loop = new PollLoop("ending itself", NullLogger.Instance);
        await using var pair = await SocketPair.ConnectAsync(loop: loop);
        var ending = EndBehindReadAsync();
        await pair.Client.Socket.SendAsync("a"u8.ToArray());
        var (wasOnIt, isLost) = await ending.WaitAsync(LongPatience);
        Assert.True(wasOnIt);
        await Assert.ThrowsAsync<IOException>(() => isLost.WaitAsync(LongPatience));
        // And it can be ended once more.
        loop.Dispose();
        await Assert.ThrowsAsync<IOException>(() => SocketPair.ConnectAsync(loop: loop));

        async Task<(bool WasOnIt, Task IsLost)> EndBehindReadAsync()
        {
            await pair.Server.Stream.ReadAsync(new byte[1]).ConfigureAwait(false);
            var wasOnIt = loop.IsCurrent;
            var waiting = pair.Server.Stream.ReadAsync(new byte[1]).AsTask();
            loop.Dispose();
            return (wasOnIt, waiting);
        }
    }

    [Fact]
    public async Task What_is_posted_while_it_ends_or_afterwards_is_done_all_the_same()
    {
        for (var i = 0; i < 200; i++)
        {
            var loop = new PollLoop("ending", NullLogger.Instance);
            var done = 0;
            var posting = Task.Run(() =>
            {
                for (var j = 0; j < 200; j++) loop.Post(() => Interlocked.Increment(ref done));
            });
            Thread.SpinWait(Random.Shared.Next(20_000));
            loop.Dispose();
            await posting;
            // Whoever posts last does what is left by itself, if nobody does it already.
            await TestBytes.UntilAsync(() => Volatile.Read(ref done) == 200);
        }
    }

    [Fact]
    public async Task Whoever_comes_to_a_loop_that_has_ended_does_not_come_to_another_one_that_has_its_number()
    {
        for (var i = 0; i < 20; i++)
        {
            var ended = new PollLoop("ended", NullLogger.Instance);
            ended.Dispose();
            using var young = new PollLoop("young", NullLogger.Instance);
            using var quiet = new Watched();
            young.Add(quiet, PollEvents.Readable);
            using var late = new Watched();
            late.Speak();

            Assert.Throws<IOException>(() => ended.Add(late, PollEvents.Readable));

            await young.RunAsync(static () => { }).WaitAsync(LongPatience);
            await young.RunAsync(static () => { }).WaitAsync(LongPatience);
            Assert.Equal(0, quiet.Calls);
        }
    }

    [Fact]
    public async Task A_target_that_fails_is_given_up_and_the_others_go_on()
    {
        using var failing = new Watched { Fails = true };
        using var good = new Watched();
        var (first, second) = (_loop.Add(failing, PollEvents.Readable | PollEvents.EdgeTriggered), _loop.Add(good, PollEvents.Readable | PollEvents.EdgeTriggered));
        failing.Speak();
        await TestBytes.UntilAsync(() => failing.IsGivenUp);
        good.Speak();
        await TestBytes.UntilAsync(() => good.Calls == 1);
        Assert.False(good.IsGivenUp);
        _loop.Remove(first, failing.Descriptor);
        _loop.Remove(second, good.Descriptor);
        Assert.Equal(0, _loop.Count);
    }

    [Fact]
    public void All_that_are_left_are_given_up_at_the_end()
    {
        var loop = new PollLoop("ending", NullLogger.Instance);
        using var one = new Watched();
        using var other = new Watched();
        loop.Add(one, PollEvents.EdgeTriggered);
        loop.Remove(loop.Add(other, PollEvents.EdgeTriggered), other.Descriptor);
        loop.Dispose();
        Assert.Equal((true, false), (one.IsGivenUp, other.IsGivenUp));
    }

    /// <summary>One end of two sockets.</summary>
    private sealed class Watched : IPollTarget, IDisposable
    {
        private readonly Socket _own;
        private readonly Socket _other;
        private int _calls;
        private volatile bool _isGivenUp;

        public Watched()
        {
            using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listening.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
            listening.Listen();
            _other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _other.Connect(listening.LocalEndPoint!);
            _own = listening.Accept();
        }

        public bool Fails { get; init; }

        public int Calls => Volatile.Read(ref _calls);

        public bool IsGivenUp => _isGivenUp;

        public int Descriptor => (int)_own.Handle;

        public void Speak() => _other.Send("x"u8);

        public void OnReady(PollEvents events)
        {
            Interlocked.Increment(ref _calls);
            if (Fails) throw new InvalidOperationException("a fault");
        }

        public void OnGivenUp() => _isGivenUp = true;

        public void Dispose()
        {
            _own.Dispose();
            _other.Dispose();
        }
    }
}
