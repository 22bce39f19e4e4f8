using System.Text.Json.Serialization;

namespace ImapDirector.Director.Directory;

/// <summary>What a rebuild of the map tells.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">It, as a person reads it.</param>
public sealed record RebuildLine(RebuildKind Kind, string Text)
{
    /// <summary>Whom a finding is about; <c>null</c> where it is about a node.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? User { get; init; }

    /// <summary>The user's stores.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<HeldStore>? Stores { get; init; }

    /// <summary>How it ended; <c>null</c> before that.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RebuildEnd? End { get; init; }
}

/// <summary>What a line is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RebuildKind>))]
public enum RebuildKind
{
    /// <summary>How far it is.</summary>
    [JsonStringEnumMemberName("progress")] Progress,
    /// <summary>Something that a person has to decide, or to know.</summary>
    [JsonStringEnumMemberName("finding")] Finding,
    /// <summary>The last line.</summary>
    [JsonStringEnumMemberName("end")] End,
}

/// <summary>How a rebuild ended.</summary>
/// <param name="Outcome">Whether it came to its end.</param>
/// <param name="Written">Users who are in the map now and were not before; of a dry run, those who would be.</param>
/// <param name="ThereAlready">Users who were.</param>
/// <param name="Findings">How many findings were told.</param>
public sealed record RebuildEnd(RebuildOutcome Outcome, int Written, int ThereAlready, int Findings);

/// <summary>Whether a rebuild came to its end.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RebuildOutcome>))]
public enum RebuildOutcome
{
    /// <summary>It did.</summary>
    [JsonStringEnumMemberName("done")] Done,
    /// <summary>A node has not told all that it holds, so that nothing was written.</summary>
    [JsonStringEnumMemberName("incomplete")] Incomplete,
    /// <summary>Redis does not answer; what was written stays.</summary>
    [JsonStringEnumMemberName("unavailable")] Unavailable,
    /// <summary>Another one runs at this director.</summary>
    [JsonStringEnumMemberName("busy")] Busy,
}
