using System.Security.Cryptography;
using System.Text;
using ImapDirector.Protocol;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Transfer;

/// <summary>The stores that other nodes are fetching from here. Each has a ticket: who shows it reads that one store.</summary>
internal sealed class OutgoingTransfers(string dataDirectory, TimeProvider clock) : IAsyncDisposable
{
    private const int MaxAtOnce = 32;
    private const int TicketBytes = 32;
    private static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(10);

    private readonly Lock _sync = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<UserName, OutgoingTransfer> _transfers = [];

    /// <summary>Makes a store ready to be handed over.</summary>
    /// <param name="user">A user who is released at this epoch.</param>
    /// <param name="epoch">The epoch.</param>
    /// <returns>How far it is; <c>null</c> when too many are being handed over.</returns>
    public OutgoingTransfer? Offer(UserName user, long epoch)
    {
        lock (_sync) return Ensure(user, epoch);
    }

    /// <summary>Begins to hand a store over.</summary>
    /// <param name="user">A user who is released at this epoch.</param>
    /// <param name="epoch">The epoch.</param>
    /// <returns>The ticket, in the place of any before; <c>null</c> when too many are being handed over.</returns>
    public string? Open(UserName user, long epoch)
    {
        var ticket = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TicketBytes));
        lock (_sync)
        {
            if (Ensure(user, epoch) is not { } transfer) return null;
            transfer.TicketHash = HashOf(ticket);
            return ticket;
        }
    }

    /// <summary>How far it is.</summary>
    /// <returns><c>null</c> for a ticket that nobody was given, or that is over.</returns>
    public OutgoingTransfer? Find(string ticket)
    {
        var hash = HashOf(ticket);
        lock (_sync)
        {
            foreach (var transfer in _transfers.Values)
            {
                if (transfer.TicketHash is null || !CryptographicOperations.FixedTimeEquals(transfer.TicketHash, hash)) continue;
                if (clock.GetElapsedTime(transfer.LastUsed) > IdleLimit) return null;
                transfer.LastUsed = clock.GetTimestamp();
                return transfer;
            }
        }
        return null;
    }

    /// <summary>Opens a file of the manifest.</summary>
    /// <param name="ticket">The ticket.</param>
    /// <param name="number">Which file.</param>
    /// <param name="offset">From where on.</param>
    /// <returns>The stream and the file's size; <c>null</c> for another ticket, number or offset.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public (Stream Content, long Size)? OpenFile(string ticket, int number, long offset)
    {
        if (Find(ticket) is not { Manifest.Files: { } files } transfer || number < 0 || number >= files.Count || offset < 0 || offset > files[number].Size) return null;
        return (OutgoingStore.OpenFile(dataDirectory, transfer.User, files[number], offset), files[number].Size);
    }

    /// <summary>It is over with this user's: the ticket is void, and what was made ready goes.</summary>
    public async Task CloseAsync(UserName user)
    {
        OutgoingTransfer? transfer;
        lock (_sync) _transfers.Remove(user, out transfer);
        if (transfer is not null) await transfer.Preparation.ContinueWith(static _ => { }, TaskScheduler.Default);
        TransferPath.Remove(TransferPath.Outgoing(dataDirectory, user));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        OutgoingTransfer[] running;
        lock (_sync) running = [.. _transfers.Values];
        foreach (var transfer in running) await transfer.Preparation.ContinueWith(static _ => { }, TaskScheduler.Default);
        _stop.Dispose();
    }

    private OutgoingTransfer? Ensure(UserName user, long epoch)
    {
        ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, this);
        foreach (var (name, old) in _transfers.ToArray())
            if (old.Preparation.IsCompleted && clock.GetElapsedTime(old.LastUsed) > IdleLimit) _transfers.Remove(name);
        var before = _transfers.GetValueOrDefault(user);
        if (before is null && _transfers.Count >= MaxAtOnce) return null;
        // One that has failed is tried anew.
        if (before is null || before.Epoch != epoch || before.Preparation.IsFaulted)
        {
            var transfer = new OutgoingTransfer(user, epoch);
            transfer.Preparation = PrepareAsync(before?.Preparation, transfer);
            _transfers[user] = before = transfer;
        }
        before.LastUsed = clock.GetTimestamp();
        return before;
    }

    private async Task PrepareAsync(Task? before, OutgoingTransfer transfer)
    {
        await Task.Yield();
        // The other one is at work in the same directory.
        if (before is not null) await before.ContinueWith(static _ => { }, TaskScheduler.Default);
        var manifest = OutgoingStore.Prepare(dataDirectory, transfer.User, transfer.Epoch, _stop.Token);
        transfer.ManifestDigest = Convert.ToHexStringLower(SHA256.HashData(manifest.Write()));
        transfer.Manifest = manifest;
    }

    private static byte[] HashOf(string ticket) => SHA256.HashData(Encoding.UTF8.GetBytes(ticket));
}

/// <summary>A store that is being handed over.</summary>
internal sealed class OutgoingTransfer(UserName user, long epoch)
{
    private volatile TransferManifest? _manifest;

    public UserName User => user;

    public long Epoch => epoch;

    /// <summary>Ends when everything is ready, or fails.</summary>
    public Task Preparation { get; set; } = Task.CompletedTask;

    /// <summary>What there is, once everything is ready.</summary>
    public TransferManifest? Manifest
    {
        get => _manifest;
        set => _manifest = value;
    }

    /// <summary>The SHA-256 of the manifest as it is sent, once there is one.</summary>
    public string ManifestDigest { get; set; } = "";

    /// <summary>Nobody has one before somebody asks.</summary>
    public byte[]? TicketHash { get; set; }

    public long LastUsed { get; set; }
}
