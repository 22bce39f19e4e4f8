using System.Text;
using ImapDirector.Director.Backends;
using ImapDirector.Director.Tests.Directory;
using ImapDirector.Protocol.Assertions;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ImapDirector.Director.Tests.Backends;

public sealed class AssertionIssuerTests
{
    [Fact]
    public void A_key_that_is_put_into_the_file_is_used_some_seconds_later_and_one_that_is_broken_is_not()
    {
        using var key = new AssertionKey();
        var clock = new ManualClock();
        var issuer = new AssertionIssuer(new DirectorOptions { Name = "director1" }, key.Use(new DirectorOptions()).AssertionKeyFile!, clock, NullLogger.Instance);
        var before = key.Public;
        Assert.Equal(AssertionRefusal.None, Verify(before));

        key.Change();
        Assert.Equal(AssertionRefusal.None, Verify(before));
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(AssertionRefusal.UnknownKey, Verify(before));
        Assert.Equal(AssertionRefusal.None, Verify(key.Public));

        key.Write("half a key");
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(AssertionRefusal.None, Verify(key.Public));

        AssertionRefusal Verify(AssertionKeySet keys)
        {
            var verifier = new AssertionVerifier("node1", TimeSpan.Zero, TimeProvider.System);
            var token = issuer.Issue(TestDirector.Node("node1"), TestDirector.User("alice@example.com"), 1, "session-1", null, AssertionScope.Imap);
            return verifier.Verify(Encoding.ASCII.GetBytes(token), keys, AssertionScope.Imap, null, out _);
        }
    }

    [Theory]
    [InlineData("", "holds no unencrypted private key")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", "holds no unencrypted private key")]
    public void A_file_that_is_no_key_is_refused_at_the_start_without_its_text(string text, string expected)
    {
        using var key = new AssertionKey();
        key.Write(text);
        var error = Assert.Single(key.Use(new DirectorOptions { Imap = new System.Net.IPEndPoint(1, 143), Nodes = [TestDirector.Node("node1") with { MasterPassword = "" }] }).Validate());
        Assert.StartsWith("AssertionKeyFile is ", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain("c2Vjcm", error, StringComparison.Ordinal);
    }
}
