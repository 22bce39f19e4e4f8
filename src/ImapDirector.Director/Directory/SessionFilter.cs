using System.Net;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Directory;

/// <summary>Which sessions are meant: those that agree with every field that is given; with none given, all.</summary>
/// <param name="User">Of this user, or <c>null</c>.</param>
/// <param name="Node">At this node, or <c>null</c>.</param>
/// <param name="Address">From this address, or <c>null</c>.</param>
public sealed record SessionFilter(UserName? User, string? Node, IPAddress? Address)
{
    /// <summary>Whether it is a move that ends them: a login that has waited for the move is not meant.</summary>
    internal bool IsOfMove { get; init; }

    /// <summary>Whether a session is meant.</summary>
    public bool Matches(UserName user, string? node, IPAddress? address) =>
        (User is not { } wanted || wanted == user) && (Node is null || Node == node) && (Address is null || Address.Equals(address));

    /// <summary>As orders carry it: <c>user=… node=… address=… move=yes</c>.</summary>
    public override string ToString()
    {
        var parts = new List<string>(4);
        if (User is { } user) parts.Add($"user={user.Value}");
        if (Node is { } node) parts.Add($"node={node}");
        if (Address is { } address) parts.Add($"address={address}");
        if (IsOfMove) parts.Add("move=yes");
        return string.Join(' ', parts);
    }

    /// <summary>Reads what <see cref="ToString"/> has written.</summary>
    /// <returns><c>false</c> when it says anything else, or nothing: an order that is half understood would kick too many.</returns>
    internal static bool TryParse(string text, out SessionFilter filter)
    {
        filter = new SessionFilter(null, null, null);
        foreach (var part in text.Split(' '))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var value = part[(equals + 1)..];
            switch (equals < 0 ? "" : part[..equals])
            {
                case "user" when UserName.TryCreate(value, null, out var user) && user.Value == value:
                    filter = filter with { User = user };
                    break;
                case "node" when value.Length > 0:
                    filter = filter with { Node = value };
                    break;
                case "address" when IPAddress.TryParse(value, out var address):
                    filter = filter with { Address = address };
                    break;
                case "move" when value == "yes":
                    filter = filter with { IsOfMove = true };
                    break;
                default:
                    return false;
            }
        }
        return true;
    }
}
