using System.CommandLine;
using System.Globalization;
using System.Net;
using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Protocol;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector sessions …</c>: who is there, and who has to go.</summary>
internal static class SessionsCommand
{
    private const int Looks = 5;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    private static readonly Option<string?> User = new("--user") { Description = "Of this user.", HelpName = "NAME@DOMAIN" };
    private static readonly Option<string?> Node = new("--node") { Description = "At this node.", HelpName = "NODE" };
    private static readonly Option<string?> Address = new("--address") { Description = "From this address.", HelpName = "ADDRESS" };

    public static Command Create() => ClusterCommand.Create("sessions", "Show and end sessions, of all directors.",
        ClusterCommand.With("list", "List the sessions that run.", [], [User, Node, Address], ListAsync),
        ClusterCommand.With("kick", "End sessions; their clients may come back at once.", [], [User, Node, Address], KickAsync));

    private static async Task<int?> ListAsync(ClusterOrders orders, DirectorOptions settings, ParseResult result, CancellationToken cancellationToken)
    {
        var (filter, code) = Filter(settings, result);
        if (filter is null) return code;
        if (await orders.ListSessionsAsync(filter, cancellationToken) is not { } sessions) return null;
        foreach (var session in sessions)
            result.InvocationConfiguration.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{session.Id}  {session.User}  node {session.Node ?? "none"}  from {session.ClientAddress}  at director {session.Director}  since {session.Started.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC"));
        return ExitCode.Ok;
    }

    private static async Task<int?> KickAsync(ClusterOrders orders, DirectorOptions settings, ParseResult result, CancellationToken cancellationToken)
    {
        var (filter, code) = Filter(settings, result);
        if (filter is null) return code;
        if (filter is { User: null, Node: null, Address: null })
        {
            result.InvocationConfiguration.Error.WriteLine("imapdirector: Nothing says which sessions are to end: give --user, --node or --address.");
            return ExitCode.Usage;
        }
        if (await orders.ListSessionsAsync(filter, cancellationToken) is not { } before || !await orders.KickAsync(filter, cancellationToken)) return null;
        var ids = before.Select(static session => session.Id).ToHashSet();
        // Those that come back meanwhile are new ones.
        for (var look = 0; ids.Count > 0 && look < Looks; look++)
        {
            if (look > 0) await Task.Delay(BetweenLooks, cancellationToken);
            if (await orders.ListSessionsAsync(filter, cancellationToken) is not { } now) return null;
            ids.IntersectWith(now.Select(static session => session.Id));
        }
        var left = ids.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $"; {ids.Count} have not ended yet") : "";
        result.InvocationConfiguration.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{before.Count} sessions were told to end{left}."));
        return ids.Count > 0 ? ExitCode.Unavailable : ExitCode.Ok;
    }

    /// <returns>No filter, and the exit code, when something given cannot be meant.</returns>
    private static (SessionFilter? Filter, int Code) Filter(DirectorOptions settings, ParseResult result)
    {
        UserName? user = null;
        IPAddress? address = null;
        if (result.GetValue(User) is { } name)
        {
            if (!UserName.TryCreate(name, settings.DefaultDomain, out var known))
            {
                result.InvocationConfiguration.Error.WriteLine("imapdirector: The name cannot be used: write it as name@domain, with letters, digits, '.', '-' and '_'.");
                return (null, ExitCode.BadData);
            }
            user = known;
        }
        if (result.GetValue(Address) is { } text && !IPAddress.TryParse(text, out address))
        {
            result.InvocationConfiguration.Error.WriteLine($"imapdirector: The address is \"{text}\": give an IPv4 or IPv6 address.");
            return (null, ExitCode.BadData);
        }
        if (result.GetValue(Node) is { } node && ClusterCommand.FindNode(settings, result, node) is null) return (null, ExitCode.NoSuchNode);
        return (new SessionFilter(user, result.GetValue(Node), address), ExitCode.Ok);
    }
}
