using ImapDirector.Network.Polling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Network.Tests;

public sealed class LoopReturnTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly PollLoop _loop = new("return", NullLogger.Instance);

    public void Dispose() => _loop.Dispose();

    [Theory]
    [InlineData(TaskCreationOptions.None)]
    [InlineData(TaskCreationOptions.RunContinuationsAsynchronously)]
    public async Task Whoever_awaits_on_a_loop_goes_on_there_and_has_left_nothing_behind(TaskCreationOptions options)
    {
        var source = new TaskCompletionSource<int>(options);
        var waiting = Task.Run(async () =>
        {
            await _loop.SwitchAsync();
            var value = await PollLoop.ReturnAsync(source.Task);
            var facts = (value, _loop.IsCurrent, SynchronizationContext.Current);
            await PollLoop.LeaveAsync();
            return facts;
        });

        await _loop.RunAsync(() => { });
        source.SetResult(3);

        Assert.Equal((3, true, null), await waiting.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_fault_is_thrown_on_the_loop_too()
    {
        var source = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = Task.Run(async () =>
        {
            await _loop.SwitchAsync();
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

        await _loop.RunAsync(() => { });
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
    public async Task Whoever_awaits_on_a_loop_that_ends_meanwhile_goes_on_all_the_same()
    {
        var source = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = Task.Run(async () =>
        {
            await _loop.SwitchAsync();
            return await PollLoop.ReturnAsync(source.Task);
        });

        await _loop.RunAsync(() => { });
        _loop.Dispose();
        source.SetResult(5);

        Assert.Equal(5, await waiting.WaitAsync(Patience));
    }
}
