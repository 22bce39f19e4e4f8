using System.CommandLine;
using ImapDirector.Configuration;
using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Standalone;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImapDirector.CommandLine;

/// <summary>What <c>imapdirector nodes …</c> and <c>sessions …</c> share: the configuration they read, and the directors' Redis.</summary>
internal static class ClusterCommand
{
    private static readonly Option<string?> Config = new("--config", "-c") { Description = "A director's configuration, for its Redis, DefaultDomain and Nodes.", HelpName = "FILE", Recursive = true };
    private static readonly Option<string?> Data = new("--data") { Description = $"A stand-alone server's directory; \"{StandaloneCommand.DefaultData}\" when --config is not given either. The server must be running.", HelpName = "DIR", Recursive = true };

    public static Command Create(string name, string description, params Command[] commands)
    {
        var command = new Command(name, description) { Config, Data };
        foreach (var one in commands) command.Add(one);
        return command;
    }

    /// <param name="name">The command's.</param>
    /// <param name="description">What it does.</param>
    /// <param name="arguments">What it is told by place.</param>
    /// <param name="options">What it is told by name.</param>
    /// <param name="run">Does it, and gives the exit code; <c>null</c> when Redis does not answer.</param>
    public static Command With(string name, string description, Argument[] arguments, Option[] options,
        Func<ClusterOrders, DirectorOptions, ParseResult, CancellationToken, Task<int?>> run) =>
        WithAction(name, description, [.. arguments, .. options], async (settings, result, cancellationToken) =>
        {
            await using var orders = new ClusterOrders(settings, NullLoggerFactory.Instance);
            await orders.ConnectAsync(cancellationToken);
            return await run(orders, settings, result, cancellationToken);
        });

    /// <summary>As <see cref="With"/>, for the nodes.</summary>
    public static Command WithNodes(string name, string description, Argument[] arguments, Func<NodeOrders, ParseResult, CancellationToken, Task<int?>> run) =>
        WithAction(name, description, arguments, async (settings, result, cancellationToken) =>
        {
            await using var orders = new NodeOrders(settings, NullLoggerFactory.Instance);
            await orders.ConnectAsync(cancellationToken);
            return await run(orders, result, cancellationToken);
        });

    /// <summary>As <see cref="With"/>, for the user → node map.</summary>
    public static Command WithMap(string name, string description, Argument[] arguments, Func<AssignmentMap, DirectorOptions, ParseResult, CancellationToken, Task<int?>> run) =>
        WithAction(name, description, arguments, async (settings, result, cancellationToken) =>
        {
            await using var map = new AssignmentMap(settings, NullLoggerFactory.Instance);
            await map.ConnectAsync(cancellationToken);
            return await run(map, settings, result, cancellationToken);
        });

    private static Command WithAction(string name, string description, Symbol[] symbols, Func<DirectorOptions, ParseResult, CancellationToken, Task<int?>> run)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Add(argument);
            else command.Add((Option)symbol);
        }
        command.SetAction(async (result, cancellationToken) =>
        {
            try
            {
                if (await run(Settings(result), result, cancellationToken) is { } code) return code;
            }
            catch (ArgumentException)
            {
                throw new ConfigurationException("Redis cannot be read (the value is not shown, it may hold a password): write it as \"host:port,password=…,ssl=true\".");
            }
            await result.InvocationConfiguration.Error.WriteLineAsync("imapdirector: Redis does not answer: see that it runs and that the configuration names it.");
            return ExitCode.Unavailable;
        });
        return command;
    }

    /// <summary>The configured node of a name.</summary>
    /// <returns><c>null</c> when there is none; the user is told which there are.</returns>
    public static BackendNode? FindNode(DirectorOptions settings, ParseResult result, string name)
    {
        if (settings.Nodes.FirstOrDefault(node => node.Name == name) is { } found) return found;
        result.InvocationConfiguration.Error.WriteLine($"imapdirector: There is no node \"{name}\": there are {string.Join(", ", settings.Nodes.Select(static node => node.Name))}.");
        return null;
    }

    private static DirectorOptions Settings(ParseResult result) => (result.GetValue(Config), result.GetValue(Data)) switch
    {
        ({ } config, null) => DirectorSettings.ReadForOrders(SettingsSource.Load(config, [])),
        (null, var data) => StandaloneData.ReadForCommands(data ?? StandaloneCommand.DefaultData).OptionsForOrders(),
        _ => throw new ConfigurationException("--config and --data are both given: leave one of them out."),
    };
}
