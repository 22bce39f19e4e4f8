using System.Diagnostics;
using System.Net;
using ImapDirector.Director.Directory;
using ImapDirector.Director.Relay;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Relay;

public sealed class LiveSessionsTests
{
    private static readonly DirectorOptions Limits = new() { MaxSessionsPerUser = 3, MaxSessionsPerUserAddress = 2 };

    [Fact]
    public void A_user_has_no_more_sessions_than_the_limits_whatever_the_directory_knows()
    {
        var sessions = new LiveSessions();
        Assert.Equal(DirectoryOutcome.Assigned, Add(sessions, "alice", "192.0.2.1", out var first));
        Assert.Equal(DirectoryOutcome.Assigned, Add(sessions, "alice", "192.0.2.1", out var second));
        Assert.Equal(DirectoryOutcome.LimitReached, Add(sessions, "alice", "192.0.2.1", out _));
        Assert.Equal(DirectoryOutcome.Assigned, Add(sessions, "alice", "192.0.2.2", out var third));
        Assert.Equal(DirectoryOutcome.UserLimitReached, Add(sessions, "alice", "192.0.2.3", out _));
        Assert.Equal(DirectoryOutcome.Assigned, Add(sessions, "bob", "192.0.2.1", out _));
        Assert.Equal(4, sessions.Count);

        // From whichever end they go.
        foreach (var (gone, address) in new[] { (second, "192.0.2.1"), (first, "192.0.2.1"), (third, "192.0.2.2") })
        {
            sessions.Remove(gone);
            sessions.Remove(gone);
            Assert.True(sessions.HasSeveral(User("alice@example.com")));
            Assert.Equal(DirectoryOutcome.Assigned, Add(sessions, "alice", address, out _));
            Assert.Equal(DirectoryOutcome.UserLimitReached, Add(sessions, "alice", "192.0.2.3", out _));
        }

        foreach (var left in sessions.Snapshot()) sessions.Remove(left);
        Assert.False(sessions.HasSeveral(User("alice@example.com")));
        Assert.Equal(DirectoryOutcome.Assigned, Add(sessions, "alice", "192.0.2.1", out _));
        Assert.False(sessions.HasSeveral(User("alice@example.com")));
    }

    [Fact]
    public void A_kick_meets_whoever_has_begun_to_log_in_before_and_a_move_only_whom_the_directory_was_asked_for_before()
    {
        foreach (var (isOfMove, askedLater, isMet) in new[] { (false, false, true), (false, true, true), (true, false, true), (true, true, false) })
        {
            var sessions = new LiveSessions();
            var began = Stopwatch.GetTimestamp();
            sessions.Kick(new SessionFilter(User("alice@example.com"), null, null) { IsOfMove = isOfMove });
            var waited = new LiveSession(User("alice@example.com"), "node1", IPAddress.Loopback) { AskedAt = askedLater ? Stopwatch.GetTimestamp() + 1 : began };
            var other = new LiveSession(User("bob@example.com"), "node1", IPAddress.Loopback) { AskedAt = began };
            foreach (var session in new[] { waited, other }) Assert.Equal(DirectoryOutcome.Assigned, sessions.TryAdd(session, Limits, SessionCounts.None, began));
            Assert.Equal((isMet, false), (waited.IsKicked, other.IsKicked));

            var later = Stopwatch.GetTimestamp() + 1;
            var after = new LiveSession(User("alice@example.com"), "node1", IPAddress.Loopback) { AskedAt = later };
            Assert.Equal(DirectoryOutcome.Assigned, sessions.TryAdd(after, Limits, SessionCounts.None, later));
            Assert.False(after.IsKicked);
        }
    }

    [Fact]
    public void Moves_drive_out_no_kick()
    {
        var sessions = new LiveSessions();
        var began = Stopwatch.GetTimestamp();
        sessions.Kick(new SessionFilter(User("alice@example.com"), null, null));
        for (var number = 0; number < 2000; number++) sessions.Kick(new SessionFilter(User($"user{number}@example.com"), null, null) { IsOfMove = true });

        var held = new LiveSession(User("alice@example.com"), "node1", IPAddress.Loopback);
        Assert.Equal(DirectoryOutcome.Assigned, sessions.TryAdd(held, Limits, SessionCounts.None, began));
        Assert.True(held.IsKicked);
    }

    private static DirectoryOutcome Add(LiveSessions sessions, string user, string address, out LiveSession session) =>
        sessions.TryAdd(session = new LiveSession(User($"{user}@example.com"), "node1", IPAddress.Parse(address)), Limits, SessionCounts.None, Stopwatch.GetTimestamp());
}
