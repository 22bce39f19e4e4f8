using System.Globalization;
using ImapDirector.ClusterRun.Servers;

namespace ImapDirector.ClusterRun;

/// <summary>What the command line asks for.</summary>
internal sealed record RunOptions
{
    public const string Usage = """
        up            three directors, their nodes and Redis on loopback addresses, until Ctrl-C
        run           the invariant run: faults at random, and a check of what clients and nodes saw
        big-move      a user with 10,000 messages moves while a client reads and mail comes in
        evacuate      500 users leave node1 while they work; --kill has something die in the middle
        stale         users move while a director that knows nothing of it sends their clients to the old node
        redis-away    all of Redis is away: what sessions and logins see, and how soon it is over

          --seconds N                 how long the run is, or Redis away (30)
          --seed N                    another run, or the same again (a new one)
          --redis sentinel|cluster    how Redis is run (sentinel)
          --kill node1|node2|director1|redis    what is killed in the middle of the evacuation, for five seconds
          --program FILE              another imapdirector.dll than the one built with this
          --spare-redis               no fault is Redis' own: a failover takes a good part of a short run
          --keep                      leave configurations, logs and mail where they are
        """;

    public string What { get; private init; } = "";

    public RedisKind Redis { get; private init; } = RedisKind.Sentinel;

    public string ProgramFile { get; private init; } = Path.Combine(AppContext.BaseDirectory, "imapdirector.dll");

    public TimeSpan Time { get; private init; } = TimeSpan.FromSeconds(30);

    public int Seed { get; private init; } = Random.Shared.Next(1, 1_000_000);

    /// <summary>What dies in the middle of the evacuation; <c>null</c> for nothing.</summary>
    public string? Kill { get; private init; }

    public bool Keep { get; private init; }

    /// <summary>Whether the master of Redis is left alone.</summary>
    public bool SparesRedis { get; private init; }

    /// <summary>What is for people stays where their clients reach it.</summary>
    public bool WantsNetwork => What != "up";

    /// <returns><c>null</c> when it cannot be understood.</returns>
    public static RunOptions? Parse(string[] arguments)
    {
        var words = new Queue<string>(arguments);
        if (!words.TryDequeue(out var what) || what is not ("up" or "run" or "redis-away" or "big-move" or "evacuate" or "stale")) return null;
        var options = new RunOptions { What = what };
        while (words.TryDequeue(out var word))
        {
            if (word == "--keep") options = options with { Keep = true };
            else if (word == "--spare-redis") options = options with { SparesRedis = true };
            else if (!words.TryDequeue(out var value) || options.With(word, value) is not { } changed) return null;
            else options = changed;
        }
        return options;
    }

    private RunOptions? With(string option, string value) => option switch
    {
        "--redis" when Enum.TryParse<RedisKind>(value, ignoreCase: true, out var kind) => this with { Redis = kind },
        "--seconds" when int.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= 86_400 => this with { Time = TimeSpan.FromSeconds(seconds) },
        "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out var seed) => this with { Seed = seed },
        "--kill" when value is "node1" or "node2" or "director1" or "redis" => this with { Kill = value },
        "--program" when File.Exists(value) => this with { ProgramFile = Path.GetFullPath(value) },
        _ => null,
    };
}
