using System.Globalization;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Text;
using StackExchange.Redis;

namespace ImapDirector.Director.Moves;

/// <summary>A user's way from one node to another, as Redis keeps it.</summary>
/// <param name="Id">What tells it from the user's other moves.</param>
/// <param name="User">Who moves.</param>
/// <param name="From">The node that the user leaves.</param>
/// <param name="To">The node that the user goes to.</param>
/// <param name="Step">How far it is.</param>
public sealed record Move(string Id, UserName User, string From, string To, MoveStep Step)
{
    private const int MaxReasonLength = 1000;

    /// <summary>The epoch that the user was released at; 0 before that.</summary>
    public long Epoch { get; init; }

    /// <summary>The director that carries it out; <c>null</c> before one does.</summary>
    public string? Director { get; init; }

    /// <summary>When it was ordered, by Redis' clock.</summary>
    public DateTimeOffset Ordered { get; init; }

    /// <summary>When logins and deliveries began to wait; <c>null</c> before that.</summary>
    public DateTimeOffset? Marked { get; init; }

    /// <summary>When they went on; <c>null</c> before that.</summary>
    public DateTimeOffset? Opened { get; init; }

    /// <summary>How many messages the user has; 0 before that is known.</summary>
    public long Messages { get; init; }

    /// <summary>What has come to the new node, in bytes.</summary>
    public long BytesDone { get; init; }

    /// <summary>What there is to come, in bytes.</summary>
    public long BytesTotal { get; init; }

    /// <summary>Why it was called off, or what it waits for; <c>null</c> when there is nothing to say.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether the user has nothing at the old node that could be moved.</summary>
    internal bool IsEmpty { get; init; }

    /// <summary>The epoch of the assignment after the move, or after it was called off.</summary>
    internal long LastEpoch { get; init; }

    /// <summary>Whether it has come to its end.</summary>
    public bool IsOver => Step is MoveStep.Done or MoveStep.Failed;

    /// <summary>Reads what the scripts have written.</summary>
    /// <returns><c>null</c> when it is none.</returns>
    internal static Move? TryRead(UserName user, HashEntry[] fields)
    {
        var values = fields.ToDictionary(static field => field.Name.ToString(), static field => field.Value.ToString());
        if (!values.TryGetValue("id", out var id) || !values.TryGetValue("from", out var from) || !values.TryGetValue("to", out var to)
            || !values.TryGetValue("step", out var word) || StepOf(word) is not { } step) return null;
        return new Move(id, user, from, to, step)
        {
            Epoch = Number(values, "epoch"),
            LastEpoch = Number(values, "last-epoch"),
            Director = values.GetValueOrDefault("director"),
            Ordered = Time(values, "ordered") ?? default,
            Marked = Time(values, "marked"),
            Opened = Time(values, "opened"),
            Messages = Number(values, "messages"),
            BytesDone = Number(values, "done"),
            BytesTotal = Number(values, "total"),
            Reason = values.GetValueOrDefault("reason") is { Length: > 0 } reason ? Shown(reason) : null,
            IsEmpty = Number(values, "empty") != 0,
        };
    }

    /// <summary>A reason in which a node has its part, as it is kept and shown to operators: not long, and without what steers a terminal.</summary>
    internal static string Shown(string reason) => VisibleText.Of(reason.Length > MaxReasonLength ? reason[..MaxReasonLength] : reason);

    /// <summary>A step as Redis writes it.</summary>
    internal static string WordOf(MoveStep step) => step switch
    {
        MoveStep.Ordered => "ordered",
        MoveStep.Marked => "marked",
        MoveStep.Ended => "ended",
        MoveStep.Released => "released",
        MoveStep.Copied => "copied",
        MoveStep.Switched => "switched",
        MoveStep.Opened => "opened",
        MoveStep.Done => "done",
        MoveStep.Undoing => "undoing",
        _ => "failed",
    };

    private static MoveStep? StepOf(string word)
    {
        foreach (var step in Enum.GetValues<MoveStep>())
            if (WordOf(step) == word) return step;
        return null;
    }

    private static long Number(Dictionary<string, string> values, string name) =>
        values.TryGetValue(name, out var text) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static DateTimeOffset? Time(Dictionary<string, string> values, string name) =>
        Number(values, name) is > 0 and var milliseconds && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;
}

/// <summary>How far a move is. Until <see cref="Switched"/> it can be called off, and the user stays; from then on it only goes on.</summary>
public enum MoveStep
{
    /// <summary>It waits for a director to take it up. Nothing has changed for the user.</summary>
    Ordered,
    /// <summary>New logins and deliveries wait; sessions are told to end.</summary>
    Marked,
    /// <summary>No session is left.</summary>
    Ended,
    /// <summary>The old node writes nothing for the user any more; the new one fetches the store.</summary>
    Released,
    /// <summary>The new node has everything.</summary>
    Copied,
    /// <summary>The map names the new node.</summary>
    Switched,
    /// <summary>The new node serves the user; who waited goes on.</summary>
    Opened,
    /// <summary>The old node has set its copy aside.</summary>
    Done,
    /// <summary>It is being called off: the user stays, with a higher epoch.</summary>
    Undoing,
    /// <summary>It was called off; the reason says why.</summary>
    Failed,
}
