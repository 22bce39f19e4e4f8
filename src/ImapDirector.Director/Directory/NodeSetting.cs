using System.Globalization;

namespace ImapDirector.Director.Directory;

/// <summary>Whom a node takes.</summary>
public enum NodeState
{
    /// <summary>Its users, and new ones by its weight.</summary>
    Up,
    /// <summary>Its users, and no new ones.</summary>
    Draining,
    /// <summary>Nobody: its users are told <c>NO [UNAVAILABLE]</c>, and mail for them waits at its sender.</summary>
    Down,
}

/// <summary>What operators have set of a node while the directors run, as Redis keeps it: <c>state weight</c>, with <c>-</c> for the configured weight.</summary>
/// <param name="State">Whom it takes.</param>
/// <param name="Weight">Its share of new users instead of the configured one, 0 to <see cref="BackendNode.MaxWeight"/>; <c>null</c> for the configured one.</param>
internal readonly record struct NodeSetting(NodeState State, int? Weight)
{
    /// <returns><c>false</c> when it is none; nothing is guessed.</returns>
    public static bool TryParse(string text, out NodeSetting setting)
    {
        setting = default;
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || StateOf(text[..space]) is not { } state) return false;
        int? weight = null;
        if (text[(space + 1)..] is not "-")
        {
            if (!int.TryParse(text.AsSpan(space + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var given) || given > BackendNode.MaxWeight) return false;
            weight = given;
        }
        setting = new NodeSetting(state, weight);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{State.ToString().ToLowerInvariant()} {(Weight is { } weight ? $"{weight}" : "-")}");

    private static NodeState? StateOf(string word) => word switch
    {
        "up" => NodeState.Up,
        "draining" => NodeState.Draining,
        "down" => NodeState.Down,
        _ => null,
    };
}
