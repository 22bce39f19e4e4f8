using System.Collections.Concurrent;
using ImapDirector.Network.Tls.OpenSsl;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Network.Polling;

/// <summary>A thread that waits for many descriptors at once (epoll(7)) and does what is to be done with those that are ready, one after the other: no
/// hop to another thread, no allocation per event, and one buffer for all of them.</summary>
public sealed partial class PollLoop : IDisposable
{
    /// <summary>Bytes of the buffer that its targets share.</summary>
    public const int BufferBytes = 64 * 1024;

    private const int EventsAtOnce = 256;
    private const ulong WakeUp = 0;

    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly int _poller;
    private readonly int _wakeUp;
    // Its number may be somebody's file a moment after it is closed.
    private readonly Lock _wakeUpLock = new();
    private readonly ConcurrentQueue<Action> _work = new();
    private readonly Dictionary<ulong, IPollTarget> _targets = [];
    private ulong _lastId = WakeUp;
    private int _isSignalled;
    private volatile bool _isEnding;
    private volatile bool _hasEnded;
    private bool _isWakeUpClosed;

    /// <summary>Starts the thread.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="logger">Where faults of targets go.</param>
    /// <exception cref="IOException">The system gives no more descriptors.</exception>
    public PollLoop(string name, ILogger logger)
    {
        _logger = logger;
        _poller = Demand(LinuxCalls.NewPoller());
        RuntimePollers.Exclude(_poller);
        _wakeUp = Demand(LinuxCalls.NewEvent());
        _ = Demand(LinuxCalls.Control(_poller, LinuxCalls.Add, _wakeUp, PollEvents.Readable, WakeUp));
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Whether there is such a thing on this system.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>Whether this is called on its thread.</summary>
    public bool IsCurrent => Environment.CurrentManagedThreadId == _thread.ManagedThreadId;

    /// <summary>For whatever target is being called; what is in it belongs to nobody afterwards.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);

    /// <summary>For the TLS records of whatever socket is being read from or written to.</summary>
    internal byte[] Records { get; } = GC.AllocateUninitializedArray<byte>(TlsSession.RecordBytes, pinned: true);

    /// <summary>Pipes to move bytes through.</summary>
    public PipePool Pipes { get; } = new();

    /// <summary>Has something done on the loop's thread; from any thread. When the loop has ended it is done at once, and finds that nothing can be watched.</summary>
    public void Post(Action work)
    {
        _work.Enqueue(work);
        if (_hasEnded || (Interlocked.Exchange(ref _isSignalled, 1) == 0 && !TrySignal())) DoLateWork();
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

    /// <summary>Watches a target for errors alone, until <see cref="Watch"/>; on the loop's thread.</summary>
    /// <returns>What it is called from now on.</returns>
    /// <exception cref="IOException">The system refuses.</exception>
    public ulong Add(IPollTarget target)
    {
        if (_hasEnded) throw new IOException("The loop has ended.");
        var id = ++_lastId;
        _ = Demand(LinuxCalls.Control(_poller, LinuxCalls.Add, target.Descriptor, PollEvents.Once, id));
        _targets.Add(id, target);
        return id;
    }

    /// <summary>Watches a target for something else; on the loop's thread.</summary>
    /// <exception cref="IOException">The system refuses.</exception>
    public void Watch(ulong id, IPollTarget target, PollEvents events) =>
        // Errors last: told again and again they would keep the thread busy where there is nothing to be done.
        _ = Demand(LinuxCalls.Control(_poller, LinuxCalls.Modify, target.Descriptor, events == PollEvents.None ? PollEvents.Once : events, id));

    /// <summary>Ends the watch; on the loop's thread, as long as the descriptor is open.</summary>
    public void Remove(ulong id, IPollTarget target)
    {
        if (_targets.Remove(id) && !_hasEnded) _ = LinuxCalls.Control(_poller, LinuxCalls.Delete, target.Descriptor, PollEvents.None, id);
    }

    /// <summary>Gives all targets up and ends the thread.</summary>
    public void Dispose()
    {
        if (_isEnding) return;
        _isEnding = true;
        TrySignal();
        _thread.Join();
        lock (_wakeUpLock)
        {
            _isWakeUpClosed = true;
            LinuxCalls.Close(_wakeUp);
        }
        RuntimePollers.Include(_poller);
        LinuxCalls.Close(_poller);
    }

    private void Run()
    {
        Span<PolledEvent> events = stackalloc PolledEvent[EventsAtOnce];
        while (!_isEnding)
        {
            var count = LinuxCalls.Wait(_poller, events);
            if (count < 0)
            {
                Log.Failed(_logger, _thread.Name!, -count);
                break;
            }
            foreach (var happened in events[..count])
            {
                if (happened.Id == WakeUp) DoWork();
                // Whoever was called before may have ended this one.
                else if (_targets.TryGetValue(happened.Id, out var target)) Call(happened, target);
            }
        }
        foreach (var target in _targets.Values.ToArray()) GiveUp(target);
        Pipes.Dispose();
        _hasEnded = true;
        DoLateWork();
    }

    private void DoLateWork()
    {
        lock (_work)
        {
            while (!_work.IsEmpty) DoQueuedWork();
        }
    }

    private void DoWork()
    {
        LinuxCalls.Clear(_wakeUp);
        // Before the queue is looked at, so that what is queued from now on wakes the thread again.
        Interlocked.Exchange(ref _isSignalled, 0);
        DoQueuedWork();
    }

    private void DoQueuedWork()
    {
        // What is queued meanwhile comes after the sockets that are ready by then.
        for (var left = _work.Count; left > 0 && _work.TryDequeue(out var work); left--)
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

    private static int Demand(int result) => result >= 0 ? result : throw new IOException($"The system refuses a call of epoll: error {-result}.");

    private static partial class Log
    {
        [LoggerMessage(2201, LogLevel.Error, "{Loop}: a fault ended a session")]
        public static partial void Fault(ILogger logger, string loop, Exception exception);

        [LoggerMessage(2202, LogLevel.Critical, "{Loop}: waiting for sockets failed with error {Error}; its sessions end")]
        public static partial void Failed(ILogger logger, string loop, int error);
    }
}

/// <summary>Awaited, it goes on on the thread of a <see cref="PollLoop"/>.</summary>
public readonly struct LoopSwitch(PollLoop loop) : System.Runtime.CompilerServices.INotifyCompletion
{
    /// <summary>Always <c>false</c>: even the loop's own thread goes on later.</summary>
    public bool IsCompleted => false;

    /// <summary>What await asks for.</summary>
    public LoopSwitch GetAwaiter() => this;

    /// <inheritdoc />
    public void OnCompleted(Action continuation) => loop.Post(continuation);

    /// <summary>Nothing.</summary>
    public void GetResult()
    {
    }
}
