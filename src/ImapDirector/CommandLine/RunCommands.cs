using System.CommandLine;
using ImapDirector.Configuration;
using ImapDirector.Roles;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector director</c> and <c>imapdirector node</c>.</summary>
internal static class RunCommands
{
    public static Command CreateDirector()
    {
        var (config, set) = (ConfigOption("config/director.json"), SetOption());
        var command = new Command("director", "Run a director: it authenticates clients and relays each session to its user's node.") { config, set };
        command.SetAction(async (result, _) =>
        {
            var settings = DirectorSettings.Read(SettingsSource.Load(result.GetValue(config), result.GetValue(set) ?? []));
            using var loggers = ProcessLogging.Create(settings.Process.LogLevel, settings.Process.LogFormat);
            return await RoleRunner.RunAsync(new DirectorRole(settings, loggers), settings.Process, loggers, result.InvocationConfiguration.Output);
        });
        return command;
    }

    public static Command CreateNode()
    {
        var (config, set) = (ConfigOption("config/node.json"), SetOption());
        var command = new Command("node", "Run a storage node: it keeps its users' mail and serves it to directors.") { config, set };
        command.SetAction(async (result, _) =>
        {
            var settings = NodeSettings.Read(SettingsSource.Load(result.GetValue(config), result.GetValue(set) ?? []));
            using var loggers = ProcessLogging.Create(settings.Process.LogLevel, settings.Process.LogFormat);
            return await RoleRunner.RunAsync(new NodeRole(settings, loggers), settings.Process, loggers, result.InvocationConfiguration.Output);
        });
        return command;
    }

    /// <summary><c>--config</c>.</summary>
    public static Option<string?> ConfigOption(string example) => new("--config", "-c")
    {
        Description = $"The configuration file (JSON with comments), such as {example}. Without it, settings come from IMAPDIRECTOR__… variables and --set alone.",
        HelpName = "FILE",
    };

    /// <summary><c>--set</c>.</summary>
    public static Option<string[]> SetOption() => new("--set")
    {
        Description = "One setting, such as --set Imap=127.0.0.1:1143 or --set Nodes:0:Weight=50; wins over the file and the environment. May be repeated. Secrets are better kept in files.",
        HelpName = "KEY=VALUE",
    };
}
