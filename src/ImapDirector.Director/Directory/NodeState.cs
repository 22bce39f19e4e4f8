namespace ImapDirector.Director.Directory;

/// <summary>Whom a node takes.</summary>
public enum NodeState
{
    /// <summary>Its users, and new ones by its weight.</summary>
    Up,
    /// <summary>Its users, and no new ones.</summary>
    Draining,
    /// <summary>Nobody: its users are told <c>NO [UNAVAILABLE]</c>, and mail for them waits at its sender.</summary>
    Down,
}
