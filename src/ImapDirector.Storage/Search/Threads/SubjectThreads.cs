using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search.Threads;

/// <summary>THREAD=ORDEREDSUBJECT (RFC 5256 section 3): the first message of a subject, and all others of it below.</summary>
internal static class SubjectThreads
{
    /// <returns>The threads in the order in which they are told.</returns>
    public static List<ThreadNode> Of(IReadOnlyList<ThreadItem> items)
    {
        var bySubject = new Dictionary<string, List<ThreadNode>>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (!bySubject.TryGetValue(item.Subject, out var messages)) bySubject.Add(item.Subject, messages = []);
            messages.Add(new ThreadNode(item));
        }
        var roots = new List<ThreadNode>(bySubject.Count);
        foreach (var messages in bySubject.Values)
        {
            messages.Sort(ThreadNode.BySent);
            messages[0].SetChildren(messages[1..]);
            roots.Add(messages[0]);
        }
        roots.Sort(ThreadNode.BySent);
        return roots;
    }
}
