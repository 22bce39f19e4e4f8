using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Director.Authentication;
using ImapDirector.Operations.Api;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector user …</c>: the accounts, and why users are where they are.</summary>
internal static class UserCommand
{
    private const int Page = 10_000;

    /// <summary>The user a command is about.</summary>
    public static readonly Argument<string> Name = new("name") { Description = "The user, as name@domain.", HelpName = "NAME@DOMAIN" };
    private static readonly Option<string?> Password = new("--password") { Description = "The password. Other users of this machine may see it in the list of processes; without it, it is read from standard input.", HelpName = "PW" };
    private static readonly Option<PasswordScheme> Scheme = SchemeOption();

    public static Command Create() => ApiClient.Group("user", "Manage accounts.",
        HashCommand(),
        ApiClient.Command("add", "Make an account.", [Name, Password], AddAsync),
        ApiClient.Command("passwd", "Give an account a new password.", [Name, Password], ChangePasswordAsync),
        ApiClient.Command("list", "List all accounts.", [], ListAsync),
        ApiClient.Command("show", "Show an account, its node and its sessions.", [Name], ShowAsync),
        ApiClient.Command("explain", "Say why a user is where they are, and what would happen at the next login.", [Name], ExplainAsync),
        ApiClient.Command("disable", "Refuse an account's logins. Mail still comes in.", [Name],
            (api, result, cancellationToken) => OrderAsync(api, result, HttpMethod.Post, "/disable", null, "Logins are refused. Sessions that run go on.", cancellationToken)),
        ApiClient.Command("enable", "Allow an account's logins.", [Name], (api, result, cancellationToken) => OrderAsync(api, result, HttpMethod.Post, "/enable", null, "Logins are allowed.", cancellationToken)),
        MoveCommand.CreateMove(),
        ApiClient.Command("remove", "Remove an account. Its mail stays where it is.", [Name],
            (api, result, cancellationToken) => OrderAsync(api, result, HttpMethod.Delete, "", null, "The account is removed. Its mail and its assignment stay.", cancellationToken)));

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
            var password = Encoding.UTF8.GetBytes(await ReadPasswordAsync(result));
            var hash = await UserAccounts.HashAsync(result.GetValue(Scheme), password, cancellationToken);
            CryptographicOperations.ZeroMemory(password);
            if (hash is null)
            {
                await result.InvocationConfiguration.Error.WriteLineAsync("imapdirector: The password cannot be used: give 1 to 1024 bytes, with Bcrypt 72 at most, and with SCRAM printable ASCII alone (what clients make of other letters is not known here).");
                return ExitCode.BadData;
            }
            await result.InvocationConfiguration.Output.WriteLineAsync(hash);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Says why a user is where they are.</summary>
    public static async Task<int> ExplainAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        var why = await api.GetAsync($"/users/{Named(result)}/explain", ApiJson.Default.ApiExplanation, cancellationToken);
        var output = result.InvocationConfiguration.Output;
        output.WriteLine($"user        {why.User}");
        output.WriteLine(why.Node is null ? "assignment  none yet: given at the first login or delivery"
            : string.Create(CultureInfo.InvariantCulture, $"assignment  {why.Node}, epoch {why.Epoch}{(why.Moving is { } target ? $", moving to {target}" : "")}"));
        output.WriteLine($"director    {why.Director} says so");
        foreach (var candidate in why.Nodes)
        {
            var rank = candidate.Rank is { } place ? string.Create(CultureInfo.InvariantCulture, $"candidate {place}, share {candidate.Share:P0}") : "takes no new users of the pool";
            output.WriteLine($"node        {NodesCommand.Line(candidate.Node)}  {rank}");
        }
        output.WriteLine($"new users   of this name would be given {why.Nodes.FirstOrDefault(static candidate => candidate.Rank == 1)?.Node.Name ?? $"no node: none of pool {why.Pool} takes new users"}");
        foreach (var session in why.Sessions) output.WriteLine($"session     {SessionsCommand.Line(session)}");
        output.WriteLine(why.NextLogin.Node is { } node ? $"next login  goes to {node}, {why.NextLogin.Reason}" : $"next login  NO [UNAVAILABLE]: {why.NextLogin.Reason}");
        return ExitCode.Ok;
    }

    private static string Named(ParseResult result) => ApiClient.Segment(result.GetValue(Name)!);

    private static async Task<int> AddAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        await api.OrderAsync(HttpMethod.Post, "/users", ApiClient.Json(new ApiNewUser(result.GetValue(Name)!, await ReadPasswordAsync(result)), ApiJson.Default.ApiNewUser), cancellationToken);
        result.InvocationConfiguration.Output.WriteLine("The account is made.");
        return ExitCode.Ok;
    }

    private static async Task<int> ChangePasswordAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken) =>
        await OrderAsync(api, result, HttpMethod.Put, "/password", ApiClient.Json(new ApiPassword(await ReadPasswordAsync(result)), ApiJson.Default.ApiPassword),
            "The password is changed. Sessions that run go on.", cancellationToken);

    private static async Task<int> OrderAsync(ApiClient api, ParseResult result, HttpMethod method, string what, HttpContent? body, string done, CancellationToken cancellationToken)
    {
        await api.OrderAsync(method, $"/users/{Named(result)}{what}", body, cancellationToken);
        result.InvocationConfiguration.Output.WriteLine(done);
        return ExitCode.Ok;
    }

    private static async Task<int> ListAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        var page = new ApiUserNames([], "");
        while (page.Next is { } after)
        {
            page = await api.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/users?limit={Page}&after={Uri.EscapeDataString(after)}"), ApiJson.Default.ApiUserNames, cancellationToken);
            foreach (var user in page.Users) result.InvocationConfiguration.Output.WriteLine(user);
        }
        return ExitCode.Ok;
    }

    private static async Task<int> ShowAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        var user = await api.GetAsync($"/users/{Named(result)}", ApiJson.Default.ApiUser, cancellationToken);
        var output = result.InvocationConfiguration.Output;
        output.WriteLine($"user      {user.Name}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"created   {user.Created.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC"));
        output.WriteLine($"logins    {(user.IsDisabled ? "refused (disabled)" : "allowed")}");
        output.WriteLine($"node      {user.Node ?? "none yet: given at the first login or delivery"}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"epoch     {user.Epoch}"));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"sessions  {user.Sessions.Count}"));
        foreach (var session in user.Sessions) output.WriteLine($"  {SessionsCommand.Line(session)}");
        return ExitCode.Ok;
    }

    private static async Task<string> ReadPasswordAsync(ParseResult result)
    {
        if (result.GetValue(Password) is { } given) return given;
        if (!Console.IsInputRedirected)
        {
            await result.InvocationConfiguration.Error.WriteAsync("Password: ");
            var typed = ReadHidden();
            await result.InvocationConfiguration.Error.WriteLineAsync();
            return typed;
        }
        return await Console.In.ReadLineAsync() ?? "";
    }

    private static string ReadHidden()
    {
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace) typed.Length = Math.Max(typed.Length - 1, 0);
            else if (key.KeyChar != '\0') typed.Append(key.KeyChar);
        }
        return typed.ToString();
    }
}
