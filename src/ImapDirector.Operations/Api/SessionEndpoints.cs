using System.Globalization;
using System.Net;
using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;
using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations.Api;

/// <summary><c>/api/v1/sessions</c>: who is there, and who has to go.</summary>
internal sealed class SessionEndpoints(DirectorServer director, AuditLog audit)
{
    private const int MaxListed = 100_000;

    public IEnumerable<ApiRoute> Routes =>
    [
        new("GET", "/sessions", "Lists the sessions that run, of all directors.", ListAsync)
        {
            Answer = ApiJson.Default.ApiSessions,
            Query = [("user", "Of this user."), ("node", "At this node."), ("address", "From this address."), ("limit", $"How many at most, 1 to {MaxListed}; {MaxListed} where it is left out.")],
        },
        new("POST", "/sessions/kick", "Ends sessions, at every director; their clients may come back at once.", KickAsync) { Body = ApiJson.Default.ApiKick, Answer = ApiJson.Default.ApiKicked },
    ];

    public static ApiSession Shown(ClusterSession session) => new(session.Id, session.User.Value, session.Node, session.ClientAddress, session.Director, session.Started)
    {
        Tls = session.Tls,
        Mechanism = session.Mechanism,
        Client = session.ClientName,
        Master = session.Master?.Value,
        BytesToNode = session.BytesToNode,
        BytesToClient = session.BytesToClient,
    };

    private async Task<ApiAnswer> ListAsync(HttpContext context)
    {
        var limit = MaxListed;
        if (ApiRoute.Asked(context, "limit") is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is 0 or > MaxListed))
            return ApiProblem.Invalid($"\"limit\" is no number from 1 to {MaxListed}.");
        var (filter, problem) = FilterOf(ApiRoute.Asked(context, "user"), ApiRoute.Asked(context, "node"), ApiRoute.Asked(context, "address"));
        if (filter is null) return problem!;
        if (await director.Sessions.ListSessionsAsync(filter, context.RequestAborted) is not { } sessions) return ApiProblem.Unavailable();
        return ApiAnswer.Of(new ApiSessions([.. sessions.Take(limit).Select(Shown)], sessions.Count > limit), ApiJson.Default.ApiSessions);
    }

    private async Task<ApiAnswer> KickAsync(HttpContext context)
    {
        var (body, wrong) = await ApiAnswer.ReadAsync(context, ApiJson.Default.ApiKick);
        if (body is null) return wrong!;
        var (filter, problem) = FilterOf(body.User, body.Node, body.Address);
        if (filter is null) return problem!;
        if (filter is { User: null, Node: null, Address: null }) return ApiProblem.Invalid("Nothing says which sessions are to end: give \"user\", \"node\" or \"address\".");
        if (await director.Sessions.ListSessionsAsync(filter, context.RequestAborted) is not { } before || !await director.Sessions.KickAsync(filter, context.RequestAborted)) return ApiProblem.Unavailable();
        audit.Note(context, $"end sessions of {filter}", string.Create(CultureInfo.InvariantCulture, $"{before.Count} sessions"), "told to end");
        return ApiAnswer.Of(new ApiKicked([.. before.Select(Shown)]), ApiJson.Default.ApiKicked);
    }

    private (SessionFilter? Filter, ApiProblem? Problem) FilterOf(string? user, string? node, string? address)
    {
        UserName? name = null;
        IPAddress? from = null;
        if (user is not null && (name = director.NameOf(user)) is null) return (null, UserEndpoints.InvalidName);
        if (address is not null && !IPAddress.TryParse(address, out from)) return (null, ApiProblem.Invalid($"The address is \"{Network.SettingRules.Shown(address)}\": give an IPv4 or IPv6 address."));
        if (node is not null && director.Nodes.Find(node) is null) return (null, NodeEndpoints.NoSuchNode(director, node));
        return (new SessionFilter(name, node, from), null);
    }
}
