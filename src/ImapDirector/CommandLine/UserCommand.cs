using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Configuration;
using ImapDirector.Director;
using ImapDirector.Director.Authentication;
using ImapDirector.Standalone;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector user …</c>: the accounts in Redis.</summary>
internal static class UserCommand
{
    private static readonly Option<string?> Config = new("--config", "-c") { Description = "A director's configuration, for its Redis and DefaultDomain.", HelpName = "FILE", Recursive = true };
    private static readonly Option<string?> Data = new("--data") { Description = $"A stand-alone server's directory; \"{StandaloneCommand.DefaultData}\" when --config is not given either. The server must be running.", HelpName = "DIR", Recursive = true };
    private static readonly Option<string?> Password = new("--password") { Description = "The password. Other users of this machine may see it in the list of processes; without it, it is read from standard input.", HelpName = "PW" };
    private static readonly Option<PasswordScheme> Scheme = SchemeOption();
    private static readonly Argument<string> Name = new("name") { Description = "The user, as name@domain.", HelpName = "NAME@DOMAIN" };

    public static Command Create()
    {
        var command = new Command("user", "Manage accounts.") { Config, Data };
        command.Add(With("add", "Make an account.", [Name], [Password], AddAsync));
        command.Add(With("passwd", "Give an account a new password.", [Name], [Password], ChangePasswordAsync));
        command.Add(With("list", "List all accounts.", [], [], ListAsync));
        command.Add(With("show", "Show an account, its node and its sessions.", [Name], [], ShowAsync));
        command.Add(HashCommand());
        command.Add(With("remove", "Remove an account. Its mail stays where it is.", [Name], [], RemoveAsync));
        return command;
    }

    private static Option<PasswordScheme> SchemeOption()
    {
        var option = new Option<PasswordScheme>("--scheme") { Description = "How it is hashed.", DefaultValueFactory = static _ => PasswordScheme.Argon2id };
        option.AcceptOnlyFromAmong([.. UserAccounts.HashSchemes.Select(static scheme => scheme.ToString())]);
        return option;
    }

    private static Command HashCommand()
    {
        var command = new Command("hash", "Hash a password for a password file or a database. Nothing is stored.") { Scheme, Password };
        command.SetAction(async (result, cancellationToken) =>
        {
            var password = await ReadPasswordAsync(result);
            var hash = await UserAccounts.HashAsync(result.GetValue(Scheme), password, cancellationToken);
            CryptographicOperations.ZeroMemory(password);
            if (hash is null) return Report(result, AccountOutcome.InvalidPassword, null);
            await result.InvocationConfiguration.Output.WriteLineAsync(hash);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command With(string name, string description, Argument[] arguments, Option[] options,
        Func<UserAccounts, ParseResult, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        foreach (var argument in arguments) command.Add(argument);
        foreach (var option in options) command.Add(option);
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var accounts = new UserAccounts(Options(result), NullLoggerFactory.Instance);
            try
            {
                await accounts.ConnectAsync(cancellationToken);
            }
            catch (ArgumentException)
            {
                throw new ConfigurationException("Redis cannot be read (the value is not shown, it may hold a password): write it as \"host:port,password=…,ssl=true\".");
            }
            return await run(accounts, result, cancellationToken);
        });
        return command;
    }

    private static DirectorOptions Options(ParseResult result) => (result.GetValue(Config), result.GetValue(Data)) switch
    {
        ({ } config, null) => DirectorSettings.ReadAccountsOnly(SettingsSource.Load(config, [])),
        (null, var data) => new DirectorOptions { Redis = StandaloneData.ReadForCommands(data ?? StandaloneCommand.DefaultData).Redis },
        _ => throw new ConfigurationException("--config and --data are both given: leave one of them out."),
    };

    private static async Task<int> AddAsync(UserAccounts accounts, ParseResult result, CancellationToken cancellationToken)
    {
        var password = await ReadPasswordAsync(result);
        var outcome = await accounts.AddAsync(result.GetValue(Name)!, password, cancellationToken);
        CryptographicOperations.ZeroMemory(password);
        return Report(result, outcome, "The account is made.");
    }

    private static async Task<int> ChangePasswordAsync(UserAccounts accounts, ParseResult result, CancellationToken cancellationToken)
    {
        var password = await ReadPasswordAsync(result);
        var outcome = await accounts.SetPasswordAsync(result.GetValue(Name)!, password, cancellationToken);
        CryptographicOperations.ZeroMemory(password);
        return Report(result, outcome, "The password is changed. Sessions that run go on.");
    }

    private static async Task<int> ListAsync(UserAccounts accounts, ParseResult result, CancellationToken cancellationToken)
    {
        var outcome = await accounts.ListAsync(result.InvocationConfiguration.Output.WriteLine, cancellationToken);
        return Report(result, outcome, null);
    }

    private static async Task<int> ShowAsync(UserAccounts accounts, ParseResult result, CancellationToken cancellationToken)
    {
        var (outcome, details) = await accounts.ShowAsync(result.GetValue(Name)!, cancellationToken);
        if (details is not null)
        {
            var output = result.InvocationConfiguration.Output;
            output.WriteLine($"user      {details.User}");
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"created   {details.Created.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC"));
            output.WriteLine($"logins    {(details.IsDisabled ? "refused (disabled)" : "allowed")}");
            output.WriteLine($"node      {details.Node ?? "none yet: given at the first login or delivery"}");
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"epoch     {details.Epoch}"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"sessions  {details.Sessions.Count}"));
            foreach (var session in details.Sessions)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {session.Id}  from {session.ClientAddress}  at director {session.Director}  since {session.Started.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC"));
        }
        return Report(result, outcome, null);
    }

    private static async Task<int> RemoveAsync(UserAccounts accounts, ParseResult result, CancellationToken cancellationToken) =>
        Report(result, await accounts.RemoveAsync(result.GetValue(Name)!, cancellationToken), "The account is removed. Its mail and its assignment stay.");

    private static int Report(ParseResult result, AccountOutcome outcome, string? done)
    {
        if (outcome == AccountOutcome.Done)
        {
            if (done is not null) result.InvocationConfiguration.Output.WriteLine(done);
            return ExitCode.Ok;
        }
        var (code, text) = outcome switch
        {
            AccountOutcome.Exists => (ExitCode.Exists, "There is an account of this name: change its password with \"user passwd\"."),
            AccountOutcome.NoSuchUser => (ExitCode.NoSuchUser, "There is no account of this name: \"user list\" shows those there are."),
            AccountOutcome.InvalidName => (ExitCode.BadData, "The name cannot be used: write it as name@domain, with letters, digits, '.', '-' and '_'."),
            AccountOutcome.InvalidPassword => (ExitCode.BadData, "The password cannot be used: give 1 to 1024 bytes."),
            _ => (ExitCode.Unavailable, "Redis does not answer: see that it runs and that the configuration names it."),
        };
        result.InvocationConfiguration.Error.WriteLine($"imapdirector: {text}");
        return code;
    }

    private static async Task<byte[]> ReadPasswordAsync(ParseResult result)
    {
        if (result.GetValue(Password) is { } given) return Encoding.UTF8.GetBytes(given);
        if (!Console.IsInputRedirected)
        {
            await result.InvocationConfiguration.Error.WriteAsync("Password: ");
            var typed = ReadHidden();
            await result.InvocationConfiguration.Error.WriteLineAsync();
            return typed;
        }
        return Encoding.UTF8.GetBytes(await Console.In.ReadLineAsync() ?? "");
    }

    private static byte[] ReadHidden()
    {
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace) typed.Length = Math.Max(typed.Length - 1, 0);
            else if (key.KeyChar != '\0') typed.Append(key.KeyChar);
        }
        var bytes = Encoding.UTF8.GetBytes(typed.ToString());
        typed.Clear();
        return bytes;
    }
}
