using ImapDirector.ClusterRun;
using ImapDirector.ClusterRun.Machines;
using ImapDirector.ClusterRun.Scenarios;
using ImapDirector.ClusterRun.Servers;

var options = RunOptions.Parse(args);
if (options is null)
{
    await Console.Error.WriteLineAsync(RunOptions.Usage);
    return 64;
}
if (!Sandbox.IsHere && Sandbox.IsPossible(options.WantsNetwork)) return Sandbox.Run(args, options.WantsNetwork);
using var stop = new StopRequest();
var outside = Sandbox.IsHere ? stop.FollowOutsideAsync() : Task.CompletedTask;
using var directory = new RunDirectory(options.Keep);
await using var cluster = await TestCluster.StartAsync(options.Redis, options.SparesRedis, options.ProgramFile, directory.Path);
var holds = options.What switch
{
    "run" => await InvariantRun.RunAsync(cluster, options, stop.Token),
    "big-move" => await BigMove.RunAsync(cluster, options.Seed, stop.Token),
    "evacuate" => await Evacuation.RunAsync(cluster, options.Kill, options.Seed, stop.Token),
    "stale" => await StaleDirector.RunAsync(cluster, options.Seed, stop.Token),
    "redis-away" => await RedisAway.RunAsync(cluster, options.Time, stop.Token),
    _ => await Up.RunAsync(cluster, stop.Token),
};
if (holds) return 0;
directory.Keep = true;
Console.WriteLine($"Logs, configurations and mail are in {directory.Path}.");
return 1;
