namespace ImapDirector.Storage.Transfer;

/// <summary>Whether a user's store on this node is in use.</summary>
public enum StoreState
{
    /// <summary>Logins and deliveries go to it.</summary>
    Active,
    /// <summary>It was released, to be moved: nothing is written until somebody comes with a higher epoch.</summary>
    Released,
    /// <summary>It came from another node, is complete, and nobody was let in yet.</summary>
    Received,
    /// <summary>It cannot be read: <c>store check</c> tells why.</summary>
    Unreadable,
}
