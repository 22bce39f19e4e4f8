using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Director.Tests.Login;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

/// <summary>Both relays under random pieces, stalls, half-closes, kicks and resets: what arrives is what was sent, in order, once.</summary>
public sealed class RelayProperties
{
    private const string Bye = "* BYE The session is closed, please connect again.\r\n";

    public static TheoryData<int, ClientSide, int> Runs()
    {
        var runs = new TheoryData<int, ClientSide, int>();
        foreach (var threads in (int[])[0, 1])
            foreach (var (side, count) in ((ClientSide, int)[])[(ClientSide.Plain, 24), (ClientSide.DirectTls, 16), (ClientSide.RuntimeTls, 8)])
                for (var seed = 1; seed <= count; seed++) runs.Add(threads, side, seed);
        return runs;
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task What_arrives_is_what_was_sent(int threads, ClientSide side, int seed)
    {
        var (random, isSecure) = (new Random(seed), side != ClientSide.Plain);
        var ending = (Ending)(seed % 4);
        var (commands, responses) = (Bytes(random, random.Next(2_000_000)), Responses(random, random.Next(3_000_000)));
        // With small buffers in the kernel nearly every write is taken in part only; with TLS smaller ones would make it slow.
        var kernelBytes = isSecure ? 64 * 1024 : 16 * 1024;
        await using var relay = await RelayUnderTest.StartAsync(threads, isSecure, side == ClientSide.DirectTls, prepare: (client, node) =>
        {
            foreach (var socket in seed % 3 == 0 ? [] : (Socket[])[client.Client.Socket, client.Server.Socket, node.Client.Socket, node.Server.Socket])
                (socket.SendBufferSize, socket.ReceiveBufferSize) = (kernelBytes, kernelBytes);
            return Task.CompletedTask;
        });
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        int[] seeds = [random.Next(), random.Next(), random.Next(), random.Next()];
        var moment = random.Next(60);
        var sending = new[] { SendAsync(relay.Client, commands, ending, seeds[0], patience.Token), SendAsync(relay.Node, responses, ending, seeds[1], patience.Token) };
        var received = new[] { ReceiveAsync(relay.Node, sending[1], ending, seeds[2], patience.Token), ReceiveAsync(relay.Client, sending[0], ending, seeds[3], patience.Token) };
        var closing = relay.CloseBehindAsync();
        if (ending == Ending.Kick)
        {
            await Task.Delay(moment, patience.Token);
            relay.Kick();
        }
        if (ending == Ending.Reset)
        {
            await Task.Delay(moment, patience.Token);
            relay.Client.Socket.Close(timeout: 0);
        }
        var (atNode, atClient) = (await received[0], await received[1]);
        if (ending is Ending.Kick or Ending.Reset) relay.Node.Socket.Close(timeout: 0);
        if (ending == Ending.Kick) relay.Client.Socket.Close(timeout: 0);
        await Task.WhenAll(sending);
        await closing;

        Assert.True(commands.AsSpan().StartsWith(atNode), "the node gets the client's bytes");
        if (ending is Ending.Close or Ending.CloseAgain)
        {
            Assert.Equal(commands.Length, atNode.Length);
            Assert.True(atClient.AsSpan().SequenceEqual(responses), "the client gets all of the node's bytes");
            Assert.Equal((commands.Length, responses.Length), (relay.Relay.BytesToNode, relay.Relay.BytesToClient));
            return;
        }
        var whole = atClient.AsSpan();
        if (ending == Ending.Kick && whole.EndsWith(Encoding.ASCII.GetBytes(Bye)))
        {
            whole = whole[..^Bye.Length];
            Assert.Contains(whole.Length, Ends(responses));
        }
        Assert.True(responses.AsSpan().StartsWith(whole), "the client gets the node's bytes");
    }

    public enum ClientSide
    {
        Plain,
        DirectTls,
        RuntimeTls,
    }

    private enum Ending
    {
        Close,
        CloseAgain,
        Kick,
        Reset,
    }

    private static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Lines, and literals of all sizes.</summary>
    private static byte[] Responses(Random random, int least)
    {
        using var text = new MemoryStream();
        while (text.Length < least)
        {
            var size = random.Next(4) switch { 0 => 0, 1 => random.Next(300), 2 => random.Next(100_000), _ => random.Next(900_000) };
            if (random.Next(3) == 0) text.Write("* 1 EXISTS\r\n"u8);
            else text.Write([.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"* 1 FETCH (BODY[] {{{size}}}\r\n")), .. Bytes(random, size), .. ")\r\n"u8]);
        }
        return text.ToArray();
    }

    /// <summary>Where a line of somebody else may stand.</summary>
    private static HashSet<int> Ends(byte[] responses)
    {
        var ends = new HashSet<int> { 0 };
        for (var at = 0; at < responses.Length;)
        {
            var end = Array.IndexOf(responses, (byte)'\n', at) + 1;
            var line = Encoding.ASCII.GetString(responses, at, end - at);
            var open = line.IndexOf('{', StringComparison.Ordinal);
            at = end + (open < 0 ? 0 : int.Parse(line[(open + 1)..line.IndexOf('}', StringComparison.Ordinal)], CultureInfo.InvariantCulture) + 3);
            ends.Add(at);
        }
        return ends;
    }

    private static async Task SendAsync(ImapConversation peer, byte[] bytes, Ending ending, int seed, CancellationToken patience)
    {
        var random = new Random(seed);
        try
        {
            for (var at = 0; at < bytes.Length;)
            {
                var count = Math.Min(bytes.Length - at, random.Next(3) == 0 ? random.Next(1, 100) : random.Next(1, 200_000));
                await peer.Stream.WriteAsync(bytes.AsMemory(at, count), patience);
                at += count;
                if (random.Next(20) == 0) await Task.Delay(random.Next(5), patience);
            }
            if (peer.Stream is not SslStream) await peer.CloseSendingAsync();
        }
        catch (Exception cut) when (ending is Ending.Kick or Ending.Reset && cut is (IOException or SocketException or ObjectDisposedException))
        {
            // The session was kicked or reset.
        }
    }

    /// <summary>Reads to the end; with TLS it also says, between two reads, that nothing more comes when all has been sent.</summary>
    private static async Task<byte[]> ReceiveAsync(ImapConversation peer, Task sending, Ending ending, int seed, CancellationToken patience)
    {
        var random = new Random(seed);
        using var all = new MemoryStream();
        var buffer = new byte[150_000];
        var mayClose = peer.Stream is SslStream;
        try
        {
            int count;
            while ((count = await peer.Stream.ReadAsync(buffer.AsMemory(0, random.Next(1, buffer.Length)), patience)) > 0)
            {
                all.Write(buffer, 0, count);
                if (random.Next(15) == 0) await Task.Delay(random.Next(20), patience);
                if (!mayClose || !sending.IsCompletedSuccessfully) continue;
                mayClose = false;
                await peer.CloseSendingAsync();
            }
            await sending;
            if (mayClose) await peer.CloseSendingAsync();
        }
        catch (Exception cut) when (ending is Ending.Kick or Ending.Reset && cut is (IOException or SocketException or ObjectDisposedException))
        {
            // The session was kicked or reset.
        }
        return all.ToArray();
    }
}
