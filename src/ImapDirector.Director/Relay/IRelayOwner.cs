namespace ImapDirector.Director.Relay;

/// <summary>Whoever has a session relayed. Nobody waits for a relay, which may last for days: it calls when it is over.</summary>
internal interface IRelayOwner
{
    /// <summary>The node has ended the session; asked once.</summary>
    /// <returns>For how long its client is kept nevertheless, so that not all of a node's come again at once.</returns>
    TimeSpan KeepClient();

    /// <summary>The relay is over, and both connections are the owner's again; called once, on the thread of a loop that has moved its bytes, or on the thread pool. Returns soon.</summary>
    /// <param name="end">How it has ended.</param>
    /// <param name="fault">What of ours went wrong, where something did.</param>
    void OnEnded(SessionEnd end, Exception? fault);
}
