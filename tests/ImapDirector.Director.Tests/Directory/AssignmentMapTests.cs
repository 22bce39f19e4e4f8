using ImapDirector.Director.Directory;
using ImapDirector.Tests.Shared;
using Xunit;
using static ImapDirector.Director.Tests.Directory.TestDirector;

namespace ImapDirector.Director.Tests.Directory;

public sealed class AssignmentMapTests
{
    [Theory]
    [InlineData(0, ImportOutcome.Invalid)]
    [InlineData(1, ImportOutcome.Done)]
    [InlineData(1L << 52, ImportOutcome.Done)]
    [InlineData((1L << 52) + 1, ImportOutcome.Invalid)]
    [InlineData(long.MaxValue, ImportOutcome.Invalid)]
    public async Task An_epoch_that_no_move_could_raise_is_not_imported(long epoch, ImportOutcome expected)
    {
        await using var redis = await TestRedis.StartAsync(RedisKind.Garnet);
        await using var director = await TestDirector.StartAsync(redis.ConnectionString);
        var assignment = new Assignment("alice@example.com", "node1", epoch);

        Assert.Equal(expected, await director.Map.ImportAsync(assignment, CancellationToken.None));
        Assert.Equal(expected == ImportOutcome.Invalid, director.Map.FindFault(assignment) is not null);
        if (expected == ImportOutcome.Done) Assert.Equal(DirectoryOutcome.Assigned, (await director.OpenAsync(User("alice@example.com"), "s1")).Outcome);
    }
}
