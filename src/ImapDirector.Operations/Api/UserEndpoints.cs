using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Director;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Directory;
using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations.Api;

/// <summary><c>/api/v1/users</c>: the accounts, and why users are where they are.</summary>
internal sealed class UserEndpoints(DirectorServer director, AuditLog audit, Func<string, bool?> isReady)
{
    private const int DefaultPage = 1000;
    private const int MaxPage = 10_000;

    /// <summary>How many accounts are looked at for the nearest names.</summary>
    private const int MaxLookedAt = 100_000;

    public IEnumerable<ApiRoute> Routes =>
    [
        new("GET", "/users", "Lists the accounts, in the order of their names.", ListAsync)
            { Answer = ApiJson.Default.ApiUserNames, Query = [("after", "Only names behind this one."), ("limit", $"How many at most, 1 to {MaxPage}; {DefaultPage} where it is left out.")] },
        new("POST", "/users", "Makes an account.", AddAsync) { Body = ApiJson.Default.ApiNewUser, Status = StatusCodes.Status204NoContent },
        new("GET", "/users/{user}", "Shows an account, its node and its sessions.", ShowAsync) { Answer = ApiJson.Default.ApiUser },
        new("DELETE", "/users/{user}", "Removes an account. Its mail and its assignment stay.", RemoveAsync) { Status = StatusCodes.Status204NoContent },
        new("PUT", "/users/{user}/password", "Gives an account a new password. Sessions that run go on.", SetPasswordAsync) { Body = ApiJson.Default.ApiPassword, Status = StatusCodes.Status204NoContent },
        new("POST", "/users/{user}/enable", "Allows the account's logins.", context => DisableAsync(context, false)) { Status = StatusCodes.Status204NoContent },
        new("POST", "/users/{user}/disable", "Refuses the account's logins. Mail still comes in, and sessions that run go on.", context => DisableAsync(context, true)) { Status = StatusCodes.Status204NoContent },
        new("GET", "/users/{user}/explain", "Says why a user is where they are, and what would happen at the next login.", ExplainAsync) { Answer = ApiJson.Default.ApiExplanation },
    ];

    private async Task<ApiAnswer> ListAsync(HttpContext context)
    {
        var limit = DefaultPage;
        if (ApiRoute.Asked(context, "limit") is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is 0 or > MaxPage))
            return ApiProblem.Invalid($"\"limit\" is no number from 1 to {MaxPage}.");
        var after = ApiRoute.Asked(context, "after") ?? "";
        // However many there are, no more than a page of them is kept.
        var page = new SortedSet<string>(StringComparer.Ordinal);
        var outcome = await director.Accounts.ListAsync(user =>
        {
            if (string.CompareOrdinal(user, after) <= 0) return;
            page.Add(user);
            if (page.Count > limit + 1) page.Remove(page.Max!);
        }, context.RequestAborted);
        if (outcome != AccountOutcome.Done) return ApiProblem.Unavailable();
        var hasMore = page.Count > limit;
        string[] users = [.. page.Take(limit)];
        return ApiAnswer.Of(new ApiUserNames(users, hasMore ? users[^1] : null), ApiJson.Default.ApiUserNames);
    }

    private async Task<ApiAnswer> AddAsync(HttpContext context)
    {
        var (body, problem) = await ApiAnswer.ReadAsync(context, ApiJson.Default.ApiNewUser);
        return body is null ? problem! : await WithPasswordAsync(context, body.Name, body.Password, "add user", static (accounts, name, password, token) => accounts.AddAsync(name, password, token), "no account");
    }

    private async Task<ApiAnswer> SetPasswordAsync(HttpContext context)
    {
        var (body, problem) = await ApiAnswer.ReadAsync(context, ApiJson.Default.ApiPassword);
        return body is null ? problem! : await WithPasswordAsync(context, ApiRoute.Value(context, "user"), body.Password, "set the password of user",
            static (accounts, name, password, token) => accounts.SetPasswordAsync(name, password, token), "another password");
    }

    private async Task<ApiAnswer> WithPasswordAsync(HttpContext context, string name, string text, string what,
        Func<UserAccounts, string, ReadOnlyMemory<byte>, CancellationToken, Task<AccountOutcome>> change, string before)
    {
        var password = Encoding.UTF8.GetBytes(text);
        var outcome = await change(director.Accounts, name, password, context.RequestAborted);
        CryptographicOperations.ZeroMemory(password);
        return await AnswerAsync(context, name, outcome, what, before, "a password that was given");
    }

    private async Task<ApiAnswer> RemoveAsync(HttpContext context)
    {
        var name = ApiRoute.Value(context, "user");
        return await AnswerAsync(context, name, await director.Accounts.RemoveAsync(name, context.RequestAborted), "remove user", "an account", "no account");
    }

    private async Task<ApiAnswer> DisableAsync(HttpContext context, bool isDisabled)
    {
        var name = ApiRoute.Value(context, "user");
        var (outcome, before) = await director.Accounts.ShowAsync(name, context.RequestAborted);
        if (outcome == AccountOutcome.Done) outcome = await director.Accounts.DisableAsync(name, isDisabled, context.RequestAborted);
        return await AnswerAsync(context, name, outcome, isDisabled ? "disable user" : "enable user", before?.IsDisabled == true ? "disabled" : "enabled", isDisabled ? "disabled" : "enabled");
    }

    private async Task<ApiAnswer> ShowAsync(HttpContext context)
    {
        var name = ApiRoute.Value(context, "user");
        var (outcome, user) = await director.Accounts.ShowAsync(name, context.RequestAborted);
        if (user is null) return await ProblemOfAsync(outcome, name, context.RequestAborted);
        if (await director.Sessions.ListSessionsAsync(new SessionFilter(director.NameOf(user.User), null, null), context.RequestAborted) is not { } sessions) return ApiProblem.Unavailable();
        return ApiAnswer.Of(new ApiUser(user.User, user.Created, user.IsDisabled, user.Node, user.Epoch, [.. sessions.Select(SessionEndpoints.Shown)]), ApiJson.Default.ApiUser);
    }

    private async Task<ApiAnswer> ExplainAsync(HttpContext context)
    {
        if (director.NameOf(ApiRoute.Value(context, "user")) is not { } user) return InvalidName;
        if (await director.ExplainAsync(user, context.RequestAborted) is not { } why) return ApiProblem.Unavailable();
        return ApiAnswer.Of(new ApiExplanation(why.User, why.Assignment?.Node, why.Assignment?.Epoch ?? 0, why.Assignment?.Moving, why.Pool, director.Name,
            [.. why.Nodes.Select(node => new ApiCandidate(NodeEndpoints.Shown(node.Status, node.IsWell, isReady(node.Status.Node.Name)), node.Rank, node.Share))],
            [.. why.Sessions.Select(SessionEndpoints.Shown)], new ApiNextLogin(why.NextLogin.Node, why.NextLogin.Reason)), ApiJson.Default.ApiExplanation);
    }

    /// <summary>The name cannot be anybody's.</summary>
    public static ApiProblem InvalidName => ApiProblem.Invalid("The name cannot be used: write it as name@domain, with letters, digits, '.', '-' and '_'.");

    private async Task<ApiAnswer> AnswerAsync(HttpContext context, string name, AccountOutcome outcome, string what, string before, string after)
    {
        if (outcome != AccountOutcome.Done) return await ProblemOfAsync(outcome, name, context.RequestAborted);
        audit.Note(context, $"{what} {director.NameOf(name)}", before, after);
        return ApiAnswer.NoContent;
    }

    private async Task<ApiProblem> ProblemOfAsync(AccountOutcome outcome, string name, CancellationToken cancellationToken) => outcome switch
    {
        AccountOutcome.Exists => ApiProblem.Of(StatusCodes.Status409Conflict, "exists", "There is an account of this name: change its password instead."),
        AccountOutcome.NoSuchUser => await NoSuchUserAsync(name, cancellationToken),
        AccountOutcome.InvalidName => InvalidName,
        AccountOutcome.InvalidPassword => ApiProblem.Invalid("The password cannot be used: give 1 to 1024 bytes."),
        _ => ApiProblem.Unavailable(),
    };

    private async Task<ApiProblem> NoSuchUserAsync(string name, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await director.Accounts.ListAsync(user =>
        {
            if (names.Count < MaxLookedAt) names.Add(user);
        }, cancellationToken);
        return ApiProblem.None("user", director.NameOf(name)?.Value ?? name, names);
    }
}
