using CsCheck;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Store.Maintenance;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

/// <summary>What was expunged is told to whoever was away, however many gaps it left.</summary>
public sealed class ExpungeTableTests
{
    [Fact]
    public void Packed_ranges_are_the_same_after_unpacking() =>
        Gen.Select(Gen.UInt[2, 1000], Gen.UInt[0, 1000]).Array[0, 50].Sample(steps =>
        {
            var ranges = new List<SequenceRange>();
            var end = 0u;
            foreach (var (gap, length) in steps)
            {
                ranges.Add(new SequenceRange(end + gap, end + gap + length * length * length % 70_000_000));
                end = ranges[^1].Last;
            }
            var unpacked = new List<SequenceRange>();
            Assert.True(PackedRanges.TryDecode(PackedRanges.Encode(ranges), unpacked));
            Assert.Equal(ranges, unpacked);
        });

    [Fact]
    public void Whatever_is_in_the_database_unpacking_comes_to_an_end_with_ranges_that_ascend() =>
        Gen.Byte.Array[0, 40].Sample(packed =>
        {
            var ranges = new List<SequenceRange>();
            if (!PackedRanges.TryDecode(packed, ranges)) return;
            for (var i = 0; i < ranges.Count; i++)
            {
                Assert.True(ranges[i].First <= ranges[i].Last);
                if (i > 0) Assert.True(ranges[i].First > ranges[i - 1].Last);
            }
        });

    [Fact]
    public async Task Every_second_message_of_many_is_one_row_and_known_after_a_restart()
    {
        await using var user = await StoreFixture.OpenAsync();
        for (var i = 0; i < 200; i++) await user.AddAsync("INBOX", "Subject: x\r\n\r\n");
        var before = user.Inbox.HighestModSeq;
        uint[] odd = [.. Enumerable.Range(0, 100).Select(static i => (uint)(2 * i + 1))];
        await user.Store.ExpungeAsync(user.Inbox.Id, odd, CancellationToken.None);
        await user.Store.ExpungeAsync(user.Inbox.Id, [2, 4], CancellationToken.None);
        await user.ReopenAsync();
        Assert.Equal(odd.Concat([2u, 4u]).Order(), user.Store.ExpungedSince(user.Inbox.Id, before)!.Select(static range => range.First));
        Assert.Equal([2u, 4u], user.Store.ExpungedSince(user.Inbox.Id, before + 1)!.Select(static range => range.First));
        Assert.Empty(user.Check());
    }

    [Fact]
    public async Task The_oldest_are_forgotten_before_they_are_too_many()
    {
        await using var user = await StoreFixture.OpenAsync();
        await user.AddAsync("INBOX", "Subject: x\r\n\r\n");
        var id = user.Inbox.Id;
        await user.Store.MaintainAsync(store =>
        {
            MailboxTable.TakeUids(store, id, 2_000_000);
            for (var i = 0u; i < 12; i++)
            {
                List<uint> uids = [.. Enumerable.Range(0, 10_000).Select(n => 10 + i * 100_000 + (uint)n * 2)];
                ExpungeTable.Add(store, id, MailboxTable.TakeModSeq(store, id), uids);
            }
            return true;
        }, CancellationToken.None);
        var highest = user.Inbox.HighestModSeq;
        Assert.Null(user.Store.ExpungedSince(id, highest - 12));
        Assert.Equal(10_000, user.Store.ExpungedSince(id, highest - 1)!.Count);
        Assert.Empty(user.Check());
    }
}
