using System.CommandLine;
using System.Globalization;
using ImapDirector.Operations.Api;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector sessions …</c>: who is there, and who has to go.</summary>
internal static class SessionsCommand
{
    private const int Looks = 5;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    private static readonly Option<string?> User = new("--user") { Description = "Of this user.", HelpName = "NAME@DOMAIN" };
    private static readonly Option<string?> Node = new("--node") { Description = "At this node.", HelpName = "NODE" };
    private static readonly Option<string?> Address = new("--address") { Description = "From this address.", HelpName = "ADDRESS" };

    public static Command Create() => ApiClient.Group("sessions", "Show and end sessions, of all directors.",
        ApiClient.Command("list", "List the sessions that run.", [User, Node, Address], ListAsync),
        ApiClient.Command("kick", "End sessions; their clients may come back at once.", [User, Node, Address], KickAsync));

    /// <summary>A session, as lists show it.</summary>
    public static string Line(ApiSession session) => string.Create(CultureInfo.InvariantCulture,
        $"{session.Id}  {session.User}{(session.Master is { } master ? $"  by master {master}" : "")}  node {session.Node ?? "none"}  from {session.Address}  at director {session.Director}  since {session.Started.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC  {Kind(session)}  {session.BytesToNode} bytes to the node, {session.BytesToClient} to the client{(session.Client is { } client ? $"  \"{client}\"" : "")}");

    private static string Kind(ApiSession session) => $"{session.Mechanism ?? "login unknown"}, {(session.Tls is { } version ? "TLS " + version : "no TLS")}";

    private static async Task<int> ListAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        var answer = await FindAsync(api, result, cancellationToken);
        foreach (var session in answer.Sessions) result.InvocationConfiguration.Output.WriteLine(Line(session));
        if (answer.HasMore) await result.InvocationConfiguration.Error.WriteLineAsync("imapdirector: There are more: choose some with --user, --node or --address.");
        return ExitCode.Ok;
    }

    private static async Task<int> KickAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        var filter = new ApiKick(result.GetValue(User), result.GetValue(Node), result.GetValue(Address));
        if (filter is { User: null, Node: null, Address: null }) throw new RefusedException(ExitCode.Usage, "Nothing says which sessions are to end: give --user, --node or --address.");
        var before = (await api.AskAsync(HttpMethod.Post, "/sessions/kick", ApiJson.Default.ApiKicked, ApiClient.Json(filter, ApiJson.Default.ApiKick), cancellationToken)).Sessions;
        var ids = before.Select(static session => session.Id).ToHashSet();
        // Those that come back meanwhile are new ones.
        for (var look = 0; ids.Count > 0 && look < Looks; look++)
        {
            if (look > 0) await Task.Delay(BetweenLooks, cancellationToken);
            ids.IntersectWith((await FindAsync(api, result, cancellationToken)).Sessions.Select(static session => session.Id));
        }
        var left = ids.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $"; {ids.Count} have not ended yet") : "";
        result.InvocationConfiguration.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{before.Count} sessions were told to end{left}."));
        return ids.Count > 0 ? ExitCode.Unavailable : ExitCode.Ok;
    }

    private static Task<ApiSessions> FindAsync(ApiClient api, ParseResult result, CancellationToken cancellationToken)
    {
        var query = new List<string>();
        foreach (var (name, value) in new[] { ("user", result.GetValue(User)), ("node", result.GetValue(Node)), ("address", result.GetValue(Address)) })
            if (value is not null) query.Add($"{name}={Uri.EscapeDataString(value)}");
        return api.GetAsync("/sessions" + (query.Count > 0 ? "?" + string.Join('&', query) : ""), ApiJson.Default.ApiSessions, cancellationToken);
    }
}
