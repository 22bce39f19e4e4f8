using System.Globalization;
using ImapDirector.Attacks;

const string Usage = """
    --seconds N    for how long everything is attacked (60)
    --seed N       what is random follows it (a new one)
    --only NAME    one attack, by its name in the report
    """;

var (time, seed, only) = (TimeSpan.FromSeconds(60), Random.Shared.Next(1, 1_000_000), (string?)null);
for (var i = 0; i < args.Length; i += 2)
{
    var value = i + 1 < args.Length ? args[i + 1] : "";
    if (args[i] == "--seconds" && int.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= 86_400) time = TimeSpan.FromSeconds(seconds);
    else if (args[i] == "--seed" && int.TryParse(value, CultureInfo.InvariantCulture, out var number)) seed = number;
    else if (args[i] == "--only" && value.Length > 0) only = value;
    else
    {
        await Console.Error.WriteLineAsync(Usage);
        return 64;
    }
}
var report = await AttackRun.RunAsync(time, seed, only);
Console.WriteLine(report);
return report.Holds ? 0 : 1;
