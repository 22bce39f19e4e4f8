using System.CommandLine;
using System.Diagnostics;
using ImapDirector.Protocol;
using ImapDirector.Storage;

namespace ImapDirector.CommandLine;

/// <summary>One run of a <c>store</c> command: what it works on, what it has told, and what it will end with.</summary>
internal sealed class StoreRun(ParseResult result, StoreDirectory directory, CancellationToken cancellationToken) : IProgress<int>
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(2);

    private readonly long _started = Stopwatch.GetTimestamp();
    private TimeSpan _nextProgress = ProgressInterval;
    private int _all;
    private int _done;
    private int _left;
    private int _mended;

    public StoreDirectory Directory => directory;

    public CancellationToken Cancellation => cancellationToken;

    public T? Value<T>(Option<T> option) => result.GetValue(option);

    /// <summary>Whom it is for: <c>--user</c> or <c>--all</c>.</summary>
    /// <exception cref="StoreRefusal">Neither or both are given, or the user is not here.</exception>
    public IReadOnlyList<UserName> Users(Option<string?> one, Option<bool> all)
    {
        var users = (result.GetValue(one), result.GetValue(all)) switch
        {
            (null, true) => directory.ListUsers(),
            ({ } name, false) => [OneUser(name, mustExist: true)],
            _ => throw new StoreRefusal(ExitCode.Usage, "Whom this is for is missing or said twice: give --user NAME@DOMAIN or --all."),
        };
        _all = users.Count;
        return users;
    }

    public UserName OneUser(string name, bool mustExist)
    {
        _all = 1;
        // A subaddress is cut off, a domain is not added: the names here are complete.
        if (!UserName.TryCreate(name, null, out var user))
            throw new StoreRefusal(ExitCode.BadData, "The name cannot be used: write it as name@domain, with letters, digits, '.', '-' and '_'.");
        if (mustExist && !directory.Holds(user)) throw new StoreRefusal(ExitCode.NoSuchUser, $"\"{user}\" has no mail in \"{directory.Root}\".");
        return user;
    }

    /// <summary>A directory to write to in which nothing is.</summary>
    /// <exception cref="StoreRefusal">Something is in it, or it is a file.</exception>
    public string EmptyTarget(Option<string> option)
    {
        var path = Path.GetFullPath(result.GetValue(option)!);
        if (File.Exists(path) || (System.IO.Directory.Exists(path) && System.IO.Directory.EnumerateFileSystemEntries(path).Any()))
            throw new StoreRefusal(ExitCode.Exists, $"\"{path}\" is not empty: name a directory that is, or that does not exist.");
        return path;
    }

    /// <summary>Tells what was found at a user, who is done.</summary>
    public async Task TellAsync(UserName user, IReadOnlyList<StoreFinding> findings)
    {
        foreach (var finding in findings)
        {
            _ = finding.IsMended ? _mended++ : _left++;
            var mend = finding.IsMended ? "mended" : finding.Mend;
            await result.InvocationConfiguration.Output.WriteLineAsync($"{user}\t{finding.Kind.ToString().ToLowerInvariant()}\t{finding.What}\t{mend}");
        }
        _done++;
        if (_all > 1 && IsProgressDue()) await result.InvocationConfiguration.Error.WriteLineAsync(FormattableString.Invariant($"imapdirector: {_done} of {_all} users."));
    }

    /// <summary>Hears of the messages of the user who is being done.</summary>
    public void Report(int value)
    {
        if (IsProgressDue()) result.InvocationConfiguration.Error.WriteLine(FormattableString.Invariant($"imapdirector: {value} messages of user {_done + 1} of {_all}."));
    }

    /// <summary>The last line, on standard error, and the exit code.</summary>
    public async Task<int> EndAsync(string done)
    {
        var mended = _mended == 0 ? "" : $", {_mended} mended";
        await result.InvocationConfiguration.Error.WriteLineAsync($"imapdirector: {Number(_done, "user")} {done}, {Number(_left + _mended, "finding")}{mended}.");
        return _left == 0 ? ExitCode.Ok : ExitCode.Findings;
    }

    public static string Number(int count, string what) => FormattableString.Invariant($"{count} {what}{(count == 1 ? "" : what.EndsWith('x') ? "es" : "s")}");

    /// <summary>Whether a person has waited long enough to be told.</summary>
    private bool IsProgressDue()
    {
        if (Console.IsErrorRedirected || Stopwatch.GetElapsedTime(_started) < _nextProgress) return false;
        _nextProgress = Stopwatch.GetElapsedTime(_started) + ProgressInterval;
        return true;
    }
}

/// <summary>A <c>store</c> command cannot begin.</summary>
internal sealed class StoreRefusal(int exitCode, string message) : Exception(message)
{
    public int ExitCode => exitCode;
}
