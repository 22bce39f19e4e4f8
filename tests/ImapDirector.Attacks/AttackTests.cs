using Xunit;

namespace ImapDirector.Attacks;

public sealed class AttackTests
{
    [Fact]
    public async Task Strangers_and_bad_users_get_nowhere_and_cost_others_nothing()
    {
        var report = await AttackRun.RunAsync(TimeSpan.FromSeconds(30), seed: 1);

        Assert.True(report.Holds, report.ToString());
    }
}
