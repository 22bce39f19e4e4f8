using ImapDirector.Storage.Store;
using Prometheus;

namespace ImapDirector.Storage;

/// <summary>The node's metrics. Made once per node from a factory that carries the node's label, so that two nodes in one process stay apart.</summary>
public sealed class StorageMetrics(IMetricFactory factory)
{
    /// <summary>IMAP commands by name and result (<c>ok</c>, <c>no</c>, <c>bad</c>).</summary>
    public Counter Commands { get; } = factory.CreateCounter("imapdirector_node_commands_total",
        "IMAP commands answered, by name and result.", ["command", "result"]);

    /// <summary>Messages offered by LMTP, per recipient, by result (<c>stored</c>, <c>refused</c>, <c>failed</c>).</summary>
    public Counter Deliveries { get; } = factory.CreateCounter("imapdirector_node_deliveries_total",
        "LMTP deliveries per recipient, by result.", ["result"]);

    /// <summary>Time of one store transaction until it is on disk, in seconds.</summary>
    public Histogram CommitDuration { get; } = factory.CreateHistogram("imapdirector_node_store_commit_duration_seconds",
        "Duration of a store transaction until it is on disk.", [],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0005, 2, 14) });

    /// <summary>Mailboxes that sessions have selected, each counted once.</summary>
    public Gauge OpenMailboxes { get; } = factory.CreateGauge("imapdirector_node_open_mailboxes", "Mailboxes selected by at least one session.");

    /// <summary>Failures of users' stores by cause (<c>damaged</c>, <c>disk</c>).</summary>
    public Counter StoreFailures { get; } = factory.CreateCounter("imapdirector_node_store_failures_total",
        "Commands, logins and deliveries that a user's store refused, by cause.", ["cause"]);

    /// <summary>Users whose store was damaged when it was last to be opened.</summary>
    public Gauge DamagedStores { get; } = factory.CreateGauge("imapdirector_node_damaged_stores", "Users whose store cannot be opened because it is damaged.");

    internal void CountFailure(StoreException failed)
    {
        // That is no failure.
        if (!failed.IsFenced) StoreFailures.WithLabels(failed.IsDamage ? "damaged" : "disk").Inc();
    }

    /// <summary>Directors' assertions that were refused, by reason (the names of <see cref="Protocol.Assertions.AssertionRefusal"/> in snake case).</summary>
    public Counter AssertionRefusals { get; } = factory.CreateCounter("imapdirector_node_assertions_refused_total",
        "Directors' assertions that were refused, by reason.", ["reason"]);

    /// <summary>Logins and deliveries that were refused because their epoch was over, or the user is elsewhere.</summary>
    public Counter FencedOff { get; } = factory.CreateCounter("imapdirector_node_fenced_off_total",
        "Logins and deliveries refused because their epoch was over, or the user is elsewhere.");

    /// <summary>IMAP sessions.</summary>
    public Gauge Sessions { get; } = factory.CreateGauge("imapdirector_node_sessions", "IMAP sessions connected.");
}
