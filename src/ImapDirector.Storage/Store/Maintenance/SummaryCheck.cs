using System.Globalization;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Whether each content has a summary that can be read and that fits it. One of another version is well: it is computed when it is needed.</summary>
internal static class SummaryCheck
{
    public static void Run(StoreConnection store, Dictionary<long, ContentReferences> contents, StoreCondition condition, CancellationToken cancellationToken)
    {
        var without = contents.Keys.ToHashSet();
        store.Each("SELECT content_id, summary FROM summaries", row =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            var id = row.GetInt64(0);
            if (!contents.ContainsKey(id)) condition.Add(StoreFindingKind.Summary, Text($"there is a summary of content {id}, which does not exist"));
            without.Remove(id);
            if (condition.Lengths.TryGetValue(id, out var length) && !Fits(row.GetFieldValue<byte[]>(1), length)) Miss(id, "a damaged summary");
        });
        foreach (var id in without.Where(condition.Lengths.ContainsKey)) Miss(id, "no summary");

        void Miss(long id, string how)
        {
            condition.WithoutSummary.Add(id);
            condition.Add(StoreFindingKind.Summary, Text($"content {id} has {how}"));
        }
    }

    private static bool Fits(byte[] bytes, long length)
    {
        try
        {
            return SummaryFormat.Decode(bytes) is not { } summary || (summary.Parts.Length > 0
                && summary.Parts.All(part => 0 <= part.HeaderStart && part.HeaderStart <= part.BodyStart && part.BodyStart <= part.End && part.End <= length));
        }
        catch (Exception broken) when (SummaryFormat.IsDamage(broken))
        {
            return false;
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
