namespace ImapDirector.Director.Authentication;

/// <summary>Where a check stands among those that wait to be hashed. Guessing costs guessers their place, not others theirs: whose address has failed more, or has more
/// under way, goes later.</summary>
/// <param name="Failures">The failures of the address, or what they amount to of its network; less than none for who is known there.</param>
internal readonly record struct HashRank(int Failures)
{
    /// <summary>Of who has logged in from the address before, or was right just now.</summary>
    public static HashRank First { get; } = new(-1);

    /// <summary>How many others of the address are under way at the moment; <c>null</c> where that does not count.</summary>
    public Func<int>? Others { get; init; }

    /// <summary>The place by now: lower goes first.</summary>
    public int Place => Failures < 0 ? Failures : Failures + (Others?.Invoke() ?? 0);
}
