using ImapDirector.ClusterRun.Faults;
using Xunit;

namespace ImapDirector.ClusterRun.Tests;

public sealed class PlannedFaultTests
{
    [Fact]
    public void The_same_seed_plans_the_same_run_and_a_long_one_has_every_fault()
    {
        var planned = PlannedFault.Plan(7, TimeSpan.FromMinutes(2), canCut: true);
        Assert.Equal(planned, PlannedFault.Plan(7, TimeSpan.FromMinutes(2), canCut: true));
        Assert.NotEqual(planned, PlannedFault.Plan(8, TimeSpan.FromMinutes(2), canCut: true));
        Assert.Equal(Enum.GetValues<Fault>(), planned.Select(static one => one.Fault).Distinct().Order());
    }

    [Fact]
    public void Without_a_network_of_its_own_nothing_is_cut() =>
        Assert.DoesNotContain(PlannedFault.Plan(7, TimeSpan.FromMinutes(2), canCut: false), static one => one.Fault >= Fault.CutDirectorFromRedis);
}
