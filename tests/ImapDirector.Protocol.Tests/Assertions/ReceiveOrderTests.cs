using ImapDirector.Protocol.Assertions;
using Xunit;

namespace ImapDirector.Protocol.Tests.Assertions;

public sealed class ReceiveOrderTests
{
    private static readonly ReceiveOrder Order = new("http://192.0.2.1:8080", new string('0', 64), "a.b.c");

    [Fact]
    public void Whatever_is_changed_of_an_order_changes_its_id()
    {
        var ids = new HashSet<string>
        {
            Order.SessionId,
            (Order with { Source = "http://192.0.2.1:8081" }).SessionId,
            (Order with { Manifest = new string('0', 63) + "1" }).SessionId,
            (Order with { Assertion = "a.b.d" }).SessionId,
            new ReceiveOrder(Order.Source + Order.Manifest, "", Order.Assertion).SessionId,
        };
        Assert.Equal(5, ids.Count);
        Assert.Equal(Order.SessionId, (Order with { }).SessionId);
    }

    [Fact]
    public void The_id_can_be_in_an_assertion()
    {
        using var director = AssertionSigner.Create();
        var now = DateTimeOffset.UtcNow;
        var node = new AssertionVerifier("node1", TimeSpan.FromSeconds(60), TimeProvider.System);
        var token = director.Sign(new Assertion { Issuer = "d", Audience = "node1", SessionId = Order.SessionId, Scope = AssertionScope.Control, IssuedAt = now.AddSeconds(1), ExpiresAt = now.AddSeconds(30) });
        Assert.Equal(AssertionRefusal.None, node.Verify(System.Text.Encoding.ASCII.GetBytes(token), AssertionKeySet.Parse([director.ExportPublicPem()]), AssertionScope.Control, null, out var heard));
        Assert.Equal(Order.SessionId, heard!.SessionId);
    }
}
