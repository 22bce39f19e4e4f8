using System.Globalization;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search;

/// <summary>The results of a session that are kept up to date as its mailbox changes (RFC 5267 section 4.3). They end with its selection.</summary>
/// <param name="selected">The mailbox.</param>
/// <param name="cursor">Collects what changes.</param>
internal sealed class SearchContexts(SelectedMailbox selected, MailboxCursor cursor)
{
    /// <summary>How many a session may have.</summary>
    public const int Most = 10;

    /// <summary>In a larger mailbox a sorted result is not kept up to date: each message that comes means that all are sorted.</summary>
    private const int MostSorted = 20_000;

    /// <summary>Messages that all results of a session may hold together.</summary>
    public const int MostMessages = 1_000_000;

    private readonly List<SearchContext> _contexts = [];
    private TimeSpan _limit;
    private CancellationToken _deadline;

    public bool Has(string tag) => _contexts.Exists(context => context.Wanted.Tag == tag);

    /// <summary>Whether one more may be had.</summary>
    public bool MayHave(bool sorted) => _contexts.Count < Most && !(sorted && selected.Count > MostSorted)
        && _contexts.Sum(static context => (long)context.Count) + selected.Count <= MostMessages;

    /// <summary>Begins to collect what changes; before the search that is to be kept up to date.</summary>
    /// <param name="limit">What one update of all of them may take (limits N12).</param>
    public void Begin(TimeSpan limit)
    {
        _limit = limit;
        cursor.Touched ??= [];
    }

    /// <param name="wanted">What was asked for.</param>
    /// <param name="found">What it found, in order.</param>
    public void Add(WantedContext wanted, IReadOnlyList<uint> found) => _contexts.Add(new SearchContext(selected, wanted, found, () => _deadline));

    /// <returns>Whether there was one of that tag.</returns>
    public bool Cancel(string tag) => _contexts.RemoveAll(context => context.Wanted.Tag == tag) > 0;

    /// <summary>Tells what leaves the results, before any message loses its number.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="expunged">The messages that the client is going to be told are gone.</param>
    public async ValueTask TellRemovedAsync(ResponseStream output, IReadOnlyCollection<uint> expunged)
    {
        if (_contexts.Count == 0)
        {
            cursor.Touched = null;
            return;
        }
        var touched = cursor.Touched!.ToArray();
        cursor.Touched!.Clear();
        Array.Sort(touched);
        using var deadline = new CancellationTokenSource(_limit);
        foreach (var context in _contexts.ToArray())
        {
            _deadline = deadline.Token;
            var leaving = new List<uint>();
            foreach (var uid in expunged)
                if (context.Contains(uid)) leaving.Add(uid);
            try
            {
                await LookAtAsync(output.Turns!, context, touched, leaving);
            }
            catch (Exception failed) when (failed is StoreException || (failed is OperationCanceledException && deadline.IsCancellationRequested))
            {
                GiveUp(output, context);
                continue;
            }
            await WriteRemovedAsync(output, context, leaving);
        }
    }

    /// <summary>Tells what comes to the results, when all messages have their numbers.</summary>
    /// <returns>What is to be told of the messages that came.</returns>
    public async ValueTask<List<(SearchContext Context, List<uint> Uids)>> TellAddedAsync(ResponseStream output)
    {
        var told = new List<(SearchContext, List<uint>)>();
        using var deadline = new CancellationTokenSource(_limit);
        foreach (var context in _contexts.ToArray())
        {
            if (context.Adding.Count == 0) continue;
            try
            {
                if (context.IsSorted) await WriteSortedInAsync(output, context, deadline.Token);
                else WriteAdded(output, context);
            }
            catch (Exception failed) when (failed is StoreException || (failed is OperationCanceledException && deadline.IsCancellationRequested))
            {
                GiveUp(output, context);
                continue;
            }
            if (!context.Wanted.Items.IsEmpty) told.Add((context, [.. context.Adding]));
            context.EndAdding();
            await output.FlushIfLargeAsync();
        }
        return told;
    }

    /// <summary>Tells the client that a result is not kept up to date (RFC 5267 section 4.3.1).</summary>
    public static void Refuse(ResponseStream output, string tag)
    {
        // A bracket would end the response code for many clients.
        var code = tag.Contains(']', StringComparison.Ordinal) ? "" : string.Create(CultureInfo.InvariantCulture, $"NOUPDATE \"{tag}\"");
        output.Status("*", ImapStatus.No, code, "The result will not be kept up to date.");
    }

    private void GiveUp(ResponseStream output, SearchContext context)
    {
        _contexts.Remove(context);
        Refuse(output, context.Wanted.Tag);
    }

    private async ValueTask LookAtAsync(WorkTurns turns, SearchContext context, uint[] touched, List<uint> leaving)
    {
        foreach (var message in selected.Shared.Find(touched))
        {
            _deadline.ThrowIfCancellationRequested();
            // Of a message that was there before, only its flags can be other ones.
            if (message is null || (!context.DependsOnFlags && selected.SequenceOf(message.Uid) != 0)) continue;
            if (message.SizeBytes > WorkTurns.LongBytes) await turns.EnterAsync(_deadline);
            if (Leaves(context, message)) leaving.Add(message.Uid);
            await turns.NextAsync(_deadline);
        }
    }

    private bool Leaves(SearchContext context, MessageRecord message)
    {
        using var candidate = new SearchCandidate(selected.Mail.Store, message, selected.SequenceOf(message.Uid), selected.IsRecent(message.Uid));
        try
        {
            return context.Leaves(candidate);
        }
        catch (StoreException) when (selected.Shared.Find(message.Uid) is null)
        {
            // Expunged meanwhile: the client will be told.
            return false;
        }
    }

    private async ValueTask WriteRemovedAsync(ResponseStream output, SearchContext context, List<uint> leaving)
    {
        if (leaving.Count == 0) return;
        leaving.Sort();
        Begin(output, context, " REMOVEFROM ("u8);
        if (context.IsSorted)
        {
            // From the end, so that no place changes that is still to be told.
            var gone = leaving.ToHashSet();
            var isFirst = true;
            for (var i = context.Order.Count - 1; i >= 0; i--)
            {
                var uid = context.Order[i];
                if (!gone.Contains(uid)) continue;
                WritePlace(output, context, i + 1, uid, ref isFirst);
                await output.FlushIfLargeAsync();
            }
            context.Order.RemoveAll(gone.Contains);
        }
        else
        {
            WriteSet(output, context, leaving);
        }
        context.Remove(leaving);
        output.Raw(")\r\n"u8);
        await output.FlushIfLargeAsync();
    }

    private void WriteAdded(ResponseStream output, SearchContext context)
    {
        Begin(output, context, " ADDTO ("u8);
        WriteSet(output, context, [.. context.Adding]);
        output.Raw(")\r\n"u8);
    }

    private async ValueTask WriteSortedInAsync(ResponseStream output, SearchContext context, CancellationToken deadline)
    {
        // All that is in the mailbox is sorted.
        await output.Turns!.EnterAsync(deadline);
        var places = await context.SortInAsync(deadline);
        if (places.Count == 0) return;
        Begin(output, context, " ADDTO ("u8);
        var isFirst = true;
        foreach (var (place, uid) in places)
        {
            context.Order.Insert(Math.Min(place - 1, context.Order.Count), uid);
            WritePlace(output, context, place, uid, ref isFirst);
            await output.FlushIfLargeAsync();
        }
        output.Raw(")\r\n"u8);
    }

    private static void Begin(ResponseStream output, SearchContext context, ReadOnlySpan<byte> item)
    {
        output.Raw("* ESEARCH (TAG \""u8);
        output.Raw(Encoding.ASCII.GetBytes(context.Wanted.Tag));
        output.Raw(context.Wanted.ByUid ? "\") UID"u8 : "\")"u8);
        output.Raw(item);
    }

    private uint Number(SearchContext context, uint uid) => context.Wanted.ByUid ? uid : selected.SequenceOf(uid);

    /// <summary>The place 0 stands for the order of the mailbox.</summary>
    private void WriteSet(ResponseStream output, SearchContext context, List<uint> uids)
    {
        output.Raw("0 "u8);
        output.SequenceSet([.. uids.Select(uid => Number(context, uid))]);
    }

    private void WritePlace(ResponseStream output, SearchContext context, int place, uint uid, ref bool isFirst)
    {
        if (!isFirst) output.Raw(" "u8);
        isFirst = false;
        output.Number((ulong)place);
        output.Raw(" "u8);
        output.Number(Number(context, uid));
    }
}
