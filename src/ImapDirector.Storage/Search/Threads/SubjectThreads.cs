using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search.Threads;

/// <summary>THREAD=ORDEREDSUBJECT (RFC 5256 section 3): the first message of a subject, and all others of it below.</summary>
internal static class SubjectThreads
{
    /// <returns>The threads in the order in which they are told.</returns>
    public static List<ThreadNode> Of(ThreadItems items)
    {
        var bySubject = new List<ThreadNode>?[items.Subjects];
        for (var item = 0; item < items.Count; item++) (bySubject[items.SubjectOf(item)] ??= []).Add(new ThreadNode(items, item));
        var roots = new List<ThreadNode>(bySubject.Length);
        foreach (var messages in bySubject)
        {
            // Nobody may be without a subject.
            if (messages is null) continue;
            messages.Sort(ThreadNode.BySent);
            messages[0].SetChildren(messages[1..]);
            roots.Add(messages[0]);
        }
        roots.Sort(ThreadNode.BySent);
        return roots;
    }
}
