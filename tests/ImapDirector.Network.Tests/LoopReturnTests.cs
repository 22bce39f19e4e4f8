using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class LoopReturnTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly PollLoop _loop = new("return", NullLogger.Instance);
    private readonly TaskCompletionSource _isThere = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _loop.Dispose();

    [Theory]
    [InlineData(TaskCreationOptions.None)]
    [InlineData(TaskCreationOptions.RunContinuationsAsynchronously)]
    public async Task Whoever_awaits_on_a_loop_goes_on_there(TaskCreationOptions options)
    {
        var source = new TaskCompletionSource<int>(options);
        var waiting = Task.Run(async () =>
        {
            await _loop.SwitchAsync();
            _isThere.SetResult();
            var facts = (await PollLoop.ReturnAsync(source.Task), _loop.IsCurrent);
            await PollLoop.LeaveAsync();
            return facts;
        });

        await UntilItWaitsAsync();
        source.SetResult(3);

        Assert.Equal((3, true), await waiting.WaitAsync(Patience));
    }

    [Fact]
    public async Task Its_thread_has_no_context_once_somebody_waits()
    {
        var source = new TaskCompletionSource<int>();
        SynchronizationContext? left = new();

        await _loop.RunAsync(() =>
        {
            PollLoop.ReturnAsync(source.Task).UnsafeOnCompleted(() => { });
            left = SynchronizationContext.Current;
        });

        Assert.Null(left);
    }

    [Fact]
    public async Task A_fault_is_thrown_on_the_loop_too()
    {
        var source = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = Task.Run(async () =>
        {
            await _loop.SwitchAsync();
            _isThere.SetResult();
            try
            {
                return $"{await PollLoop.ReturnAsync(source.Task)}";
            }
            catch (TimeoutException fault)
            {
                return $"{fault.Message} {_loop.IsCurrent}";
            }
            finally
            {
                await PollLoop.LeaveAsync();
            }
        });

        await UntilItWaitsAsync();
        source.SetException(new TimeoutException("late"));

        Assert.Equal("late True", await waiting.WaitAsync(Patience));
    }

    [Fact]
    public async Task Elsewhere_it_is_as_the_task_itself()
    {
        var source = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = Task.Run(async () => (await PollLoop.ReturnAsync(source.Task), PollLoop.Current is null));

        source.SetResult(4);

        Assert.Equal((4, true), await waiting.WaitAsync(Patience));
    }

    [Fact]
    public async Task Whoever_awaits_on_a_loop_that_ends_meanwhile_goes_on_on_the_thread_pool()
    {
        var source = new TaskCompletionSource<int>();
        var waiting = Task.Run(async () =>
        {
            await _loop.SwitchAsync();
            _isThere.SetResult();
            return (await PollLoop.ReturnAsync(source.Task), Thread.CurrentThread.IsThreadPoolThread);
        });

        await UntilItWaitsAsync();
        _loop.Dispose();
        // On a thread of its own, so that one of the pool's is not the one that ends it.
        var ending = new Thread(() => source.SetResult(5));
        ending.Start();

        Assert.Equal((5, true), await waiting.WaitAsync(Patience));
        ending.Join();
    }

    // What is posted behind it is done when whoever has switched waits for something.
    private async Task UntilItWaitsAsync()
    {
        await _isThere.Task.WaitAsync(Patience);
        await _loop.RunAsync(() => { }).WaitAsync(Patience);
    }
}
