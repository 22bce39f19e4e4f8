using System.Collections.Concurrent;
using ImapDirector.Network.Tls.OpenSsl;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Network.Polling;

/// <summary>A thread that waits for many descriptors at once (epoll(7)) and does what is to be done with those that are ready, one after the other: no
/// hop to another thread, no allocation per event, and one buffer for all of them.</summary>
public sealed partial class PollLoop : IDisposable
{
    /// <summary>Bytes of the buffer that its targets share: 64 KiB, and what a response has around a literal of that length, which one call reads and one writes then.</summary>
    public const int BufferBytes = 68 * 1024;

    private const int EventsAtOnce = 256;
    private const int MostWorkInRow = 64;
    private const ulong WakeUp = 0;

    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly int _poller;
    private readonly int _wakeUp;
    // Its number may be somebody's file a moment after it is closed.
    private readonly Lock _wakeUpLock = new();
    private readonly ConcurrentQueue<Action> _work = new();
    private readonly PollTargets _targets = new();
    private int _isSignalled;
    private volatile bool _isWaiting;
    private volatile bool _isEnding;
    private volatile bool _isGivingUp;
    private volatile bool _hasEnded;
    private bool _isWakeUpClosed;

    /// <summary>Starts the thread.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="logger">Where faults of targets go.</param>
    /// <exception cref="IOException">The system gives no more descriptors.</exception>
    public PollLoop(string name, ILogger logger)
    {
        _logger = logger;
        Context = new LoopContext(this);
        _poller = Demand(LinuxCalls.NewPoller());
        _wakeUp = Demand(LinuxCalls.NewEvent());
        _ = Demand(LinuxCalls.Control(_poller, LinuxCalls.Add, _wakeUp, PollEvents.Readable, WakeUp));
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Whether there is such a thing on this system.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>Whether this is called on its thread.</summary>
    public bool IsCurrent => Current == this;

    /// <summary>The loop whose thread this is called on, or <c>null</c>.</summary>
    [field: ThreadStatic]
    public static PollLoop? Current { get; private set; }

    /// <summary>How many descriptors it watches; more than any other when it has ended.</summary>
    public int Count => _isGivingUp ? int.MaxValue : _targets.Count;

    /// <summary>For whatever target is being called; what is in it belongs to nobody afterwards.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);

    /// <summary>For the TLS records of whatever socket is being read from or written to.</summary>
    internal byte[] Records { get; } = GC.AllocateUninitializedArray<byte>(TlsSession.RecordBytes, pinned: true);

    /// <summary>For who awaits with a context: the current one of its thread only while <see cref="LoopReturn{T}"/> registers.</summary>
    internal SynchronizationContext Context { get; }

    /// <summary>Pipes to move bytes through.</summary>
    public PipePool Pipes { get; } = new();

    /// <summary>Has something done on the loop's thread; from any thread. When the loop has ended it is done at once, and finds that nothing can be watched.</summary>
    public void Post(Action work)
    {
        _work.Enqueue(work);
        // With a fence between, as on the other side: either it sees that the thread waits, or the thread sees the work before it does.
        Interlocked.MemoryBarrier();
        if (_hasEnded || (_isWaiting && Interlocked.Exchange(ref _isSignalled, 1) == 0 && !TrySignal())) DoLateWork();
    }

    /// <summary>As <see cref="Post"/>, for whoever wants to know when it has been done.</summary>
    public Task RunAsync(Action work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception fault)
            {
                done.SetException(fault);
            }
        });
        return done.Task;
    }

    /// <summary>Goes on, behind the await, on the loop's thread.</summary>
    public LoopSwitch SwitchAsync() => new(this);

    /// <summary>Goes on, behind the await, on the thread pool where this is a loop's thread, and right here where it is none: for what would hold up all of a loop's connections.</summary>
    public static LoopLeave LeaveAsync() => default;

    /// <summary>Goes on, behind the await, on the loop whose thread this is, without a hop through the thread pool; elsewhere as behind the task itself.</summary>
    public static LoopReturn<T> ReturnAsync<T>(Task<T> task) => new(task);

    /// <summary>Watches a target; from any thread.</summary>
    /// <returns>What it is called from now on.</returns>
    /// <exception cref="IOException">The system refuses, or the loop has ended.</exception>
    internal ulong Add(IPollTarget target, PollEvents events)
    {
        // Its own number may be another loop's by now.
        if (_isGivingUp) throw Ended();
        var (descriptor, id) = (target.Descriptor, _targets.Add(target));
        var result = LinuxCalls.Control(_poller, LinuxCalls.Add, descriptor, events, id);
        // Whoever comes when the thread has given all of them up is not among those.
        if (result >= 0 && !_isGivingUp) return id;
        _ = _targets.Remove(id);
        throw result < 0 ? Refused(result) : Ended();
    }

    /// <summary>Has another one told of the events of this name, on the loop's thread; the descriptor is the same.</summary>
    /// <returns>Who was told before; <c>null</c> where there is nobody of this name any more.</returns>
    internal IPollTarget? Retarget(ulong id, IPollTarget target) => _targets.Replace(id, target);

    /// <summary>Ends the watch; from any thread, as long as the descriptor is open. On the loop's thread its target may be being told of something meanwhile.</summary>
    internal void Remove(ulong id, int descriptor)
    {
        if (_targets.Remove(id) && !_hasEnded) _ = LinuxCalls.Control(_poller, LinuxCalls.Delete, descriptor, PollEvents.None, id);
    }

    /// <summary>Gives all targets up and ends the thread, which is waited for. Where whoever goes on on the thread itself calls this, it happens when the thread is free again.</summary>
    public void Dispose()
    {
        _isEnding = true;
        TrySignal();
        if (!IsCurrent) _thread.Join();
    }

    private void Run()
    {
        Current = this;
        Span<PolledEvent> events = stackalloc PolledEvent[EventsAtOnce];
        while (!_isEnding)
        {
            _isWaiting = true;
            Interlocked.MemoryBarrier();
            var count = LinuxCalls.Wait(_poller, events, mayWait: _work.IsEmpty);
            _isWaiting = false;
            if (count < 0)
            {
                Log.Failed(_logger, _thread.Name!, -count);
                break;
            }
            foreach (var happened in events[..count])
            {
                if (happened.Id == WakeUp) TakeSignal();
                // Whoever was called before may have ended this one.
                else if (_targets.Find(happened.Id) is { } target) Call(happened, target);
            }
            DoQueuedWork();
        }
        _isGivingUp = true;
        foreach (var target in _targets.All()) GiveUp(target);
        Pipes.Dispose();
        _hasEnded = true;
        DoLateWork();
        Close();
    }

    private void Close()
    {
        lock (_wakeUpLock)
        {
            _isWakeUpClosed = true;
            LinuxCalls.Close(_wakeUp);
        }
        LinuxCalls.Close(_poller);
    }

    private void DoLateWork()
    {
        lock (_work)
        {
            while (!_work.IsEmpty) DoQueuedWork();
        }
    }

    private void TakeSignal()
    {
        LinuxCalls.Clear(_wakeUp);
        // Before the queue is looked at, so that what is queued from now on wakes the thread again.
        Interlocked.Exchange(ref _isSignalled, 0);
    }

    private void DoQueuedWork()
    {
        // What is queued meanwhile, and what is behind so many, comes after the sockets that are ready by then.
        for (var left = Math.Min(_work.Count, MostWorkInRow); left > 0 && _work.TryDequeue(out var work); left--)
        {
            try
            {
                work();
            }
            catch (Exception fault)
            {
                Log.Fault(_logger, _thread.Name!, fault);
            }
        }
    }

    private void Call(PolledEvent happened, IPollTarget target)
    {
        try
        {
            target.OnReady(happened.Events);
        }
        catch (Exception fault)
        {
            // One session's fault ends that session alone.
            Log.Fault(_logger, _thread.Name!, fault);
            GiveUp(target);
        }
    }

    private void GiveUp(IPollTarget target)
    {
        try
        {
            target.OnGivenUp();
        }
        catch (Exception fault)
        {
            Log.Fault(_logger, _thread.Name!, fault);
        }
    }

    private bool TrySignal()
    {
        lock (_wakeUpLock)
        {
            if (_isWakeUpClosed) return false;
            LinuxCalls.Signal(_wakeUp);
            return true;
        }
    }

    private static int Demand(int result) => result >= 0 ? result : throw Refused(result);

    private static IOException Ended() => new("The loop has ended.");

    private static IOException Refused(int result) => new($"The system refuses a call of epoll: error {-result}.");

    private static partial class Log
    {
        [LoggerMessage(2201, LogLevel.Error, "{Loop}: a fault ended a connection")]
        public static partial void Fault(ILogger logger, string loop, Exception exception);

        [LoggerMessage(2202, LogLevel.Critical, "{Loop}: waiting for sockets failed with error {Error}; its connections end")]
        public static partial void Failed(ILogger logger, string loop, int error);
    }
}
