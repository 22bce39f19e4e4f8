namespace ImapDirector.Director;

/// <summary>What a node is.</summary>
public enum BackendKind
{
    /// <summary>One of ours: it keeps epochs, and believes directors' assertions.</summary>
    Bundled,
    /// <summary>Another IMAP server.</summary>
    Generic,
}
