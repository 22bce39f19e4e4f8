using ImapDirector.ClusterRun.Machines;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.ClusterRun.Tests;

/// <summary>A short invariant run. <c>IMAPDIRECTOR_CLUSTER_SECONDS</c> and <c>…_SEED</c> make it longer, or another one. It leaves the master of Redis alone: what a
/// failover loses of the map can be mail at a node that nobody asks any more (docs/operations.md).</summary>
public sealed class InvariantRunTests
{
    [FactIfInstalled("redis-server", "setpriv")]
    public async Task Whatever_fails_but_Redis_no_user_is_at_two_nodes_and_no_acknowledged_message_is_lost_or_doubled()
    {
        var (exitCode, printed, error) = await Launcher.RunAsync("dotnet", "exec", typeof(InvariantRunTests).Assembly.Location, "run", "--seconds", Setting("SECONDS", "30"), "--seed", Setting("SEED", "1"), "--spare-redis");
        Assert.True(exitCode == 0, printed + error);
    }

    private static string Setting(string name, string usual) => Environment.GetEnvironmentVariable("IMAPDIRECTOR_CLUSTER_" + name) ?? usual;
}
