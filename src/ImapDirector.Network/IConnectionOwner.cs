namespace ImapDirector.Network;

/// <summary>Whoever has accepted a connection, and has a place taken for it.</summary>
internal interface IConnectionOwner
{
    /// <summary>Disposes of a connection and gives its place back.</summary>
    Task EndAsync(Connection connection);
}
