using System.Net;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Delivery;

/// <summary>Who may hand in mail (limits L7).</summary>
public sealed class LmtpPeerTests
{
    [FactBesideLoopback("redis-server")]
    public async Task Who_is_not_listed_does_not_even_get_a_greeting()
    {
        foreach (var (listed, isServed) in new (IPNetwork[], bool)[] { ([], false), ([OwnAddress.NetworkBeside], false), ([OwnAddress.NetworkBeside, OwnAddress.Network], true) })
        {
            await using var node = FakeImapNode.Ready();
            await using var director = await RunningDirector.StartAsync(node.Backend, options => options with { Lmtp = new IPEndPoint(IPAddress.Any, 0), LmtpNetworks = listed });
            await using var peer = await ImapConversation.ConnectAsync(OwnAddress.At(director.Server.LmtpEndPoint!));
            var greeting = await peer.ReadLineAsync();
            if (isServed) Assert.StartsWith("220 ", greeting, StringComparison.Ordinal);
            else Assert.Null(greeting);
            Assert.Equal(isServed ? 0 : 1, director.Lines.Count(static line => line.StartsWith("3503 ", StringComparison.Ordinal)));
            await using var local = await ImapConversation.ConnectAsync(new IPEndPoint(IPAddress.Loopback, director.Server.LmtpEndPoint!.Port));
            Assert.StartsWith("220 ", await local.ReadLineAsync(), StringComparison.Ordinal);
        }
    }
}
