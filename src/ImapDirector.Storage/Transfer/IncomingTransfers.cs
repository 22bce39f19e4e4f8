using ImapDirector.Protocol;
using ImapDirector.Storage.Store;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Storage.Transfer;

/// <summary>The stores that this node is fetching from others.</summary>
/// <param name="dataDirectory">The node's.</param>
/// <param name="install">Makes what has come the user's store.</param>
/// <param name="logger">Where failures are told.</param>
internal sealed partial class IncomingTransfers(string dataDirectory, Func<UserName, long, string, CancellationToken, Task> install, ILogger logger) : IAsyncDisposable
{
    private const int MaxAtOnce = 32;

    private readonly Lock _sync = new();
    private readonly Dictionary<UserName, Job> _jobs = [];
    private bool _isStopped;

    /// <summary>Begins to fetch a user's store, or goes on with what was broken off; with one that is being fetched at this epoch nothing is changed.</summary>
    /// <returns><c>false</c> when too many are being fetched.</returns>
    public bool Begin(UserName user, long epoch, Uri source, string manifestDigest, string assertion)
    {
        lock (_sync)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            foreach (var (name, old) in _jobs.ToArray())
                if (old.Run.IsCompleted && name != user && _jobs.Count >= MaxAtOnce) _jobs.Remove(name);
            var before = _jobs.GetValueOrDefault(user);
            if (before is { Run.IsCompleted: false } && before.Epoch == epoch) return true;
            if (before is null && _jobs.Count >= MaxAtOnce) return false;
            before?.Stop.Cancel();
            var job = new Job(epoch);
            job.Run = RunAsync(before?.Run, user, job, source, manifestDigest, assertion);
            _jobs[user] = job;
            return true;
        }
    }

    /// <summary>How far it is; <c>null</c> when this process has fetched nothing for the user.</summary>
    public TransferStatus? Find(UserName user)
    {
        lock (_sync) return _jobs.GetValueOrDefault(user)?.Status;
    }

    /// <summary>Ends it, if it runs, and takes away what has come so far.</summary>
    public async Task DiscardAsync(UserName user)
    {
        Job? job;
        lock (_sync) _jobs.Remove(user, out job);
        if (job is not null)
        {
            await job.Stop.CancelAsync();
            await job.Run;
            job.Stop.Dispose();
        }
        TransferPath.Remove(TransferPath.Incoming(dataDirectory, user));
    }

    public async ValueTask DisposeAsync()
    {
        Job[] jobs;
        lock (_sync)
        {
            _isStopped = true;
            jobs = [.. _jobs.Values];
        }
        foreach (var job in jobs) await job.Stop.CancelAsync();
        foreach (var job in jobs)
        {
            await job.Run;
            job.Stop.Dispose();
        }
    }

    private async Task RunAsync(Task? before, UserName user, Job job, Uri source, string manifestDigest, string assertion)
    {
        await Task.Yield();
        if (before is not null) await before;
        var stop = job.Stop.Token;
        try
        {
            using var pull = new StorePull(source, assertion);
            var manifest = await pull.OpenAsync(manifestDigest, stop);
            if (manifest.User != user.Value || manifest.Epoch != job.Epoch) throw new TransferException(TransferFault.Different, "the other node hands over another store than was asked for");
            var incoming = IncomingStore.Begin(dataDirectory, user, manifest);
            job.Take(manifest, incoming);
            if (!incoming.HasRoom()) throw new TransferException(TransferFault.Disk, "the disk has no room for the store");
            await incoming.TakeAsync(pull.OpenFileAsync, stop);
            await install(user, job.Epoch, incoming.Directory, stop);
            TransferPath.Remove(TransferPath.Incoming(dataDirectory, user));
            job.End(TransferFault.None, null);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            job.End(TransferFault.Interrupted, "it was called off");
        }
        catch (TransferException failed)
        {
            Fail(user, job, failed.Fault, failed.Message);
        }
        catch (HttpRequestException away)
        {
            Fail(user, job, TransferFault.SourceAway, $"the node that has the user cannot be asked ({away.HttpRequestError})");
        }
        catch (StoreException damaged)
        {
            Fail(user, job, damaged.IsDamage ? TransferFault.Damaged : TransferFault.Disk, damaged.Message);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            Fail(user, job, TransferFault.Disk, $"the disk refuses ({refused.GetType().Name})");
        }
        catch (Exception fault)
        {
            Log.Fault(logger, user, job.Epoch, fault);
            job.End(TransferFault.Interrupted, $"a fault ended it ({fault.GetType().Name})");
        }
    }

    private void Fail(UserName user, Job job, TransferFault fault, string reason)
    {
        Log.Failed(logger, user, job.Epoch, fault, reason);
        job.End(fault, reason);
    }

    private sealed class Job(long epoch)
    {
        private volatile TransferManifest? _manifest;
        private volatile IncomingStore? _incoming;
        private TransferFault _fault;
        private string? _reason;
        private volatile bool _isOver;

        public long Epoch => epoch;

        public CancellationTokenSource Stop { get; } = new();

        public Task Run { get; set; } = Task.CompletedTask;

        public TransferStatus Status => new(
            !_isOver ? TransferStage.Copying : _fault == TransferFault.None ? TransferStage.Received : TransferStage.Failed,
            epoch, _manifest?.Fingerprint, _manifest?.Messages ?? 0, _incoming?.BytesDone ?? 0, _manifest?.TotalBytes ?? 0, _fault, _reason);

        public void Take(TransferManifest manifest, IncomingStore incoming) => (_manifest, _incoming) = (manifest, incoming);

        public void End(TransferFault fault, string? reason)
        {
            (_fault, _reason) = (fault, reason);
            _isOver = true;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1202, LogLevel.Warning, "The store of {User} did not come here (epoch {Epoch}), {Fault}: {Reason}. What has come stays for another try")]
        public static partial void Failed(ILogger logger, UserName user, long epoch, TransferFault fault, string reason);

        [LoggerMessage(1209, LogLevel.Error, "A fault ended the way of the store of {User} to here (epoch {Epoch})")]
        public static partial void Fault(ILogger logger, UserName user, long epoch, Exception fault);
    }
}
