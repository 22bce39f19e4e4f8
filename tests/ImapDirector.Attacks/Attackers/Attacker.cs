using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks.Attackers;

/// <summary>Somebody who tries one kind of thing again and again, from addresses of their own, and says what should not have happened.</summary>
/// <param name="target">Whom.</param>
/// <param name="seed">What is random follows it.</param>
/// <param name="number">The second byte of the addresses.</param>
internal abstract class Attacker(AttackedServers target, int seed, byte number)
{
    private readonly ConcurrentQueue<string> _violations = new();
    private long _tries;

    public string Name => GetType().Name;

    public long Tries => Interlocked.Read(ref _tries);

    public IReadOnlyCollection<string> Violations => _violations;

    protected AttackedServers Target => target;

    /// <summary>How many try at the same time.</summary>
    protected virtual int Together => 2;

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, Together).Select(one => Task.Run(() => TryAgainAsync(new Random(seed * 1000 + number * 50 + one), stop), CancellationToken.None)));

    /// <summary>Tries once.</summary>
    /// <param name="random">Of this one alone.</param>
    /// <param name="stop">For what takes long.</param>
    protected abstract Task TryAsync(Random random, CancellationToken stop);

    protected void Violation(string what) => _violations.Enqueue(what.Length > 300 ? what[..300] : what);

    /// <summary>One of very many.</summary>
    protected IPAddress Address(Random random) => new([127, number, (byte)random.Next(256), (byte)random.Next(1, 255)]);

    protected static async Task PauseAsync(TimeSpan time, CancellationToken stop) =>
        await Task.Delay(time, stop).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    protected static string RandomText(Random random, int length) => string.Create(length, random, static (text, random) =>
    {
        foreach (ref var letter in text) letter = (char)random.Next(256);
    });

    private async Task TryAgainAsync(Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await TryAsync(random, stop);
                Interlocked.Increment(ref _tries);
            }
            catch (Exception refused) when (refused is IOException or SocketException or AuthenticationException)
            {
                // Whoever attacks may be thrown out at any time; a moment later there is the next one.
                await PauseAsync(TimeSpan.FromMilliseconds(20), stop);
            }
            catch (Exception hung) when (hung is TimeoutException or OperationCanceledException)
            {
                Violation($"no answer, and not closed: {hung.Message}");
            }
        }
    }
}
