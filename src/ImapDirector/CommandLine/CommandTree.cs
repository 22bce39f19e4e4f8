using System.CommandLine;
using ImapDirector.Configuration;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector</c> and its commands.</summary>
internal static class CommandTree
{
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var result = Create().Parse(args);
        // Signals are the roles' own to take: a drain lasts longer than the library's two seconds.
        var invocation = new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        try
        {
            var code = await result.InvokeAsync(invocation);
            return result.Errors.Count > 0 ? ExitCode.Usage : code;
        }
        catch (ConfigurationException wrong)
        {
            foreach (var error in wrong.Errors) await Console.Error.WriteLineAsync($"imapdirector: {error}");
            return ExitCode.Configuration;
        }
        catch (Exception fault)
        {
            // Left to the runtime it would end as a crash of the process, which supervisors take for something else.
            await Console.Error.WriteLineAsync($"imapdirector: a fault of the program: {fault}");
            return ExitCode.Fault;
        }
    }

    private static RootCommand Create() => new("ImapDirector: an IMAP director and its storage nodes.")
    {
        StandaloneCommand.Create(),
        RunCommands.CreateDirector(),
        RunCommands.CreateNode(),
        UserCommand.Create(),
        NodesCommand.Create(),
        SessionsCommand.Create(),
        MoveCommand.CreateMoves(),
        MoveCommand.CreateRebalance(),
        DirectoryCommand.Create(),
        StoreCommand.Create(),
        KeysCommand.Create(),
        HealthCommand.Create(),
    };
}
