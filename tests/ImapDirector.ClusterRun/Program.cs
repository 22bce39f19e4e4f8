using ImapDirector.ClusterRun;
using ImapDirector.ClusterRun.Machines;

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
if (options.What == "up")
{
    await Up.RunAsync(options, directory.Path, stop.Token);
    return 0;
}
if (await InvariantRun.RunAsync(options, directory.Path, stop.Token)) return 0;
directory.Keep = true;
Console.WriteLine($"Logs, configurations and mail are in {directory.Path}.");
return 1;
