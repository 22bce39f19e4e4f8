namespace ImapDirector.Storage.Mailboxes;

/// <summary>Finds places in ascending UIDs.</summary>
internal static class UidSearch
{
    /// <summary>The index of the first element that is not below <paramref name="uid"/>.</summary>
    public static int LowerBound(ReadOnlySpan<uint> ascending, ulong uid)
    {
        var (low, high) = (0, ascending.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (ascending[middle] < uid) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
