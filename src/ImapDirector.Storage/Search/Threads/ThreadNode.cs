using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search.Threads;

/// <summary>A message in its thread, or one that is only referred to (a dummy of RFC 5256 section 3).</summary>
internal sealed class ThreadNode
{
    private const int None = -1;

    // Most messages have no children, and there are many messages: they share this. Nothing is ever added to it.
    private static readonly List<ThreadNode> NoChildren = [];

    private int _item = None;

    /// <summary>A dummy.</summary>
    public ThreadNode()
    {
    }

    /// <summary>A message.</summary>
    public ThreadNode(ThreadItems items, int item) => Become(items, item);

    /// <summary>The message's UID; 0 for a dummy.</summary>
    public uint Uid { get; private set; }

    /// <summary>When the message was sent, in seconds since 1970; 0 for a dummy.</summary>
    public long SentSeconds { get; private set; }

    public ThreadNode? Parent { get; private set; }

    public List<ThreadNode> Children { get; private set; } = NoChildren;

    public bool IsDummy => _item == None;

    /// <summary>Which of the items the message is; of a dummy it is the first of its children: a dummy that is kept has some, and they are messages.</summary>
    public int FirstItem => First._item;

    private ThreadNode First => IsDummy ? Children[0] : this;

    /// <summary>A dummy turns out to be a message that is there.</summary>
    public void Become(ThreadItems items, int item)
    {
        _item = item;
        Uid = items.UidOf(item);
        SentSeconds = items.SentSecondsOf(item);
    }

    public void MoveTo(ThreadNode? parent)
    {
        Parent?.Children.Remove(this);
        Parent = parent;
        if (parent is null) return;
        if (ReferenceEquals(parent.Children, NoChildren)) parent.Children = new List<ThreadNode>(1);
        parent.Children.Add(this);
    }

    /// <summary>Whether this is the node, or above it.</summary>
    public bool IsAbove(ThreadNode node)
    {
        // Without children it is above nothing, which is nearly always the case and saves the way up.
        if (Children.Count == 0) return ReferenceEquals(this, node);
        for (var above = node; above is not null; above = above.Parent)
            if (ReferenceEquals(this, above)) return true;
        return false;
    }

    /// <summary>Takes the place of all children.</summary>
    public void SetChildren(List<ThreadNode> children)
    {
        Children = children;
        foreach (var child in children) child.Parent = this;
    }

    public void MakeRoot() => Parent = null;

    /// <summary>By the date of sending, then by arrival (RFC 5256 section 2.2).</summary>
    public static int BySent(ThreadNode left, ThreadNode right)
    {
        var (a, b) = (left.First, right.First);
        var order = a.SentSeconds.CompareTo(b.SentSeconds);
        return order != 0 ? order : a.Uid.CompareTo(b.Uid);
    }
}
