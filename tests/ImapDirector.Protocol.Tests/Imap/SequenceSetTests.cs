using CsCheck;
using ImapDirector.Protocol.Imap;
using Xunit;

namespace ImapDirector.Protocol.Tests.Imap;

public sealed class SequenceSetTests
{
    private static string Resolve(uint largest, params SequenceRange[] ranges) =>
        string.Join(",", new SequenceSet([.. ranges]).Resolve(largest).Select(r => $"{r.First}:{r.Last}"));

    private static SequenceRange Range(uint first, uint last) => new(first, last);

    [Fact]
    public void Star_is_the_largest_number() => Assert.Equal("3:9", Resolve(9, Range(3, SequenceSet.Star)));

    [Fact]
    public void Star_matches_nothing_in_an_empty_mailbox() => Assert.Equal("", Resolve(0, Range(1, SequenceSet.Star), Range(SequenceSet.Star, SequenceSet.Star)));

    [Fact]
    public void A_range_that_starts_above_star_still_holds_the_largest_number() => Assert.Equal("9:20", Resolve(9, Range(20, SequenceSet.Star)));

    [Fact]
    public void Ranges_that_touch_or_overlap_are_one() => Assert.Equal("1:9,11:12", Resolve(50, Range(11, 12), Range(4, 9), Range(1, 3), Range(8, 5)));

    [Fact]
    public void The_end_of_the_number_range_does_not_wrap() =>
        Assert.Equal($"1:1,{uint.MaxValue - 1}:{uint.MaxValue}", Resolve(uint.MaxValue, Range(uint.MaxValue - 1, uint.MaxValue), Range(SequenceSet.Star, SequenceSet.Star), Range(1, 1)));

    [Fact]
    public void A_resolved_set_holds_the_numbers_a_naive_model_holds() =>
        Gen.Select(Gen.Select(Gen.UInt[1, 30], Gen.UInt[1, 30]).Array[1, 8], Gen.UInt[0, 30]).Sample((pairs, largest) =>
        {
            // 30 stands for the star here.
            var ranges = pairs.Select(p => Range(p.Item1 == 30 ? SequenceSet.Star : p.Item1, p.Item2 == 30 ? SequenceSet.Star : p.Item2)).ToArray();
            var naive = new SortedSet<uint>();
            foreach (var (a, b) in pairs)
            {
                if (largest == 0 && (a == 30 || b == 30)) continue;
                var from = a == 30 ? largest : a;
                var to = b == 30 ? largest : b;
                for (var n = Math.Min(from, to); n <= Math.Max(from, to); n++) naive.Add(n);
            }
            var resolved = new SequenceSet([.. ranges]).Resolve(largest);
            Assert.Equal(naive, resolved.SelectMany(r => Enumerable.Range((int)r.First, (int)(r.Last - r.First + 1)).Select(n => (uint)n)));
            for (var i = 1; i < resolved.Length; i++) Assert.True(resolved[i].First > resolved[i - 1].Last + 1, "ranges are merged and ascending");
        });
}
