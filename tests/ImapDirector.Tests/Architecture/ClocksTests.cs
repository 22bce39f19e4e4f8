using Xunit;

namespace ImapDirector.Tests.Architecture;

/// <summary>Clocks of machines jump, and differ. Who is alive, whose turn it is and what is newer is decided by Redis' clock, by epochs, or by time that only runs forward here.</summary>
public sealed class ClocksTests
{
    private static readonly string[] Rooms = ["ImapDirector.Director.Directory", "ImapDirector.Director.Moves", "ImapDirector.Director.Relay", "ImapDirector.Director.Login", "ImapDirector.Director.Delivery"];

    // What is only shown to people, or puts a list in order.
    private static readonly string[] Harmless = ["<PutOnListAsync>", "ClientSession/<EnterAsync>"];

    [Fact]
    public void No_clock_on_a_wall_decides_anything_at_a_director()
    {
        var callers = Assemblies.Calls.Where(static call => IsWallClock(call.Callee.DeclaringType.FullName, call.Callee.Name))
            .Select(static call => $"{call.Caller.DeclaringType.FullName} {call.Caller.Name}").Where(static caller => Rooms.Any(room => caller.StartsWith(room + ".", StringComparison.Ordinal))).Distinct().ToArray();

        Assert.DoesNotContain(callers, static caller => !Harmless.Any(place => caller.Contains(place, StringComparison.Ordinal)));
        // Should these be gone the list is too long, or nothing is found at all.
        Assert.All(Harmless, place => Assert.Contains(callers, caller => caller.Contains(place, StringComparison.Ordinal)));
    }

    private static bool IsWallClock(string type, string name) =>
        (type is "System.DateTime" or "System.DateTimeOffset" && name is "get_Now" or "get_UtcNow") || (type == "System.TimeProvider" && name is "GetUtcNow" or "GetLocalNow");
}
