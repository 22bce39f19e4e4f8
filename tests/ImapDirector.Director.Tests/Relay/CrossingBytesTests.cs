using System.Text;
using ImapDirector.Director.Relay;
using ImapDirector.Director.Tests.Login;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

/// <summary>The number of a descriptor that is closed is the next connection's: whoever still used it would read or write another user's mail.</summary>
public sealed class CrossingBytesTests
{
    private const int Sessions = 1_600;
    private const int AtOnce = 32;
    private const string Bye = "* BYE The session is closed, please connect again.\r\n";

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Sessions_that_end_in_the_midst_of_others_that_begin_hear_and_say_nothing_of_theirs(int threads)
    {
        await using var watch = new RelayWatch(TimeSpan.FromMinutes(30), TimeSpan.FromSeconds(1));
        using var loops = new RelayLoops(threads, NullLogger.Instance);
        var metrics = new DirectorMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry()));
        await Parallel.ForAsync(0, Sessions, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, _) =>
        {
            var loop = threads == 0 ? null : loops.All[number % threads];
            await using var client = await ConnectionPair.CreateAsync(loop);
            await using var node = await ConnectionPair.CreateAsync(loop);
            var end = new RelayEnd();
            var relay = SessionRelay.Create(client.Server, node.Server, watch, metrics, end);
            var isEarly = number % 16 == 0;
            if (isEarly) End(number, relay, client, node);
            relay.Begin();
            Task[] talks =
            [
                SendAsync(client.Client.Stream, $"c{number:000000}\n"), AssertOwnAsync(node.Client.Stream, $"c{number:000000}\n"),
                SendAsync(node.Client.Stream, $"n{number:000000}\n"), AssertOwnAsync(client.Client.Stream, $"n{number:000000}\n"),
            ];
            await Task.Delay(Random.Shared.Next(4), CancellationToken.None);
            if (!isEarly) End(number, relay, client, node);
            await end.WaitAsync();
            await client.Server.DisposeAsync();
            await node.Server.DisposeAsync();
            await Task.WhenAll(talks).WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        });
    }

    private static void End(int number, SessionRelay relay, ConnectionPair client, ConnectionPair node)
    {
        switch (number % 7)
        {
            case 0:
                relay.Kick();
                break;
            case 1:
                // What a listener does with what is left when the time to drain is over.
                client.Server.Abort();
                break;
            case 2:
                node.Server.Abort();
                break;
            case 3:
                // Silent for too long, and then not to be ended with a word either.
                relay.EndIfOverdue(long.MaxValue);
                relay.EndIfOverdue(long.MaxValue);
                break;
            case 4:
                relay.Kick();
                client.Server.Abort();
                break;
            case 5:
                client.Client.Socket.Close(0);
                break;
            default:
                node.Client.Socket.Close(0);
                break;
        }
    }

    private static async Task SendAsync(Stream stream, string word)
    {
        var words = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(word, 256)));
        try
        {
            while (true)
            {
                await stream.WriteAsync(words);
                // More would keep the threads from everything else.
                await Task.Delay(1);
            }
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException)
        {
            return;
        }
    }

    /// <summary>Nothing comes but the word again and again, and in the end perhaps a farewell.</summary>
    private static async Task AssertOwnAsync(Stream stream, string word)
    {
        var (buffer, position, rest) = (new byte[16 * 1024], 0L, new StringBuilder());
        try
        {
            while (await stream.ReadAsync(buffer) is > 0 and var count)
            {
                var text = Encoding.Latin1.GetString(buffer, 0, count);
                var own = 0;
                while (rest.Length == 0 && own < count && text[own] == word[(int)(position % word.Length)]) (own, position) = (own + 1, position + 1);
                rest.Append(text, own, count - own);
            }
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException)
        {
            // With a reset.
        }
        Assert.True(rest.Length == 0 || (position % word.Length == 0 && Bye.StartsWith(rest.ToString(), StringComparison.Ordinal)), $"Behind {position} bytes of its own a session hears: {rest}");
    }
}
