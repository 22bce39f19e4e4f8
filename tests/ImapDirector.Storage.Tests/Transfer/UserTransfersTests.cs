using ImapDirector.Protocol;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;
using ImapDirector.Storage.Transfer;
using Xunit;

namespace ImapDirector.Storage.Tests.Transfer;

public sealed class UserTransfersTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_released_store_is_handed_over_only_at_its_epoch()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        var from = nodes.From.Transfers;
        Assert.Equal(TransferAnswer.InUse, from.OpenOutgoing(nodes.User, 2).Answer);
        Assert.Equal(TransferAnswer.Done, await from.ReleaseAsync(nodes.User, 2, None));
        Assert.Equal(TransferAnswer.Done, await from.ReleaseAsync(nodes.User, 2, None));
        Assert.Equal(TransferAnswer.Stale, await from.ReleaseAsync(nodes.User, 1, None));
        Assert.Equal(TransferAnswer.InUse, from.OpenOutgoing(nodes.User, 3).Answer);
        Assert.Equal(TransferAnswer.Stale, from.OpenOutgoing(nodes.User, 1).Answer);
        var (answer, ticket) = from.OpenOutgoing(nodes.User, 2);
        Assert.Equal(TransferAnswer.Done, answer);
        var manifest = await ManifestAsync(nodes, ticket!);
        Assert.Equal(5, manifest.Messages);
        Assert.Equal(3, manifest.Files.Count);
        Assert.Null(from.OpenFile(ticket!, 3, 0));
        Assert.Null(from.OpenFile(ticket!, -1, 0));
        Assert.Null(from.OpenFile(ticket!, 0, manifest.Files[0].Size + 1));
        Assert.Null(from.OpenFile("another", 0, 0));
        using (var file = from.OpenFile(ticket!, 0, manifest.Files[0].Size)!.Value.Content) Assert.Equal(-1, file.ReadByte());
        // A new ticket for the same store voids the old one.
        Assert.NotNull(from.OpenOutgoing(nodes.User, 2).Ticket);
        Assert.Null(from.OpenFile(ticket!, 0, 0));
    }

    [Fact]
    public async Task A_user_without_a_store_cannot_get_one_with_an_epoch_before_the_release()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        Assert.Equal(TransferAnswer.NotHeld, await nodes.To.Transfers.ReleaseAsync(nodes.User, 2, None));
        Assert.Equal(2, nodes.To.Moved.EpochOf(nodes.User));
        await Assert.ThrowsAsync<StoreException>(async () => await nodes.To.Mails.AcquireAsync(nodes.User, None));
        Assert.False(Directory.Exists(nodes.To.StoreOf(nodes.User)));
    }

    [Fact]
    public async Task Nothing_is_received_where_the_user_has_mail_in_use()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        Assert.Equal(TransferAnswer.InUse, nodes.From.Transfers.Receive(nodes.User, 2, new Uri("http://127.0.0.1:1"), new string('0', 64), "x"));
        Assert.Equal(TransferStage.Active, nodes.From.Transfers.StatusOf(nodes.User).Stage);
        Assert.Equal(TransferAnswer.InUse, await nodes.From.Transfers.DiscardAsync(nodes.User, 2, None));
    }

    [Fact]
    public async Task A_source_that_is_away_is_told_and_can_be_tried_again()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(TransferAnswer.Done, nodes.To.Transfers.Receive(nodes.User, 2, new Uri("http://127.0.0.1:1"), new string('0', 64), "x"));
            TransferStatus status;
            while ((status = nodes.To.Transfers.StatusOf(nodes.User)).Stage == TransferStage.Copying) await Task.Delay(10);
            Assert.Equal((TransferStage.Failed, TransferFault.SourceAway), (status.Stage, status.Fault));
        }
        Assert.Equal(TransferAnswer.Done, await nodes.To.Transfers.DiscardAsync(nodes.User, 2, None));
        Assert.Equal(TransferStage.None, nodes.To.Transfers.StatusOf(nodes.User).Stage);
    }

    [Fact]
    public async Task What_nobody_has_thought_of_ends_it_too()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        // No header can have this in it.
        Assert.Equal(TransferAnswer.Done, nodes.To.Transfers.Receive(nodes.User, 2, new Uri("http://127.0.0.1:1"), new string('0', 64), "x\ny"));
        TransferStatus status;
        while ((status = nodes.To.Transfers.StatusOf(nodes.User)).Stage == TransferStage.Copying) await Task.Delay(10);
        Assert.Equal((TransferStage.Failed, TransferFault.Interrupted), (status.Stage, status.Fault));
        Assert.Equal(TransferAnswer.Done, await nodes.To.Transfers.DiscardAsync(nodes.User, 2, None));
    }

    [Fact]
    public async Task Set_aside_is_only_what_was_released_and_it_is_kept()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        var from = nodes.From.Transfers;
        Assert.Equal(TransferAnswer.InUse, await from.SetAsideAsync(nodes.User, 3, None));
        await from.ReleaseAsync(nodes.User, 2, None);
        var before = nodes.From.Fingerprint(nodes.User);
        Assert.Equal(TransferAnswer.Stale, await from.SetAsideAsync(nodes.User, 2, None));
        Assert.Equal(TransferAnswer.Done, await from.SetAsideAsync(nodes.User, 3, None));
        Assert.Equal(TransferAnswer.Done, await from.SetAsideAsync(nodes.User, 3, None));
        Assert.Null(nodes.From.Mark(nodes.User));
        var kept = Directory.EnumerateFiles(Path.Combine(nodes.From.Data, "moved"), "mail.db", SearchOption.AllDirectories).Single();
        Assert.Equal(before, StoreFingerprint.Of(Path.GetDirectoryName(kept)!, None).Digest);
        Assert.Empty(from.ListHeld(null, 10));
        Assert.Equal(3, nodes.From.Moved.EpochOf(nodes.User));
        await Assert.ThrowsAsync<StoreException>(async () => await nodes.From.Mails.AcquireAsync(nodes.User, None));
        // However high the epoch: only a move brings the user back where mail was left behind.
        await Assert.ThrowsAsync<StoreException>(async () => await nodes.From.Mails.AcquireAsync(nodes.User, 9, None));
        Assert.Equal(TransferAnswer.Stale, await from.ReleaseAsync(nodes.User, 9, None));
        Assert.Equal(TransferAnswer.NotHeld, await from.ActivateAsync(nodes.User, 9, None));
        Assert.Equal(0, nodes.From.Moved.Sweep(TimeSpan.FromDays(1), None));
        Assert.Equal(1, nodes.From.Moved.Sweep(TimeSpan.FromSeconds(-1), None));
        // The epoch stays: a director that remembers an older one must not begin a new store here.
        Assert.Equal(3, nodes.From.Moved.EpochOf(nodes.User));
    }

    [Fact]
    public async Task A_store_in_use_is_waited_for_and_whoever_comes_meanwhile_waits()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        var lease = await nodes.From.Mails.AcquireAsync(nodes.User, None);
        var released = nodes.From.Transfers.ReleaseAsync(nodes.User, 2, None);
        Assert.False(released.IsCompleted);
        await lease.DisposeAsync();
        Assert.Equal(TransferAnswer.Done, await released);
        Assert.Null(await nodes.From.Mails.KeepOutAsync(await HeldAsync(nodes), TimeSpan.Zero, None));
    }

    [Fact]
    public async Task Who_is_held_is_told_in_pages_each_once()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        var all = new List<string> { nodes.User.Value };
        for (var number = 0; number < 20; number++)
        {
            Assert.True(UserName.TryCreate($"user{number}@example.com", null, out var user));
            await using var lease = await nodes.From.Mails.AcquireAsync(user, None);
            all.Add(user.Value);
        }
        await nodes.From.Transfers.ReleaseAsync(nodes.User, 7, None);
        var told = new List<HeldUser>();
        while (nodes.From.Transfers.ListHeld(told.Count == 0 ? null : told[^1].User, 4) is { Count: > 0 } page) told.AddRange(page);
        Assert.Equal(all.Order(StringComparer.Ordinal), told.Select(static held => held.User.Value).Order(StringComparer.Ordinal));
        var alice = told.Single(held => held.User == nodes.User);
        Assert.Equal((7, StoreState.Released, 5), (alice.Epoch, alice.State, alice.Messages));
        Assert.All(told.Where(held => held.User != nodes.User), static held => Assert.Equal((0, StoreState.Active, 0), (held.Epoch, held.State, held.Messages)));
        // A disk that is so slow that the time is over at once.
        var slow = new List<HeldUser>();
        while (HeldUser.List(nodes.From.Data, slow.Count == 0 ? null : slow[^1].User, 4, TimeSpan.Zero) is { Count: > 0 } page) slow.Add(Assert.Single(page));
        // Meanwhile what nobody uses may have been put in order on disk.
        Assert.Equal(told.Select(static held => held with { Changed = null }), slow.Select(static held => held with { Changed = null }));
    }

    [Fact]
    public async Task When_a_store_was_written_last_is_told_and_looking_at_it_is_no_writing()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        await nodes.From.StopAsync();
        var written = new DateTime(2020, 3, 5, 10, 11, 12, DateTimeKind.Utc);
        foreach (var file in Directory.EnumerateFiles(nodes.From.StoreOf(nodes.User), "mail.db*")) File.SetLastWriteTimeUtc(file, written);
        for (var look = 0; look < 2; look++) Assert.Equal(written, Assert.Single(HeldUser.List(nodes.From.Data, null, 10, TimeSpan.FromSeconds(5))).Changed!.Value.UtcDateTime);
        nodes.From.Restart();
        await using (var lease = await nodes.From.Mails.AcquireAsync(nodes.User, None)) await nodes.From.AddAsync(lease.Mail, "Subject: now\r\n\r\n");
        Assert.True(Assert.Single(nodes.From.Transfers.ListHeld(null, 10)).Changed!.Value.UtcDateTime > written);
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_is_told_as_such()
    {
        await using var nodes = await TwoNodes.WithMailAsync();
        await nodes.From.StopAsync();
        await File.WriteAllTextAsync(Path.Combine(nodes.From.StoreOf(nodes.User), "mail.db"), new string('x', 8192));
        nodes.From.Restart();
        Assert.Equal(StoreState.Unreadable, Assert.Single(nodes.From.Transfers.ListHeld(null, 10)).State);
        Assert.Equal(TransferAnswer.Damaged, await nodes.From.Transfers.ReleaseAsync(nodes.User, 2, None));
        Assert.Equal(TransferAnswer.InUse, nodes.From.Transfers.Receive(nodes.User, 2, new Uri("http://127.0.0.1:1"), new string('0', 64), "x"));
    }

    private static async Task<UserName> HeldAsync(TwoNodes nodes)
    {
        await nodes.From.Transfers.ActivateAsync(nodes.User, 3, None);
        _ = await nodes.From.Mails.AcquireAsync(nodes.User, None);
        return nodes.User;
    }

    private static async Task<TransferManifest> ManifestAsync(TwoNodes nodes, string ticket)
    {
        while (true)
        {
            var (answer, bytes) = nodes.From.Transfers.FindManifest(ticket);
            if (answer == TransferAnswer.Done) return TransferManifest.TryRead(bytes)!;
            Assert.Equal(TransferAnswer.Busy, answer);
            await Task.Delay(10);
        }
    }
}
