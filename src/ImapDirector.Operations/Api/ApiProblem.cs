using System.Text.Json.Serialization;

namespace ImapDirector.Operations.Api;

/// <summary>Why a request of <c>/api/v1</c> was refused (RFC 9457, <c>application/problem+json</c>).</summary>
/// <param name="Type">A URN that ends in the code.</param>
/// <param name="Title">The code in words.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">What is wrong and how to mend it, as sentences.</param>
/// <param name="Code">For programs: <c>invalid</c>, <c>unauthorized</c>, <c>not_found</c>, <c>no_such_node</c>, <c>no_such_pool</c>, <c>no_such_user</c>, <c>exists</c>, <c>in_use</c>,
/// <c>too_large</c>, <c>not_allowed</c>, <c>too_many</c>, <c>unavailable</c> or <c>fault</c>.</param>
/// <param name="Nearest">Where there is nothing of that name: the names that are most like it.</param>
public sealed record ApiProblem(string Type, string Title, int Status, string Detail, string Code, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Nearest = null)
{
    /// <summary>Its media type.</summary>
    public const string MediaType = "application/problem+json";

    internal static ApiProblem Of(int status, string code, string detail, IReadOnlyList<string>? nearest = null) =>
        new($"urn:imapdirector:problem:{code}", code.Replace('_', ' '), status, detail, code, nearest);

    internal static ApiProblem Invalid(string detail) => Of(400, "invalid", detail);

    internal static ApiProblem Unavailable() => Of(503, "unavailable", "Redis does not answer. A change may have been made all the same.");

    /// <summary>Nothing is of that name.</summary>
    /// <param name="what"><c>node</c>, <c>pool</c> or <c>user</c>.</param>
    /// <param name="name">The name.</param>
    /// <param name="names">All that there are; the nearest are told.</param>
    public static ApiProblem None(string what, string name, IEnumerable<string> names)
    {
        var nearest = NearestNames.Of(name, names);
        var hint = nearest.Count == 0 ? "" : $": the nearest {(nearest.Count == 1 ? "name is" : "names are")} {string.Join(", ", nearest)}";
        return Of(404, "no_such_" + what, $"There is no {what} \"{Network.SettingRules.Shown(name)}\"{hint}.", nearest);
    }
}
