using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search.Threads;

/// <summary>Step 5 of THREAD=REFERENCES: threads with the same base subject become one.</summary>
internal sealed class SubjectMerge
{
    private readonly ThreadItems _items;
    private readonly ThreadNode?[] _bySubject;
    private readonly List<ThreadNode> _merged = [];
    private readonly Dictionary<ThreadNode, int> _places = [];

    private SubjectMerge(ThreadItems items)
    {
        _items = items;
        _bySubject = new ThreadNode?[items.Subjects];
    }

    /// <param name="items">What is known of the messages.</param>
    /// <param name="roots">The threads, by date.</param>
    /// <returns>Those that are left, in no order.</returns>
    public static List<ThreadNode> Merge(ThreadItems items, List<ThreadNode> roots)
    {
        var merge = new SubjectMerge(items);
        foreach (var root in roots) merge.Enter(root);
        foreach (var root in roots) merge.Take(root);
        // One that others were waiting for, and that came to stand under a dummy with them.
        merge._merged.RemoveAll(static node => node.Parent is not null);
        return merge._merged;
    }

    /// <summary>Finds out which thread stands for a subject: a dummy before a message, an original before a reply, an early one before a late one.</summary>
    private void Enter(ThreadNode root)
    {
        var subject = SubjectOf(root);
        if (subject == 0) return;
        if (_bySubject[subject] is not { } known || (!known.IsDummy && (root.IsDummy || (IsReply(known) && !IsReply(root))))) _bySubject[subject] = root;
    }

    private void Take(ThreadNode current)
    {
        if (current.Parent is not null) return;
        var subject = SubjectOf(current);
        if (subject == 0 || _bySubject[subject] is not { } known || ReferenceEquals(known, current))
        {
            Keep(current);
            return;
        }
        var joined = Join(known, current);
        if (ReferenceEquals(joined, known)) return;
        _bySubject[subject] = joined;
        if (!_places.TryGetValue(known, out var place))
        {
            Keep(joined);
            return;
        }
        _merged[place] = joined;
        _places[joined] = place;
    }

    private void Keep(ThreadNode node)
    {
        _places[node] = _merged.Count;
        _merged.Add(node);
    }

    /// <returns>What stands for the subject from now on.</returns>
    private ThreadNode Join(ThreadNode known, ThreadNode current)
    {
        if (known.IsDummy && current.IsDummy)
        {
            known.SetChildren([.. known.Children, .. current.Children]);
            return known;
        }
        if (known.IsDummy || (!current.IsDummy && IsReply(current) && !IsReply(known)))
        {
            current.MoveTo(known);
            return known;
        }
        var dummy = new ThreadNode();
        dummy.SetChildren([known, current]);
        return dummy;
    }

    private int SubjectOf(ThreadNode node) => _items.SubjectOf(node.FirstItem);

    private bool IsReply(ThreadNode node) => _items.IsReply(node.FirstItem);
}
