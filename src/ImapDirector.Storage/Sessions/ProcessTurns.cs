namespace ImapDirector.Storage.Sessions;

/// <summary>The turns that all sessions of the process have together (<see cref="WorkTurns"/>): as many as there are processors, at least two.</summary>
internal sealed class ProcessTurns : IDisposable
{
    public SemaphoreSlim Free { get; } = new(Math.Max(2, Environment.ProcessorCount));

    public void Dispose() => Free.Dispose();
}
