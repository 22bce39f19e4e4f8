using ImapDirector.Director.Backends;
using ImapDirector.Director.Relay;
using ImapDirector.Network;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Login;

/// <summary>What is left of a client's session while its bytes are relayed, maybe for days: no more than what has to be done and said when it is over.</summary>
/// <param name="client">The client's connection, which it keeps from here on.</param>
/// <param name="session">The session at the node.</param>
/// <param name="live">How it is known here.</param>
/// <param name="master">Who has logged in as the user, where it was not the user.</param>
/// <param name="began">When the client came, by <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>.</param>
/// <param name="services">What sessions work with.</param>
internal sealed class RelayedSession(Connection client, BackendSession session, LiveSession live, UserName? master, long began, LoginServices services) : IRelayOwner
{
    private readonly Connection _node = session.Connection;
    private readonly BackendNode _at = session.Node;

    /// <summary>Has bytes relayed. From here on the connections are this one's to end.</summary>
    public void Begin()
    {
        var relay = SessionRelay.Create(client, _node, services.Watch, services.Metrics, this);
        services.Metrics.Sessions.WithLabels(_at.Name).Inc();
        if (IsUnfenced) services.Metrics.UnfencedSessions.WithLabels(_at.Name).Inc();
        services.Losses.Opened(_at.Name);
        client.KeepOpen();
        live.Attach(relay);
        relay.Begin();
    }

    TimeSpan IRelayOwner.KeepClient() => services.Losses.Lost(_at.Name);

    // Whoever has accepted the connection waits for its end.
    void IRelayOwner.OnEnded(SessionEnd end, Exception? fault) => _ = EndAsync(end, fault);

    // A node that knows the user's epoch keeps the session from going on after a move.
    private bool IsUnfenced => !_at.IsBundled || services.Options.AssertionKeyFile is null;

    private async Task EndAsync(SessionEnd end, Exception? fault)
    {
        try
        {
            await EndAtNodeAsync(fault);
            SessionEndLog.Write(services.Logger, client, end, new SessionFacts(live.User, master, _at.Name, live.BytesToNode, live.BytesToClient), began);
        }
        finally
        {
            await client.EndAsync();
        }
    }

    private async Task EndAtNodeAsync(Exception? fault)
    {
        try
        {
            try
            {
                if (fault is not null) SessionEndLog.Fault(services.Logger, client.Id, fault);
                services.Losses.Closed(_at.Name);
                if (IsUnfenced) services.Metrics.UnfencedSessions.WithLabels(_at.Name).Dec();
                services.Metrics.Sessions.WithLabels(_at.Name).Dec();
            }
            finally
            {
                await LeaveAsync();
            }
        }
        catch (Exception failed)
        {
            SessionEndLog.Fault(services.Logger, client.Id, failed);
        }
    }

    /// <summary>Lets the node and the directory know that there is no session any more.</summary>
    private async Task LeaveAsync()
    {
        try
        {
            await _node.DisposeAsync();
        }
        finally
        {
            services.Sessions.Remove(live);
            services.Directory.SessionEnded(live.User, client.Id);
        }
    }
}
