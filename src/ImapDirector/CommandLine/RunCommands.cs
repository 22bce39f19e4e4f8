using System.CommandLine;
using ImapDirector.Configuration;
using ImapDirector.Roles;
using Microsoft.Extensions.Configuration;

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
            IConfiguration Load() => SettingsSource.Load(result.GetValue(config), result.GetValue(set) ?? []);
            var settings = DirectorSettings.Read(Load());
            var threshold = new LogThreshold(settings.Process.LogLevel);
            using var loggers = ProcessLogging.Create(threshold, settings.Process.LogFormat);
            var role = new DirectorRole(settings, loggers);
            var reload = new SettingsReload(Load, now =>
            {
                var fresh = DirectorSettings.Read(now);
                role.Reload(fresh);
                threshold.Level = fresh.Process.LogLevel;
            }, DirectorSettings.AtOnce);
            return await RoleRunner.RunAsync(role, settings.Process, loggers, result.InvocationConfiguration.Output, reload);
        });
        return command;
    }

    public static Command CreateNode()
    {
        var (config, set) = (ConfigOption("config/node.json"), SetOption());
        var command = new Command("node", "Run a storage node: it keeps its users' mail and serves it to directors.") { config, set };
        command.SetAction(async (result, _) =>
        {
            IConfiguration Load() => SettingsSource.Load(result.GetValue(config), result.GetValue(set) ?? []);
            var settings = NodeSettings.Read(Load());
            var threshold = new LogThreshold(settings.Process.LogLevel);
            using var loggers = ProcessLogging.Create(threshold, settings.Process.LogFormat);
            var reload = new SettingsReload(Load, now => threshold.Level = NodeSettings.Read(now).Process.LogLevel, NodeSettings.AtOnce);
            return await RoleRunner.RunAsync(new NodeRole(settings, loggers), settings.Process, loggers, result.InvocationConfiguration.Output, reload);
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
