using System.Collections.Concurrent;
using System.Net;

namespace ImapDirector.ClusterRun.Clients;

/// <summary>What clients saw, and what they were told.</summary>
internal sealed class Journal
{
    public ConcurrentBag<LoginRecord> Logins { get; } = [];

    public ConcurrentBag<SessionRecord> Sessions { get; } = [];

    public ConcurrentBag<MessageRecord> Messages { get; } = [];
}

/// <summary>How a login ended, as its client saw it.</summary>
internal enum LoginOutcome
{
    Ok,
    /// <summary>NO [UNAVAILABLE]: come again.</summary>
    Unavailable,
    /// <summary>NO of another kind, or BAD.</summary>
    Refused,
    /// <summary>BYE, or the connection was closed.</summary>
    Closed,
    /// <summary>Nobody listened.</summary>
    NotConnected,
    /// <summary>Nothing was said in time.</summary>
    Hung,
}

/// <summary>A login.</summary>
internal sealed record LoginRecord(string User, string Director, IPAddress Client, DateTime From, DateTime To, LoginOutcome Outcome, string Text);

/// <summary>A session that its client knows to have been there from one time to the other: the login was answered at the one, and a command that was sent at the
/// other was carried out.</summary>
internal sealed record SessionRecord(string User, IPAddress Client, DateTime From, DateTime To, string Software);

/// <summary>A message that was handed in.</summary>
/// <param name="User">Whose it is.</param>
/// <param name="Id">Its Message-ID.</param>
/// <param name="IsDelivery">LMTP, or else APPEND.</param>
/// <param name="From">When it was sent.</param>
/// <param name="To">When it was answered.</param>
/// <param name="Reply">The answer, or how it was lost.</param>
/// <param name="IsAcknowledged">Whether it has to be there.</param>
internal sealed record MessageRecord(string User, string Id, bool IsDelivery, DateTime From, DateTime To, string Reply, bool IsAcknowledged);
