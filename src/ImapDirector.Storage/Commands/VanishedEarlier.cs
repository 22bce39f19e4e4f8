using System.Runtime.InteropServices;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>VANISHED (EARLIER): the messages that were expunged while the client was away (RFC 7162 section 3.2.10.1).</summary>
internal static class VanishedEarlier
{
    /// <param name="session">The session.</param>
    /// <param name="selected">The mailbox it has selected.</param>
    /// <param name="modSeq">The mod-sequence up to which the client knows everything.</param>
    /// <param name="known">The UIDs it asks about, or <c>null</c> for all.</param>
    public static async ValueTask WriteAsync(MailSession session, SelectedMailbox selected, ulong modSeq, SequenceSet? known)
    {
        var last = selected.UidNext - 1;
        if (last == 0) return;
        var asked = known?.Resolve(last) ?? [new SequenceRange(1, last)];
        // Where nobody knows any more, whatever is missing may have been there.
        var expunged = selected.Mail.Store.ExpungedSince(selected.Shared.Id, modSeq) ?? [new SequenceRange(1, last)];
        var vanished = Missing(selected, Intersection(asked, expunged), last);
        if (vanished.Count == 0) return;
        var output = session.Output;
        output.Raw("* VANISHED (EARLIER) "u8);
        output.Ranges(CollectionsMarshal.AsSpan(vanished));
        output.EndLine();
        await output.FlushIfLargeAsync();
    }

    /// <summary>What two ascending lists of ranges have in common, ascending and merged; those of the second may overlap.</summary>
    internal static List<SequenceRange> Intersection(IReadOnlyList<SequenceRange> first, IReadOnlyList<SequenceRange> second)
    {
        var common = new List<SequenceRange>();
        var start = 0;
        foreach (var range in second)
        {
            while (start < first.Count && first[start].Last < range.First) start++;
            for (var i = start; i < first.Count && first[i].First <= range.Last; i++)
                Append(common, Math.Max(first[i].First, range.First), Math.Min(first[i].Last, range.Last));
        }
        return common;
    }

    /// <summary>The parts of the ranges where the client's view has no message.</summary>
    private static List<SequenceRange> Missing(SelectedMailbox selected, List<SequenceRange> ranges, uint last)
    {
        var missing = new List<SequenceRange>();
        var uids = selected.Uids;
        foreach (var range in ranges)
        {
            var next = range.First;
            var end = Math.Min(range.Last, last);
            for (var i = UidSearch.LowerBound(uids, range.First); i < uids.Length && uids[i] <= end; i++)
            {
                if (uids[i] > next) Append(missing, next, uids[i] - 1);
                next = uids[i] + 1;
            }
            if (next <= end) Append(missing, next, end);
        }
        return missing;
    }

    /// <summary>Adds a range that begins no earlier than the last one.</summary>
    private static void Append(List<SequenceRange> ranges, uint first, uint last)
    {
        if (ranges.Count == 0 || ranges[^1].Last + 1ul < first) ranges.Add(new SequenceRange(first, last));
        else if (last > ranges[^1].Last) ranges[^1] = ranges[^1] with { Last = last };
    }
}
