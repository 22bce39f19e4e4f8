using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>Cuts the messages a command names into batches, so that a command on a whole mailbox neither holds the user's store nor a
/// thread for long (limits N16).</summary>
internal static class MessageBatches
{
    public const int DefaultSize = 500;

    /// <param name="selected">The view, which does not change while the command runs.</param>
    /// <param name="places">Ascending ranges of indices, as <see cref="SelectedMailbox.Resolve"/> gives them.</param>
    /// <param name="size">The most UIDs in a batch.</param>
    public static IEnumerable<uint[]> Of(SelectedMailbox selected, List<(int First, int Last)> places, int size = DefaultSize)
    {
        var batch = new List<uint>(Math.Min(size, selected.Count));
        foreach (var (first, last) in places)
        {
            for (var i = first; i <= last;)
            {
                var taken = Math.Min(last - i + 1, size - batch.Count);
                batch.AddRange(selected.Uids.Slice(i, taken));
                i += taken;
                if (batch.Count < size) continue;
                yield return batch.ToArray();
                batch.Clear();
            }
        }
        if (batch.Count > 0) yield return batch.ToArray();
    }
}
