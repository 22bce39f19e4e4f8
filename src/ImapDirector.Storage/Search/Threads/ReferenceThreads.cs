using System.Runtime.InteropServices;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search.Threads;

/// <summary>THREAD=REFERENCES (RFC 5256 section 3) and REFS. Nothing here recurses: a thread may be as deep as the mailbox is large.</summary>
internal static class ReferenceThreads
{
    /// <param name="items">The messages, in order of arrival.</param>
    /// <param name="bySubject">Whether threads with one base subject are put together at last, which is what REFERENCES does and REFS does not.</param>
    /// <param name="cancellationToken">The deadline.</param>
    /// <returns>The threads in the order in which they are told.</returns>
    public static List<ThreadNode> Of(ThreadItems items, bool bySubject, CancellationToken cancellationToken)
    {
        var roots = Prune(Link(items, cancellationToken));
        if (bySubject)
        {
            roots.Sort(ThreadNode.BySent);
            roots = SubjectMerge.Merge(items, roots);
            SortChildren(roots);
            roots.Sort(ThreadNode.BySent);
            return roots;
        }
        SortChildren(roots);
        // By the newest message, as the only other server that offers it does.
        var newest = roots.ToDictionary(static root => root, Newest);
        roots.Sort((left, right) => newest[left].CompareTo(newest[right]) is not 0 and var order ? order : ThreadNode.BySent(left, right));
        return roots;
    }

    /// <summary>Step 1: every message, and every message that one refers to, under what it refers to last.</summary>
    private static List<ThreadNode> Link(ThreadItems items, CancellationToken cancellationToken)
    {
        var nodes = new List<ThreadNode>(items.Count);
        var byId = new Dictionary<UInt128, ThreadNode>(items.Count);
        for (var item = 0; item < items.Count; item++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var last = LinkParents(items.ParentsOf(item), nodes, byId);
            var node = NodeOf(items, item, nodes, byId);
            // What was guessed from another's references gives way to what the message says itself.
            if (last is not null && !node.IsAbove(last)) node.MoveTo(last);
            else if (node.Parent is not null) node.MoveTo(null);
        }
        return nodes;
    }

    private static ThreadNode? LinkParents(ReadOnlySpan<UInt128> parents, List<ThreadNode> nodes, Dictionary<UInt128, ThreadNode> byId)
    {
        ThreadNode? previous = null;
        foreach (var id in parents)
        {
            ref var node = ref CollectionsMarshal.GetValueRefOrAddDefault(byId, id, out _);
            if (node is null) nodes.Add(node = new ThreadNode());
            if (previous is not null && node.Parent is null && !node.IsAbove(previous)) node.MoveTo(previous);
            previous = node;
        }
        return previous;
    }

    private static ThreadNode NodeOf(ThreadItems items, int item, List<ThreadNode> nodes, Dictionary<UInt128, ThreadNode> byId)
    {
        if (items.MessageIdOf(item) is var id && id != UInt128.Zero)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(byId, id, out _);
            if (known is { IsDummy: true })
            {
                known.Become(items, item);
                return known;
            }
            if (known is null)
            {
                nodes.Add(known = new ThreadNode(items, item));
                return known;
            }
        }
        // It has no id, or is the second of one id, which stands alone.
        var alone = new ThreadNode(items, item);
        nodes.Add(alone);
        return alone;
    }

    /// <summary>Steps 2 and 3: dummies go, and their children take their place; at the root only where there is one child alone.</summary>
    private static List<ThreadNode> Prune(List<ThreadNode> nodes)
    {
        var roots = nodes.FindAll(static node => node.Parent is null);
        var order = BreadthFirst(roots);
        for (var i = order.Count - 1; i >= 0; i--)
        {
            var node = order[i];
            if (!node.Children.Exists(static child => child.IsDummy)) continue;
            var children = new List<ThreadNode>(node.Children.Count);
            foreach (var child in node.Children)
            {
                if (child.IsDummy) children.AddRange(child.Children);
                else children.Add(child);
            }
            node.SetChildren(children);
        }
        var kept = new List<ThreadNode>(roots.Count);
        foreach (var root in roots)
        {
            switch (root)
            {
                case { IsDummy: false } or { Children.Count: > 1 }:
                    kept.Add(root);
                    break;
                case { Children.Count: 1 }:
                    root.Children[0].MakeRoot();
                    kept.Add(root.Children[0]);
                    break;
            }
        }
        foreach (var root in kept)
            if (root.IsDummy) root.Children.Sort(ThreadNode.BySent);
        return kept;
    }

    private static void SortChildren(List<ThreadNode> roots)
    {
        var order = BreadthFirst(roots);
        for (var i = order.Count - 1; i >= 0; i--) order[i].Children.Sort(ThreadNode.BySent);
    }

    private static long Newest(ThreadNode root)
    {
        var newest = long.MinValue;
        foreach (var node in BreadthFirst([root]))
            if (!node.IsDummy) newest = Math.Max(newest, node.SentSeconds);
        return newest;
    }

    private static List<ThreadNode> BreadthFirst(List<ThreadNode> roots)
    {
        var order = new List<ThreadNode>(roots);
        for (var i = 0; i < order.Count; i++) order.AddRange(order[i].Children);
        return order;
    }
}
