using System.CommandLine;
using System.Net;
using ImapDirector.Configuration;
using ImapDirector.Roles;
using ImapDirector.Standalone;
using Microsoft.Extensions.Logging;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector standalone</c>.</summary>
internal static class StandaloneCommand
{
    public const string DefaultData = "data";

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Where everything is kept.", HelpName = "DIR", DefaultValueFactory = _ => DefaultData };
        var address = new Option<string>("--address") { Description = "The address IMAP, IMAPS and LMTP listen on; HTTP and Redis stay on 127.0.0.1.", HelpName = "ADDRESS", DefaultValueFactory = _ => "127.0.0.1" };
        var imap = Port("--imap-port", "IMAP with STARTTLS.", 1143);
        var imaps = Port("--imaps-port", "IMAP over TLS.", 1993);
        var lmtp = Port("--lmtp-port", "LMTP: mail comes in here.", 1124);
        var http = Port("--http-port", "Metrics and health.", 1180);
        var redis = Port("--redis-port", "The embedded Redis-compatible server.", 1163);
        var user = new Option<string?>("--user") { Description = "An account to make; one that exists gets the password.", HelpName = "NAME@DOMAIN" };
        var password = new Option<string?>("--password") { Description = "Its password. Other users of this machine may see it in the list of processes; \"-\" reads it from standard input; without it one is made up and shown.", HelpName = "PW" };
        var level = new Option<LogLevel>("--log-level") { Description = "The least that is logged.", HelpName = "LEVEL", DefaultValueFactory = _ => LogLevel.Information };
        var command = new Command("standalone", "Run everything in one process: a director, two nodes and an embedded Redis-compatible server, with a self-signed certificate and a first user.")
        {
            data, address, imap, imaps, lmtp, http, redis, user, password, level,
        };
        command.SetAction(async (result, cancellationToken) =>
        {
            var options = new StandaloneOptions
            {
                DataDirectory = result.GetValue(data)!,
                Address = IPAddress.TryParse(result.GetValue(address), out var parsed) ? parsed : throw new ConfigurationException(
                    $"--address is \"{result.GetValue(address)}\": give an IP address, such as 127.0.0.1 or 0.0.0.0."),
                ImapPort = result.GetValue(imap),
                ImapsPort = result.GetValue(imaps),
                LmtpPort = result.GetValue(lmtp),
                HttpPort = result.GetValue(http),
                RedisPort = result.GetValue(redis),
                User = result.GetValue(user),
                Password = result.GetValue(password) is "-" ? await Console.In.ReadLineAsync(cancellationToken) ?? "" : result.GetValue(password),
            };
            if (options is { Password: not null, User: null }) throw new ConfigurationException("--password is given without --user: name the account it is for.");
            var settings = new ProcessSettings { Http = new IPEndPoint(IPAddress.Loopback, options.HttpPort), LogLevel = result.GetValue(level) };
            using var loggers = ProcessLogging.Create(settings.LogLevel, settings.LogFormat);
            return await RoleRunner.RunAsync(new StandaloneRole(options, settings, loggers), settings, loggers, result.InvocationConfiguration.Output);
        });
        return command;
    }

    private static Option<int> Port(string name, string description, int port)
    {
        var option = new Option<int>(name) { Description = $"{description} 0 takes a free port.", HelpName = "PORT", DefaultValueFactory = _ => port };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 65535) result.AddError($"{name} is no port: give 0 to 65535.");
        });
        return option;
    }
}
