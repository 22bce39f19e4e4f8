using Prometheus;

namespace ImapDirector.Director;

/// <summary>The director's metrics. No label carries anything a client sent.</summary>
public sealed class DirectorMetrics(IMetricFactory factory)
{
    /// <summary>Logins by mechanism and result (the names of <c>AuthenticationOutcome</c> and <c>DirectoryOutcome</c> in snake case, <c>backend_failed</c> or <c>privacy_required</c>).</summary>
    public Counter Logins { get; } = factory.CreateCounter("imapdirector_logins_total",
        "Login attempts, by mechanism and result.", ["mechanism", "result"]);

    /// <summary>Of them, those that ask to be somebody else, by result (<c>success</c>, <c>refused</c>).</summary>
    public Counter MasterLogins { get; } = factory.CreateCounter("imapdirector_master_logins_total", "Login attempts of masters, by result.", ["result"]);

    /// <summary>From the client's credentials to the hand-over to the relay, in seconds; successful logins only.</summary>
    public Histogram LoginDuration { get; } = factory.CreateHistogram("imapdirector_login_duration_seconds",
        "Duration of a successful login, from the credentials to the relay.", [],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.001, 2, 14) });

    /// <summary>Sessions in the relay, by node.</summary>
    public Gauge Sessions { get; } = factory.CreateGauge("imapdirector_sessions_active", "Sessions being relayed, by node.", ["node"]);

    /// <summary>Sessions in the relay that their node could not keep from going on after a move, by node: it is none of ours, or not logged in at with assertions.</summary>
    public Gauge UnfencedSessions { get; } = factory.CreateGauge("imapdirector_sessions_unfenced", "Sessions being relayed to nodes that do not know the user's epoch, by node.", ["node"]);

    /// <summary>Connections that have not logged in.</summary>
    public Gauge PreLoginConnections { get; } = factory.CreateGauge("imapdirector_prelogin_connections", "Connections in the login dialogue.");

    /// <summary>Connections closed at once because there were too many, by listener.</summary>
    public Counter RefusedConnections { get; } = factory.CreateCounter("imapdirector_connections_refused_total", "Connections closed at once because of MaxConnections or MaxConnectionsPerAddress, by listener.", ["listener"]);

    /// <summary>Bytes relayed by direction (<c>to_client</c>, <c>to_node</c>).</summary>
    public Counter RelayedBytes { get; } = factory.CreateCounter("imapdirector_relayed_bytes_total", "Bytes relayed, by direction.", ["direction"]);

    /// <summary>Of them, those to nodes: one for all sessions.</summary>
    internal Counter.Child BytesToNode => field ??= RelayedBytes.WithLabels("to_node");

    /// <summary>Of them, those to clients.</summary>
    internal Counter.Child BytesToClient => field ??= RelayedBytes.WithLabels("to_client");

    /// <summary>Connections to nodes by result (<c>ok</c>, or why not).</summary>
    public Counter BackendConnects { get; } = factory.CreateCounter("imapdirector_backend_connects_total",
        "Connections made to nodes, by node and result.", ["node", "result"]);

    /// <summary>Logins that wait for their turn at a node.</summary>
    public Gauge WaitingLogins { get; } = factory.CreateGauge("imapdirector_node_logins_waiting", "Logins that wait for their turn at a node.", ["node"]);

    /// <summary>Whether a node answers, by node: 1 or 0.</summary>
    public Gauge NodeHealth { get; } = factory.CreateGauge("imapdirector_node_up", "Whether a node answers, as this director sees it.", ["node"]);

    /// <summary>Calls to Redis in seconds, by operation.</summary>
    public Histogram RedisDuration { get; } = factory.CreateHistogram("imapdirector_redis_duration_seconds",
        "Duration of calls to Redis, by operation.", ["operation"],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0001, 2, 14) });

    /// <summary>Calls to Redis that failed, by operation.</summary>
    public Counter RedisFailures { get; } = factory.CreateCounter("imapdirector_redis_failures_total", "Calls to Redis that failed, by operation.", ["operation"]);

    /// <summary>Assignments that were not used because no replica of Redis said in time that it has them.</summary>
    public Counter UnconfirmedAssignments { get; } = factory.CreateCounter("imapdirector_assignments_unconfirmed_total",
        "Assignments that were not used because replicas of Redis did not confirm them in time.");

    /// <summary>Moves of users that came to their end, by result (<c>done</c>, <c>called_off</c>).</summary>
    public Counter Moves { get; } = factory.CreateCounter("imapdirector_moves_total", "Moves of users carried out by this director, by result.", ["result"]);

    /// <summary>Moves that this director carries out now.</summary>
    public Gauge MovesRunning { get; } = factory.CreateGauge("imapdirector_moves_running", "Moves of users that this director carries out now.");

    /// <summary>How long a user's logins and deliveries waited for a move that was done, in seconds.</summary>
    public Histogram MoveDuration { get; } = factory.CreateHistogram("imapdirector_move_wait_seconds",
        "Time from when a moving user's logins and deliveries began to wait until they went on.", [],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.05, 2, 14) });

    /// <summary>Logins and deliveries that wait for a move now.</summary>
    public Gauge MoveWaiters { get; } = factory.CreateGauge("imapdirector_move_waiters", "Logins and deliveries that wait until their user has moved.");

    /// <summary>Moves between nodes that are not bundled: nothing but a delay keeps the old one from writing.</summary>
    public Counter UnfencedMoves { get; } = factory.CreateCounter("imapdirector_unfenced_moves_total", "Moves between nodes that keep no epochs.");

    /// <summary>LMTP deliveries per recipient by result (<c>delivered</c>, <c>deferred</c>, <c>refused</c>).</summary>
    public Counter Deliveries { get; } = factory.CreateCounter("imapdirector_deliveries_total", "LMTP deliveries per recipient, by result.", ["result"]);
}
