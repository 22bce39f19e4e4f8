namespace ImapDirector.Director.Relay;

/// <summary>Tells the sessions of a director that is left to go, a few at a time: each comes again somewhere else at once.</summary>
internal static class DrainWaves
{
    // Fewer than this are no storm.
    private const int SmallestWave = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Goes on until all have been told, or <paramref name="ended"/> is done.</summary>
    /// <param name="sessions">The sessions.</param>
    /// <param name="spread">How long it may take; zero for all at once.</param>
    /// <param name="ended">Done when there is nobody left.</param>
    public static async Task RunAsync(LiveSessions sessions, TimeSpan spread, Task ended)
    {
        // In no order that anybody has chosen: those of one user are as far apart as others.
        var all = sessions.Snapshot();
        Random.Shared.Shuffle(all);
        var waves = Math.Max(1, (int)(spread / Pause));
        var size = Math.Max(SmallestWave, (all.Length + waves - 1) / waves);
        for (var told = 0; told < all.Length; told += size)
        {
            foreach (var session in all.AsSpan(told, Math.Min(size, all.Length - told))) session.Kick();
            if (told + size >= all.Length) return;
            if (await Task.WhenAny(ended, Task.Delay(Pause)) == ended) return;
        }
    }
}
