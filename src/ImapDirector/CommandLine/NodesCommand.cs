using System.CommandLine;
using System.Globalization;
using ImapDirector.Director;
using ImapDirector.Director.Directory;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector nodes …</c>: whom the nodes take.</summary>
internal static class NodesCommand
{
    private const string ConfiguredWeight = "configured";

    private static readonly Argument<string> Name = new("node") { Description = "The node's name in the configuration.", HelpName = "NODE" };
    private static readonly Argument<string> Weight = new("weight") { Description = $"Its share of new users, 0 to {BackendNode.MaxWeight}, or \"{ConfiguredWeight}\".", HelpName = "WEIGHT" };

    public static Command Create() => ClusterCommand.Create("nodes", "Say whom the nodes take.",
        ClusterCommand.WithNodes("list", "List the nodes.", [], ListAsync),
        ClusterCommand.WithNodes("up", "A node takes its users, and new ones.", [Name], static (orders, result, cancellationToken) => SetAsync(orders, result, "state", "up", cancellationToken)),
        ClusterCommand.WithNodes("drain", "A node takes its users, and no new ones.", [Name], static (orders, result, cancellationToken) => SetAsync(orders, result, "state", "draining", cancellationToken)),
        ClusterCommand.WithNodes("down", "A node takes nobody: its users cannot log in, and mail for them waits. Sessions that run go on.", [Name],
            static (orders, result, cancellationToken) => SetAsync(orders, result, "state", "down", cancellationToken)),
        ClusterCommand.WithNodes("weight", "Give a node another share of new users.", [Name, Weight], SetWeightAsync));

    private static async Task<int?> ListAsync(NodeOrders orders, ParseResult result, CancellationToken cancellationToken)
    {
        if (await orders.ListAsync(cancellationToken) is not { } nodes) return null;
        foreach (var node in nodes.All) result.InvocationConfiguration.Output.WriteLine(Line(node));
        return ExitCode.Ok;
    }

    private static Task<int?> SetWeightAsync(NodeOrders orders, ParseResult result, CancellationToken cancellationToken)
    {
        var text = result.GetValue(Weight)!;
        if (text == ConfiguredWeight) return SetAsync(orders, result, "weight", null, cancellationToken);
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var weight) && weight <= BackendNode.MaxWeight)
            return SetAsync(orders, result, "weight", text, cancellationToken);
        result.InvocationConfiguration.Error.WriteLine($"imapdirector: The weight is \"{text}\": give a number from 0 to {BackendNode.MaxWeight}, or \"{ConfiguredWeight}\".");
        return Task.FromResult<int?>(ExitCode.BadData);
    }

    private static async Task<int?> SetAsync(NodeOrders orders, ParseResult result, string field, string? value, CancellationToken cancellationToken)
    {
        var name = result.GetValue(Name)!;
        var changed = await orders.ChangeAsync(name, new Dictionary<string, string?> { [field] = value }, cancellationToken);
        if (changed.Outcome == NodeOutcome.NoSuchNode)
        {
            if (await orders.ListAsync(cancellationToken) is not { } nodes) return null;
            result.InvocationConfiguration.Error.WriteLine($"imapdirector: There is no node \"{name}\": there are {string.Join(", ", nodes.All.Select(static status => status.Node.Name))}.");
            return ExitCode.NoSuchNode;
        }
        if (changed.After is not { } status) return null;
        result.InvocationConfiguration.Output.WriteLine(Line(status));
        return ExitCode.Ok;
    }

    /// <summary>A node, as lists show it.</summary>
    public static string Line(NodeStatus status)
    {
        var (now, configured) = (status.Node.Weight, status.Configured?.Weight ?? status.Node.Weight);
        var weight = now == configured ? $"{now}" : $"{now} (configured {configured})";
        return string.Create(CultureInfo.InvariantCulture, $"{status.Node.Name}  {status.State.ToString().ToLowerInvariant()}  weight {weight}  pool {status.Node.Pool}  {status.Node.Host}:{status.Node.ImapPort}");
    }
}
