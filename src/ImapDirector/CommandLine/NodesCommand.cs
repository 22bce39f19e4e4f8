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
        ClusterCommand.With("list", "List the nodes.", [], [], ListAsync),
        ClusterCommand.With("up", "A node takes its users, and new ones.", [Name], [], (orders, settings, result, cancellationToken) => SetAsync(orders, settings, result, NodeState.Up, null, cancellationToken)),
        ClusterCommand.With("drain", "A node takes its users, and no new ones.", [Name], [], (orders, settings, result, cancellationToken) => SetAsync(orders, settings, result, NodeState.Draining, null, cancellationToken)),
        ClusterCommand.With("down", "A node takes nobody: its users cannot log in, and mail for them waits. Sessions that run go on.", [Name], [],
            (orders, settings, result, cancellationToken) => SetAsync(orders, settings, result, NodeState.Down, null, cancellationToken)),
        ClusterCommand.With("weight", "Give a node another share of new users.", [Name, Weight], [], SetWeightAsync));

    private static async Task<int?> ListAsync(ClusterOrders orders, DirectorOptions settings, ParseResult result, CancellationToken cancellationToken)
    {
        if (await orders.ListNodesAsync(cancellationToken) is not { } nodes) return null;
        foreach (var node in nodes) result.InvocationConfiguration.Output.WriteLine(Line(node));
        return ExitCode.Ok;
    }

    private static Task<int?> SetWeightAsync(ClusterOrders orders, DirectorOptions settings, ParseResult result, CancellationToken cancellationToken)
    {
        var text = result.GetValue(Weight)!;
        if (text == ConfiguredWeight) return SetAsync(orders, settings, result, null, -1, cancellationToken);
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var weight) && weight <= BackendNode.MaxWeight)
            return SetAsync(orders, settings, result, null, weight, cancellationToken);
        result.InvocationConfiguration.Error.WriteLine($"imapdirector: The weight is \"{text}\": give a number from 0 to {BackendNode.MaxWeight}, or \"{ConfiguredWeight}\".");
        return Task.FromResult<int?>(ExitCode.BadData);
    }

    private static async Task<int?> SetAsync(ClusterOrders orders, DirectorOptions settings, ParseResult result, NodeState? state, int? weight, CancellationToken cancellationToken)
    {
        if (ClusterCommand.FindNode(settings, result, result.GetValue(Name)!) is not { } node) return ExitCode.NoSuchNode;
        if (await orders.SetNodeAsync(node, state, weight, cancellationToken) is not { } status) return null;
        result.InvocationConfiguration.Output.WriteLine(Line(status));
        return ExitCode.Ok;
    }

    /// <summary>A node, as lists show it.</summary>
    public static string Line(NodeStatus status)
    {
        var weight = status.Weight is { } given ? $"{given} (configured {status.Node.Weight})" : $"{status.Node.Weight}";
        return string.Create(CultureInfo.InvariantCulture, $"{status.Node.Name}  {status.State.ToString().ToLowerInvariant()}  weight {weight}  pool {status.Node.Pool}  {status.Node.Host}:{status.Node.ImapPort}");
    }
}
