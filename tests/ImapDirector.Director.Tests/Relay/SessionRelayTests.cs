using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ImapDirector.Director.Relay;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Director.Tests.Login;
using Xunit;

namespace ImapDirector.Director.Tests.Relay;

/// <summary>With bytes that come through streams, as with TLS.</summary>
public sealed class BufferedRelayTests() : SessionRelayTests(threads: 0);

/// <summary>With streams that a thread of the relay moves, as with TLS of .NET's.</summary>
public sealed class LoopStreamRelayTests() : SessionRelayTests(threads: 1, isDirect: false);

public abstract class SessionRelayTests(int threads, bool isDirect = true)
{
    private const int MiB = 1024 * 1024;
    private const string Bye = "* BYE The session is closed, please connect again.\r\n";

    [Theory]
    [InlineData(false, 64)]
    [InlineData(true, 16)]
    public async Task Bytes_arrive_as_they_were_sent_both_ways_at_once(bool isSecure, int mebibytes)
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, isSecure, isDirect);

        var sent = await Task.WhenAll(
            SendRandomAsync(relay.Client.Stream, 1, mebibytes), SendRandomAsync(relay.Node.Stream, 2, mebibytes),
            HashAsync(relay.Node.Stream, (long)mebibytes * MiB), HashAsync(relay.Client.Stream, (long)mebibytes * MiB));

        Assert.Equal(sent[0], sent[2]);
        Assert.Equal(sent[1], sent[3]);
        // What is counted is counted a moment after it has been sent.
        await relay.Client.CloseSendingAsync();
        await relay.Node.CloseSendingAsync();
        await relay.EndAsync();
        Assert.Equal(((long)mebibytes * MiB, (long)mebibytes * MiB), (relay.Relay.BytesToNode, relay.Relay.BytesToClient));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_client_that_is_kept_behind_its_node_is_told_in_its_turn(bool isSecure, bool isReset)
    {
        var asked = new TaskCompletionSource();
        await using var relay = await RelayUnderTest.StartAsync(threads, isSecure, lastPatience: TimeSpan.FromSeconds(3), keepClient: () => { asked.TrySetResult(); return TimeSpan.FromHours(1); });
        await relay.Node.SendAsync("* 1 EXISTS\r\n");
        Assert.Equal("* 1 EXISTS", await relay.Client.ReadLineAsync());

        if (isReset) relay.Node.Socket.Close(0);
        else await relay.Node.DisposeAsync();
        await asked.Task.WaitAsync(TimeSpan.FromMinutes(1));
        var next = relay.Client.ReadToEndAsync();
        // Longer than the last patience, which a node that is reset does not begin.
        await Task.Delay(isReset ? 5_500 : 100);
        Assert.False(next.IsCompleted);

        relay.Kick();
        Assert.Equal(Bye, await next);
        Assert.Equal(isReset ? SessionEnd.NodeLost : SessionEnd.NodeClosed, await relay.EndAsync());
    }

    [Fact]
    public async Task A_client_that_is_kept_and_speaks_is_let_go()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, lastPatience: TimeSpan.FromSeconds(3), keepClient: static () => TimeSpan.FromHours(1));
        await relay.Node.DisposeAsync();

        // The first that is sent tells the node's machine that nobody takes it, and the answer to that tells us.
        var ending = relay.EndAsync();
        while (!ending.IsCompleted && await SendsAsync(relay.Client)) await Task.Delay(10);
        Assert.Equal(SessionEnd.NodeClosed, await ending);
        Assert.Equal(Bye, await relay.Client.ReadToEndAsync());
    }

    private static async Task<bool> SendsAsync(ImapConversation client)
    {
        try
        {
            await client.SendAsync("a NOOP\r\n");
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Fact]
    public async Task A_client_that_is_kept_and_goes_is_waited_for_no_longer()
    {
        var asked = new TaskCompletionSource();
        await using var relay = await RelayUnderTest.StartAsync(threads, keepClient: () => { asked.TrySetResult(); return TimeSpan.FromHours(1); });
        await relay.Node.DisposeAsync();
        await asked.Task.WaitAsync(TimeSpan.FromMinutes(1));

        await relay.Client.DisposeAsync();
        // By streams the client's end may be noted first.
        Assert.True(await relay.EndAsync() is SessionEnd.NodeClosed or SessionEnd.ClientClosed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_is_aborted_elsewhere_ends_the_session(bool heldUp)
    {
        await using var relay = await RelayUnderTest.StartAsync(threads);
        if (heldUp)
        {
            // Until the client takes nothing any more, and the relay keeps what is left.
            relay.Node.Socket.SendTimeout = 300;
            var filler = new byte[MiB];
            void FillUp()
            {
                while (relay.Node.Socket.Send(filler) > 0) { }
            }
            Assert.Throws<SocketException>(FillUp);
        }
        else
        {
            await relay.Client.SendAsync("a NOOP\r\n");
            Assert.Equal("a NOOP\r\n", Encoding.ASCII.GetString(await relay.Node.ReadExactlyAsync(8)));
        }
        await Task.Run(relay.AbortElsewhere).WaitAsync(TimeSpan.FromSeconds(10));
        relay.Node.Socket.Close(timeout: 0);
        await relay.EndAsync();
    }

    [Theory]
    [InlineData(0, Bye)]
    [InlineData(1, "")]
    public async Task Whether_a_large_literal_has_ended_is_known_however_it_was_moved(int missing, string farewell)
    {
        await using var relay = await RelayUnderTest.StartAsync(threads);
        var response = Encoding.ASCII.GetBytes($"* 1 FETCH (BODY[] {{{3 * MiB}}}\r\n{new string('x', 3 * MiB)})\r\n")[..^missing];
        await Task.WhenAll(relay.Node.Stream.WriteAsync(response).AsTask(), relay.Client.ReadExactlyAsync(response.Length));
        relay.Kick();

        var said = "";
        try
        {
            said = await relay.Client.ReadToEndAsync();
        }
        catch (IOException)
        {
            // Without a word means with a reset.
        }
        Assert.Equal(farewell, said);
    }

    [Fact]
    public async Task Sessions_that_begin_while_bytes_come_hear_all_of_them()
    {
        for (var i = 0; i < 100; i++)
        {
            await using var relay = await RelayUnderTest.StartAsync(threads, isSecure: true, isDirect);
            await relay.Client.SendAsync("a NOOP\r\n");
            Assert.Equal("a NOOP\r\n", Encoding.ASCII.GetString(await relay.Node.ReadExactlyAsync(8)));
            await relay.Node.SendAsync("a OK\r\n");
            Assert.Equal("a OK\r\n", Encoding.ASCII.GetString(await relay.Client.ReadExactlyAsync(6)));
        }
    }

    [Fact]
    public async Task D3_what_was_read_before_the_relay_began_goes_first_once_and_in_order()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, prepare: async (client, node) =>
        {
            await client.Client.SendAsync("a SELECT INBOX\r\n");
            await node.Client.SendAsync("* 1 EXISTS\r\n");
            foreach (var connection in (ImapDirector.Network.Connection[])[client.Server, node.Server])
            {
                var read = await connection.Input.ReadAsync();
                connection.Input.AdvanceTo(read.Buffer.GetPosition(2));
            }
        });
        await relay.Client.SendAsync("b NOOP\r\n");
        await relay.Node.SendAsync("* 2 EXISTS\r\n");

        Assert.Equal("SELECT INBOX\r\nb NOOP\r\n", Encoding.ASCII.GetString(await relay.Node.ReadExactlyAsync(22)));
        Assert.Equal("1 EXISTS\r\n* 2 EXISTS\r\n", Encoding.ASCII.GetString(await relay.Client.ReadExactlyAsync(22)));
    }

    [Fact]
    public async Task D3_what_came_in_one_record_with_the_login_goes_on_although_nothing_more_comes()
    {
        // More than is read at once, and less than a record: some of it stays in OpenSSL, and no event tells of it.
        var commands = string.Concat(Enumerable.Range(0, 600).Select(static number => $"{number:0000} NOOP\r\n"));
        await using var relay = await RelayUnderTest.StartAsync(threads, isSecure: true, isDirect, prepare: async (client, _) =>
        {
            await client.Client.SendAsync("x\r\n" + commands);
            var read = await client.Server.Input.ReadAsync();
            client.Server.Input.AdvanceTo(read.Buffer.GetPosition(3));
        });

        Assert.Equal(commands, Encoding.ASCII.GetString(await relay.Node.ReadExactlyAsync(commands.Length)));
    }

    [Fact]
    public async Task D3_a_client_that_said_the_end_of_TLS_behind_its_login_has_closed_its_side()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, isSecure: true, isDirect, prepare: async (client, _) =>
        {
            await client.Client.SendAsync("x\r\na NOOP\r\n");
            await ((SslStream)client.Client.Stream).ShutdownAsync();
            while (client.Server.Socket.Available < 57) await Task.Delay(1);
            var read = await client.Server.Input.ReadAsync();
            client.Server.Input.AdvanceTo(read.Buffer.GetPosition(3));
        });

        Assert.Equal("a NOOP\r\n", await relay.Node.ReadToEndAsync());
    }

    [Fact]
    public async Task D3_a_client_that_closed_behind_its_login_is_still_answered()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, prepare: async (client, _) =>
        {
            await client.Client.SendAsync("x\r\na NOOP\r\n");
            client.Client.Socket.Shutdown(SocketShutdown.Send);
            var read = await client.Server.Input.ReadAsync();
            client.Server.Input.AdvanceTo(read.Buffer.GetPosition(3));
        });

        Assert.Equal("a NOOP\r\n", await relay.Node.ReadToEndAsync());
        await relay.Node.SendAsync("a OK\r\n");
        relay.Node.Socket.Shutdown(SocketShutdown.Send);

        Assert.Equal("a OK\r\n", await relay.Client.ReadToEndAsync());
        Assert.Equal(SessionEnd.ClientClosed, await relay.EndAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_has_closed_its_side_still_gets_what_the_node_has_to_say(bool isSecure)
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, isSecure, isDirect);
        await relay.Client.SendAsync("a LOGOUT\r\n");
        await relay.Client.CloseSendingAsync();

        Assert.Equal("a LOGOUT\r\n", await relay.Node.ReadToEndAsync());
        var answer = new string('x', MiB);
        await relay.Node.SendAsync(answer);
        await relay.Node.CloseSendingAsync();

        Assert.Equal(answer, await relay.Client.ReadToEndAsync());
        Assert.Equal(SessionEnd.ClientClosed, await relay.EndAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_that_has_closed_its_side_still_gets_what_the_client_has_to_say(bool isSecure)
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, isSecure, isDirect);
        await relay.Node.SendAsync("* BYE\r\n");
        await relay.Node.CloseSendingAsync();

        Assert.Equal("* BYE\r\n", await relay.Client.ReadToEndAsync());
        await relay.Client.SendAsync("a NOOP\r\n");
        await relay.Client.CloseSendingAsync();

        Assert.Equal("a NOOP\r\n", await relay.Node.ReadToEndAsync());
        Assert.Equal(SessionEnd.NodeClosed, await relay.EndAsync());
    }

    [Fact]
    public async Task R5_a_client_that_does_not_read_stops_the_node_and_loses_nothing()
    {
        const int mebibytes = 128;
        await using var relay = await RelayUnderTest.StartAsync(threads);
        var sending = SendRandomAsync(relay.Node.Stream, 3, mebibytes);

        var relayed = await UntilItStandsStillAsync(() => relay.Relay.BytesToClient);

        // What is on its way is in the kernel's buffers, and one buffer of ours: far less than was asked for.
        Assert.False(sending.IsCompleted);
        Assert.InRange(relayed, 1, mebibytes * MiB / 2);
        Assert.Equal(await HashAsync(relay.Client.Stream, (long)mebibytes * MiB), await sending);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kick_between_two_responses_says_BYE(bool isSecure)
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, isSecure, isDirect);
        await relay.Node.SendAsync("* 1 FETCH (BODY[] {5}\r\nhello)\r\n");
        await relay.Client.ReadExactlyAsync(31);

        relay.Kick();

        Assert.Equal(Bye, await relay.Client.ReadToEndAsync());
        Assert.Equal(SessionEnd.Kicked, await relay.EndAsync());
        await AssertClosedAsync(relay.Node);
    }

    [Theory]
    [InlineData("* 1 FETCH (BODY[] {50}\r\n* 2 EXISTS\r\n")]
    [InlineData("* 1 FETCH (BODY[] {12}\r\n* 2 EXISTS\r\n")]
    [InlineData("* 2 EXI")]
    public async Task A_kick_inside_a_response_closes_without_a_word(string said)
    {
        await using var relay = await RelayUnderTest.StartAsync(threads);
        await relay.Node.SendAsync(said);
        await relay.Client.ReadExactlyAsync(said.Length);

        relay.Kick();

        await AssertClosedAsync(relay.Client);
        Assert.Equal(SessionEnd.Kicked, await relay.EndAsync());
        await AssertClosedAsync(relay.Node);
    }

    [Fact]
    public async Task A_kick_before_the_first_byte_says_BYE()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads);

        relay.Kick();

        Assert.Equal(Bye, await relay.Client.ReadToEndAsync());
        Assert.Equal(SessionEnd.Kicked, await relay.EndAsync());
    }

    [Fact]
    public async Task A_kick_ends_a_session_whose_client_takes_nothing()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, lastPatience: TimeSpan.FromSeconds(1));
        var sending = SendRandomAsync(relay.Node.Stream, 4, 128);
        await UntilItStandsStillAsync(() => relay.Relay.BytesToClient);

        relay.Kick();

        Assert.Equal(SessionEnd.Kicked, await relay.EndAsync());
        await Assert.ThrowsAnyAsync<IOException>(() => sending);
    }

    [Fact]
    public async Task A_client_that_takes_what_is_there_only_after_the_kick_hears_BYE_behind_it()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, prepare: async (client, _) =>
        {
            // The runtime has waited for the socket, as in a login.
            var reading = client.Server.Input.ReadAsync();
            await client.Client.SendAsync("x");
            client.Server.Input.AdvanceTo((await reading).Buffer.End);
        });
        await relay.Node.SendAsync("* 1 EXISTS\r\n");
        Assert.Equal("* 1 EXISTS", await relay.Client.ReadLineAsync());
        var filled = await relay.FillClientAsync();

        relay.Kick();
        await Task.Delay(100);

        Assert.Equal(new string('\0', filled) + Bye, await relay.Client.ReadToEndAsync());
        Assert.Equal(SessionEnd.Kicked, await relay.EndAsync());
    }

    [Fact]
    public async Task A_silent_session_is_ended_with_BYE()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, idleTimeout: TimeSpan.FromSeconds(3));

        Assert.Equal(Bye, await relay.Client.ReadToEndAsync());
        Assert.Equal(SessionEnd.Idle, await relay.EndAsync());
        await AssertClosedAsync(relay.Node);
    }

    [Fact]
    public async Task A_side_that_has_closed_does_not_wait_for_ever_for_the_other()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, idleTimeout: TimeSpan.FromSeconds(3));

        await relay.Client.CloseSendingAsync();

        Assert.Equal(SessionEnd.ClientClosed, await relay.EndAsync());
    }

    [Fact]
    public async Task A_node_that_dies_between_two_responses_costs_its_client_a_BYE()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads);
        await relay.Node.SendAsync("* 1 EXISTS\r\n");
        await relay.Client.ReadLineAsync();

        relay.Node.Socket.Close(0);

        Assert.Equal(Bye, await relay.Client.ReadToEndAsync());
        Assert.Equal(SessionEnd.NodeLost, await relay.EndAsync());
    }

    [Fact]
    public async Task A_node_that_dies_inside_a_response_closes_its_client()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads);
        await relay.Node.SendAsync("* 1 EX");
        await relay.Client.ReadExactlyAsync(6);

        relay.Node.Socket.Close(0);

        await AssertClosedAsync(relay.Client);
        Assert.Equal(SessionEnd.NodeLost, await relay.EndAsync());
    }

    [Fact]
    public async Task A_client_that_is_lost_closes_its_session_at_the_node()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads);
        await relay.Client.SendAsync("a NOOP\r\n");
        await relay.Node.ReadLineAsync();

        relay.Client.Socket.Close(0);

        await AssertClosedAsync(relay.Node);
        Assert.Equal(SessionEnd.ClientLost, await relay.EndAsync());
    }

    [Fact]
    public async Task Small_segments_are_not_held_back()
    {
        await using var relay = await RelayUnderTest.StartAsync(threads, prepare: (client, node) =>
        {
            Assert.True(client.Server.Socket.NoDelay);
            Assert.True(node.Server.Socket.NoDelay);
            return Task.CompletedTask;
        });
    }

    private static async Task<string> SendRandomAsync(Stream stream, int seed, int mebibytes)
    {
        var random = new Random(seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[MiB];
        for (var i = 0; i < mebibytes; i++)
        {
            random.NextBytes(buffer);
            hash.AppendData(buffer);
            await stream.WriteAsync(buffer);
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static async Task<string> HashAsync(Stream stream, long count)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        while (count > 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)));
            if (read == 0) throw new EndOfStreamException();
            hash.AppendData(buffer, 0, read);
            count -= read;
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static async Task<long> UntilItStandsStillAsync(Func<long> value)
    {
        var last = -1L;
        await TestDirector.UntilAsync(async () =>
        {
            var before = value();
            await Task.Delay(300);
            last = value();
            return last > 0 && last == before;
        });
        return last;
    }

    /// <summary>Closed, with or without a reset, and nothing was said.</summary>
    private static async Task AssertClosedAsync(ImapConversation side)
    {
        try
        {
            Assert.Equal("", await side.ReadToEndAsync());
        }
        catch (IOException reset)
        {
            Assert.IsType<SocketException>(reset.InnerException);
        }
    }
}
