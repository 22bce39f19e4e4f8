using System.Runtime.InteropServices;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>Tells what SEARCH or SORT found: as a list of numbers, or as ESEARCH (RFC 4731) with what was asked for; and keeps it as <c>$</c> (RFC 5182).</summary>
/// <param name="session">The session.</param>
/// <param name="selected">The mailbox that was searched.</param>
/// <param name="tag">The command's.</param>
/// <param name="byUid">Whether messages are told by their UIDs.</param>
/// <param name="wanted">What is told; <c>null</c> for a list of numbers.</param>
/// <param name="name">What the client calls the mailbox, where it has to be told (RFC 7377 section 2.1).</param>
internal sealed class SearchAnswer(MailSession session, SelectedMailbox selected, string tag, bool byUid, SearchReturn? wanted, MailboxName? name = null)
{
    private const int ChunkSize = 1000;

    /// <param name="found">What was found.</param>
    /// <param name="inOrder">The same in the order asked for, where one was.</param>
    public async ValueTask WriteAsync(SearchFindings found, List<uint>? inOrder = null)
    {
        var (uids, sorted) = (inOrder ?? found.Uids, inOrder is not null);
        var items = wanted?.Items ?? SearchReturnItems.None;
        if ((items & SearchReturnItems.Save) != 0) selected.SavedResult = ToSave(uids, items, sorted);
        var modSeq = found.AsksModSeq ? HighestModSeq(Told(uids, items)) : 0;
        if (wanted is null)
        {
            await WriteListAsync(sorted ? "* SORT" : "* SEARCH", uids, modSeq);
            return;
        }
        // Whoever only saves the result has seen enough with the tagged OK.
        if (items == SearchReturnItems.Save) return;
        var output = session.Output;
        output.Raw("* ESEARCH (TAG \""u8);
        output.Raw(Encoding.ASCII.GetBytes(tag));
        output.Raw("\""u8);
        if (name is { } mailbox)
        {
            output.Raw(" MAILBOX "u8);
            output.Mailbox(mailbox, session.Enabled.Utf8Names);
            output.Raw(" UIDVALIDITY "u8);
            output.Number(selected.Shared.UidValidity);
        }
        output.Raw(byUid ? ") UID"u8 : ")"u8);
        if ((items & SearchReturnItems.Min) != 0 && uids.Count > 0) Item(" MIN "u8, Number(uids[0]));
        if ((items & SearchReturnItems.Max) != 0 && uids.Count > 0) Item(" MAX "u8, Number(uids[^1]));
        if ((items & SearchReturnItems.Count) != 0) Item(" COUNT "u8, (ulong)uids.Count);
        if ((items & SearchReturnItems.Partial) != 0) await WritePartialAsync(uids, sorted);
        if ((items & SearchReturnItems.All) != 0 && uids.Count > 0)
        {
            output.Raw(" ALL "u8);
            await WriteSetAsync(uids, sorted);
        }
        if ((items & SearchReturnItems.Relevancy) != 0 && uids.Count > 0) await WriteScoresAsync(ScoredOf(uids, items), found.Scores!);
        if (modSeq > 0) Item(" MODSEQ "u8, modSeq);
        output.EndLine();
    }

    /// <summary>The search failed: what it was to save is nothing (RFC 5182 section 2.1).</summary>
    public void Fail()
    {
        if ((wanted?.Items & SearchReturnItems.Save) > 0) selected.SavedResult = [];
    }

    private async ValueTask WriteListAsync(string response, List<uint> uids, ulong modSeq)
    {
        var output = session.Output;
        output.Raw(Encoding.ASCII.GetBytes(response));
        foreach (var uid in uids)
        {
            Item(" "u8, Number(uid));
            await output.FlushIfLargeAsync();
        }
        if (modSeq > 0)
        {
            Item(" (MODSEQ "u8, modSeq);
            output.Raw(")"u8);
        }
        output.EndLine();
    }

    private async ValueTask WritePartialAsync(List<uint> uids, bool sorted)
    {
        var (output, window) = (session.Output, wanted!.Partial);
        var sign = window.FromEnd ? "-"u8.ToArray() : [];
        output.Raw(" PARTIAL ("u8);
        output.Raw(sign);
        output.Number(window.First);
        output.Raw(":"u8);
        output.Raw(sign);
        output.Number(window.Last);
        output.Raw(" "u8);
        var (start, length) = window.Of(uids.Count);
        if (length == 0) output.Raw("NIL"u8);
        else await WriteSetAsync(uids.GetRange(start, length), sorted);
        output.Raw(")"u8);
    }

    /// <summary>Scores belong to the messages that the answer names: those of the window where there is one.</summary>
    private List<uint> ScoredOf(List<uint> uids, SearchReturnItems items)
    {
        if ((items & SearchReturnItems.Partial) == 0) return uids;
        var (start, length) = wanted!.Partial.Of(uids.Count);
        return uids.GetRange(start, length);
    }

    private async ValueTask WriteScoresAsync(List<uint> uids, IReadOnlyDictionary<uint, int> scores)
    {
        var separator = " RELEVANCY ("u8.ToArray();
        foreach (var uid in uids)
        {
            Item(separator, (ulong)scores[uid]);
            separator = " "u8.ToArray();
            await session.Output.FlushIfLargeAsync();
        }
        session.Output.Raw(uids.Count == 0 ? " RELEVANCY ()"u8 : ")"u8);
    }

    private async ValueTask WriteSetAsync(List<uint> uids, bool sorted)
    {
        var output = session.Output;
        for (var start = 0; start < uids.Count; start += ChunkSize)
        {
            var chunk = CollectionsMarshal.AsSpan(uids).Slice(start, Math.Min(ChunkSize, uids.Count - start)).ToArray();
            for (var i = 0; i < chunk.Length; i++) chunk[i] = Number(chunk[i]);
            if (start > 0) output.Raw(","u8);
            if (sorted) WriteInOrder(chunk);
            else output.SequenceSet(chunk);
            await output.FlushIfLargeAsync();
        }
    }

    /// <summary>A range would not say in which order it is meant.</summary>
    private void WriteInOrder(uint[] numbers)
    {
        for (var i = 0; i < numbers.Length; i++)
        {
            if (i > 0) session.Output.Raw(","u8);
            session.Output.Number(numbers[i]);
        }
    }

    private void Item(ReadOnlySpan<byte> item, ulong value)
    {
        session.Output.Raw(item);
        session.Output.Number(value);
    }

    private uint Number(uint uid) => byUid ? uid : selected.SequenceOf(uid);

    /// <summary>What the client is told of, whose mod-sequences count (RFC 4731 section 3.2): the ends alone where it asks for those alone.</summary>
    private List<uint> Told(List<uint> uids, SearchReturnItems items) =>
        (items & (SearchReturnItems.All | SearchReturnItems.Count)) != 0 || (items & ~(SearchReturnItems.Save | SearchReturnItems.Update | SearchReturnItems.Relevancy)) == 0 ? uids : Parts(uids, items);

    private uint[] ToSave(List<uint> uids, SearchReturnItems items, bool sorted)
    {
        var saved = Told(uids, items).ToArray();
        if (sorted || saved.Length != uids.Count) Array.Sort(saved);
        return saved;
    }

    private List<uint> Parts(List<uint> uids, SearchReturnItems items)
    {
        if (uids.Count == 0) return [];
        var parts = new HashSet<uint>();
        if ((items & SearchReturnItems.Min) != 0) parts.Add(uids[0]);
        if ((items & SearchReturnItems.Max) != 0) parts.Add(uids[^1]);
        if ((items & SearchReturnItems.Partial) != 0)
        {
            var (start, length) = wanted!.Partial.Of(uids.Count);
            parts.UnionWith(uids.GetRange(start, length));
        }
        return [.. parts];
    }

    private ulong HighestModSeq(List<uint> uids)
    {
        var highest = 0ul;
        foreach (var message in selected.Shared.Find(CollectionsMarshal.AsSpan(uids)))
            if (message is not null) highest = Math.Max(highest, message.ModSeq);
        return highest;
    }
}
